"""Reading a corpus in windows, and truncated backpropagation through them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain, count

import numpy as np
import pytest
import torch
from quadrants import trainer

from evonas_cli.core.errors import UsageError
from evonas_cli.core.halting import Deadline, Halted
from evonas_cli.data.copying import Copy
from evonas_cli.data.sequences import Sequences, stream
from evonas_cli.network.language import LanguagePlan
from evonas_cli.network.task import Task
from evonas_cli.nn.recurrent import LanguageModel
from evonas_cli.spaces.rnn_cell import NASCELL, RnnCell
from evonas_cli.training import backpropagation
from evonas_cli.training.backpropagation import ThroughTime, begin
from evonas_cli.training.batches.windows import Reading, Window

CPU = torch.device("cpu")
SPACE = RnnCell()
PLAN = LanguagePlan(SPACE.decode_cell(SPACE.from_json(NASCELL)), 26, 6)
TASK = Task((5,), 26, "tokens", 26)


def model() -> LanguageModel:
    return LanguageModel(PLAN, 0.0, torch.Generator().manual_seed(0))


def reading(part: Sequences, unroll: int = 5) -> Reading:
    return Reading(part, unroll, CPU, "training")


def exercise(part: Sequences, unroll: int = 5, **settings) -> ThroughTime:
    given = trainer("language", batch_size=2, **settings)
    return ThroughTime(model(), given, TASK, reading(part, unroll), reading(part, unroll), run_seed=2)


def valid_loss(part: Sequences, unroll: int) -> float:
    found = exercise(part, unroll).validate([0], "valid")[0]
    assert isinstance(found, dict)
    return found["loss"]


def windows(part: Sequences, batch_size: int, unroll: int) -> Iterator[Window]:
    """Those of all epochs, one after the other."""
    read = reading(part, unroll)
    return chain.from_iterable(read.epoch(batch_size, 2, epoch) for epoch in count())


def test_a_text_is_read_on_where_the_last_window_ended() -> None:
    part = stream(np.arange(26))
    found = windows(part, batch_size=2, unroll=5)
    first, second, third, fourth = (next(found) for _ in range(4))
    assert [window.fresh for window in (first, second, third, fourth)] == [True, False, False, True]
    assert [len(window.inputs) for window in (first, second, third)] == [5, 5, 2]
    rows = torch.cat([window.inputs for window in (first, second, third)])
    assert torch.equal(rows[1:] % 25, (rows[:-1] + 1) % 25)
    assert torch.equal(torch.cat([first.targets, second.targets])[:-1] % 25, rows[1:10] % 25)
    assert not torch.equal(first.inputs, fourth.inputs)


def test_an_epoch_has_each_sequence_once() -> None:
    part = Copy(symbols=2, length=5, blanks=0, n_train=12, n_valid=1, n_test=1).corpus(0).train
    found = windows(part, batch_size=4, unroll=10)
    for _ in range(2):
        seen = torch.cat([next(found).inputs for _ in range(3)], dim=1)
        assert sorted(seen.T.tolist()) == sorted(part.inputs.tolist())


def test_gradients_end_at_a_windows_beginning() -> None:
    state = tuple([torch.ones(2, 6, requires_grad=True) for _ in range(2)])
    tokens = torch.zeros(3, 2, dtype=torch.int64)
    inner = begin(model(), Window(tokens, tokens, [0], fresh=False), state)
    assert all(torch.equal(a, b) and not a.requires_grad for a, b in zip(inner, state, strict=True))
    fresh = begin(model(), Window(tokens, tokens, [0], fresh=True), state)
    assert [part.shape for part in fresh] == [(2, 6)] * 2 and not any(part.any() for part in fresh)


def test_a_cut_validation_is_the_whole_one() -> None:
    losses = [valid_loss(stream(np.arange(26)), unroll) for unroll in (25, 14, 13)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5) and losses[0] == pytest.approx(losses[2], rel=1e-5)


def test_a_text_is_validated_in_rows() -> None:
    found = list(reading(stream(np.arange(24) % 26), unroll=4).once(256))
    assert torch.equal(torch.cat([window.inputs for window in found]), torch.arange(20).view(5, 4).T)


def test_windows_in_which_nothing_counts_carry_the_state() -> None:
    """The same symbols after more blanks: what is predicted at the marks depends on what came before them."""
    part = Copy(symbols=2, length=5, blanks=3, n_train=8, n_valid=1, n_test=1).corpus(0).train
    found = list(reading(part, unroll=4).once(256))
    assert [window.scored for window in found] == [[], [], [0, 1, 2, 3], [0]]
    losses = [valid_loss(part, unroll) for unroll in (4, 13)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize(("unroll", "updates", "passes"), [(13, 4, 3 * 104), (4, 8, 3 * 40 + 64)])
def test_an_epoch_is_counted(unroll: int, updates: int, passes: int) -> None:
    """8 sequences of 13 steps, two side by side; with windows of 4 the first 8 steps update nothing."""
    part = Copy(symbols=2, length=5, blanks=3, n_train=8, n_valid=1, n_test=1).corpus(0).train
    made = exercise(part, unroll)
    assert (made.steps_per_epoch, made.passes_per_epoch) == (updates, passes)
    [loss] = made.epoch([[0.01]] * updates, 0)
    assert 0 < loss < 10


def test_rates_are_those_of_the_steps() -> None:
    part, started = stream(np.arange(26)), model().state_dict()
    still, last = exercise(part), exercise(part)
    steps = still.steps_per_epoch
    still.epoch([[0.0]] * steps, 0)
    last.epoch([[0.0]] * (steps - 1) + [[0.1]], 0)
    assert all(torch.equal(value, started[key]) for key, value in still.model.state_dict().items())
    moved = [(value - started[key]).abs().max().item() for key, value in last.model.state_dict().items()]
    assert all(0.05 < distance < 0.11 for distance in moved)


def test_a_gradient_has_at_most_the_norm_asked_for() -> None:
    """Plain gradient descent moves the weights by the learning rate times the clipped norm."""
    part, started = stream(np.arange(12)), model().state_dict()
    made = exercise(part, unroll=11, optimizer="sgd", momentum=0.0, nesterov=False, clip_norm=0.001)
    assert made.steps_per_epoch == 1
    made.epoch([[1.0]], 0)
    squares = sum((value - started[key]).square().sum().item() for key, value in made.model.state_dict().items())
    assert squares**0.5 == pytest.approx(0.001, rel=1e-2)


def test_a_loss_that_is_no_number_ends_the_epoch_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backpropagation, "GLANCE", 2)
    made = exercise(stream(np.arange(700) % 26))
    with torch.no_grad():
        made.model.embedding.fill_(float("nan"))
    updates = []
    monkeypatch.setattr(made.optimizer, "step", lambda gradients, rates: updates.append(rates))
    [loss] = made.epoch([[0.01]] * made.steps_per_epoch, 0)
    assert loss != loss and len(updates) == 2 < made.steps_per_epoch


def test_lower_precision_computes_nearly_the_same() -> None:
    part = stream(np.arange(60) % 26)
    full, half = (exercise(part, precision=precision) for precision in ("fp32", "bf16"))
    rates = [[0.01]] * full.steps_per_epoch
    assert half.epoch(rates, 0)[0] == pytest.approx(full.epoch(rates, 0)[0], rel=0.02)
    assert half.epoch(rates, 1) != full.epoch(rates, 1)


def test_weights_of_another_model_are_refused() -> None:
    other = LanguageModel(LanguagePlan(PLAN.cell, 26, 7), 0.0, torch.Generator().manual_seed(0))
    before = {key: value.clone() for key, value in other.state_dict().items()}
    with pytest.raises(ValueError, match="the saved weights are those of a different network"):
        other.load_member(0, model().member(0))
    assert all(torch.equal(value, before[key]) for key, value in other.state_dict().items())


def test_a_part_in_which_nothing_counts_is_refused() -> None:
    tokens = np.zeros((2, 3), dtype=np.int64)
    for inputs, scored in ((tokens, np.zeros(3, dtype=np.bool_)), (tokens[:0], np.ones(3, dtype=np.bool_))):
        with pytest.raises(UsageError, match="the training part of the data set has no token that is to be predicted"):
            reading(Sequences(inputs=inputs, targets=inputs, scored=scored, stream=False))


def test_a_window_that_is_overdue_ends_the_epoch() -> None:
    part, over = stream(np.arange(26)), Deadline(-math.inf, -math.inf)
    given, read = trainer("language", batch_size=2), reading(part)
    halting = ThroughTime(model(), given, TASK, read, read, run_seed=2, halt=over)
    with pytest.raises(Halted) as error:
        halting.epoch([[0.1]] * halting.steps_per_epoch, 0)
    assert error.value.within
