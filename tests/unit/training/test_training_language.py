"""Reading a corpus in windows, and truncated backpropagation through them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from evonas_cli.data.copying import Copy
from evonas_cli.data.sequences import Sequences, stream
from evonas_cli.nn.recurrent import LanguageModel
from evonas_cli.spaces.rnn_cell import NASCELL, RnnCell
from evonas_cli.training.candidates import language
from evonas_cli.training.candidates.language import Reading, Window
from evonas_cli.training.candidates.language_settings import LanguageSettings

CPU = torch.device("cpu")
SPACE = RnnCell()


def settings(**changes: Any) -> LanguageSettings:
    plain = {"hidden": 6, "steps": 1, "batch_size": 2, "unroll": 5, "learning_rate": 0.01, "dropout": 0.0}
    return LanguageSettings(**{**plain, "clip_norm": None, **changes})


def model() -> LanguageModel:
    return LanguageModel(SPACE.decode_cell(SPACE.from_json(NASCELL)), 26, 6, 0.0, torch.Generator().manual_seed(0))


def windows(part: Sequences, **changes: Any) -> Iterator[Window]:
    return Reading(part, CPU).train_windows(2, settings(**changes))


def test_a_text_is_read_on_where_the_last_window_ended() -> None:
    part = stream(np.arange(26))
    reading = windows(part, batch_size=2, unroll=5)
    first, second, third, fourth = (next(reading) for _ in range(4))
    assert [window.fresh for window in (first, second, third, fourth)] == [True, False, False, True]
    assert [len(window.inputs) for window in (first, second, third)] == [5, 5, 2]
    rows = torch.cat([window.inputs for window in (first, second, third)])
    assert torch.equal(rows[1:] % 25, (rows[:-1] + 1) % 25)
    assert torch.equal(torch.cat([first.targets, second.targets])[:-1] % 25, rows[1:10] % 25)
    assert not torch.equal(first.inputs, fourth.inputs)


def test_an_epoch_has_each_sequence_once() -> None:
    part = Copy(symbols=2, length=5, blanks=0, n_train=12, n_valid=1, n_test=1).corpus(0).train
    reading = windows(part, batch_size=4, unroll=10)
    for _ in range(2):
        seen = torch.cat([next(reading).inputs for _ in range(3)], dim=1)
        assert sorted(seen.T.tolist()) == sorted(part.inputs.tolist())


def test_gradients_end_at_a_windows_beginning() -> None:
    state = tuple([torch.ones(2, 6, requires_grad=True) for _ in range(2)])
    tokens = torch.zeros(3, 2, dtype=torch.int64)
    inner = language.begin(model(), Window(tokens, tokens, [0], fresh=False), state)
    assert all(torch.equal(a, b) and not a.requires_grad for a, b in zip(inner, state, strict=True))
    fresh = language.begin(model(), Window(tokens, tokens, [0], fresh=True), state)
    assert [part.shape for part in fresh] == [(2, 6)] * 2 and not any(part.any() for part in fresh)


def test_a_cut_validation_is_the_whole_one() -> None:
    valid = Reading(stream(np.arange(26)), CPU)
    losses = [language.validate(model(), valid, settings(unroll=unroll))[0] for unroll in (25, 14, 13)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5) and losses[0] == pytest.approx(losses[2], rel=1e-5)


def test_a_text_is_validated_in_rows() -> None:
    valid = Reading(stream(np.arange(24) % 26), CPU)
    found = list(valid.valid_windows(settings(unroll=4)))
    assert torch.equal(torch.cat([window.inputs for window in found]), torch.arange(20).view(5, 4).T)


def test_windows_in_which_nothing_counts_carry_the_state() -> None:
    """The same symbols after more blanks: what is predicted at the marks depends on what came before them."""
    part = Copy(symbols=2, length=5, blanks=3, n_train=8, n_valid=1, n_test=1).corpus(0).train
    found = list(Reading(part, CPU).valid_windows(settings(unroll=4)))
    assert [window.scored for window in found] == [[], [], [0, 1, 2, 3], [0]]
    losses = [language.validate(model(), Reading(part, CPU), settings(unroll=unroll))[0] for unroll in (4, 13)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
