"""The number of updates of the weights in a training, and what people are told of few."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quadrants import SEED, resident, small, trainer

from evonas_cli.training.extent import FEW_UPDATES, few_updates
from evonas_cli.training.feed_forward import FeedForward


@pytest.mark.parametrize(("examples", "batch"), [(50, 64), (50, 7), (64, 64), (100, 64), (101, 50)])
def test_the_number_is_that_of_the_loop(examples: int, batch: int) -> None:
    settings = trainer(epochs=3, batch_size=batch)
    steps = FeedForward(small(), {0: settings}, resident(examples), SEED).steps_per_epoch
    line = few_updates(settings, examples)
    assert line is not None
    assert f"only {3 * steps} updates of the weights (3 epochs x {steps} batch" in line


@given(st.integers(1, 40), st.integers(1, 200), st.integers(1, 4000))
def test_few_is_below_a_hundred(epochs: int, batch: int, examples: int) -> None:
    settings = trainer(epochs=epochs, batch_size=batch)
    updates = epochs * (examples // min(batch, examples))
    assert (few_updates(settings, examples) is None) == (updates >= FEW_UPDATES == 100)


def test_the_line_names_the_settings() -> None:
    line = "each training makes only 8 updates of the weights (8 epochs x 1 batch of 50 examples)"
    assert (
        few_updates(trainer(epochs=8, batch_size=64), 50) == f"{line}; raise trainer.epochs or lower trainer.batch_size"
    )
    assert "only 1 update of the weights (1 epoch x 1 batch of 9 examples)" in str(few_updates(trainer(epochs=1), 9))


def test_nothing_is_said_where_genomes_set_the_number() -> None:
    settings = trainer(epochs=1)
    assert few_updates(settings, 50, {"batch_size": [8, 16]}) is few_updates(settings, 50, {"epochs": [1, 9]}) is None
    assert few_updates(settings, 50, {"momentum": [0.1, 0.9]}) is not None
