"""Micro-batches: gradients add up to the batch's, less is computed at once, checkpoints are for parts alone."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from quadrants import SEED, Interrupted, InterruptedAfter, resident, small, trainer

from evonas_cli.network.plan import Graph
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.checkpoint import Checkpoint
from evonas_cli.training.feed_forward import FeedForward
from evonas_cli.training.loop import Member, fit


def plain() -> Population:
    """A network of which an example's output depends on that example alone."""
    graph = Graph((1, 8, 8))
    x = graph.add("relu", graph.add("conv", graph.input, channels=6, kernel=3))
    plan = graph.plan(graph.add("linear", graph.add("flatten", x), features=4))
    return Population([Network(plan, torch.Generator().manual_seed(3))])


@pytest.mark.parametrize("size", [16, 17])
@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_gradients_add_up_to_the_batchs(size: int, weights: str) -> None:
    settings = trainer(epochs=2, batch_size=size, precision="fp32", class_weights=weights, label_smoothing=0.1)
    found = {}
    for parts in (1, 2, 3):
        population = plain()
        exercise = FeedForward(population, {0: settings}, resident(), SEED, parts=parts)
        [outcome] = fit(exercise, [Member(settings, 2, Checkpoint())])
        found[parts] = outcome, torch.cat([p.detach().flatten() for p in population.parameters()])
    for parts in (2, 3):
        assert torch.allclose(found[parts][1], found[1][1], atol=1e-5)
        assert found[parts][0]["train_loss"] == pytest.approx(found[1][0]["train_loss"], rel=1e-5)
        assert found[parts][0]["passes"] == found[1][0]["passes"]


def test_less_is_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: dict[bool, set[int]] = {True: set(), False: set()}
    forward = Population.forward

    def seen(self: Population, x: torch.Tensor) -> torch.Tensor:
        sizes[self.training].add(len(x))
        return forward(self, x)

    monkeypatch.setattr(Population, "forward", seen)
    settings = trainer(epochs=1, batch_size=16, eval_batch_size=20)
    fit(FeedForward(small(), {0: settings}, resident(), SEED, parts=2), [Member(settings, 1, Checkpoint())])
    assert sizes[True] == {8} and max(sizes[False]) == 10


def test_checkpoints_of_parts_are_for_parts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = trainer(epochs=3, batch_size=16, checkpoint_seconds=0)

    def trained(parts: int, checkpoint: Checkpoint) -> dict[str, float]:
        exercise = FeedForward(small(), {0: settings}, resident(), SEED, parts=parts)
        [outcome] = fit(exercise, [Member(settings, 3, checkpoint)])
        assert isinstance(outcome, dict)
        return {name: value for name, value in outcome.items() if name != "train_seconds"}

    whole, parted = trained(1, Checkpoint()), trained(2, Checkpoint())
    assert whole != parted
    for parts, wanted in ((2, parted), (1, whole)):
        with pytest.raises(Interrupted):
            trained(2, InterruptedAfter(2, tmp_path))
        with caplog.at_level(logging.WARNING):
            caplog.clear()
            assert trained(parts, Checkpoint(tmp_path, 0.0)) == wanted
        assert ("in other batches" in caplog.text) == (parts == 1)
