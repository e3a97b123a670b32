"""What people are told of a training while it goes on, and that no bit of the training depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import torch
from quadrants import SEED, network, resident, same_bits, trainer, without_times

from evonas_cli.core.types import Training
from evonas_cli.data.copying import Copy
from evonas_cli.network.language import LanguagePlan
from evonas_cli.network.task import Task
from evonas_cli.nn.recurrent import LanguageModel
from evonas_cli.nn.stacked.population import Population
from evonas_cli.spaces.rnn_cell import NASCELL, RnnCell
from evonas_cli.training.backpropagation import ThroughTime
from evonas_cli.training.batches.windows import Reading
from evonas_cli.training.checkpoint import Checkpoint
from evonas_cli.training.exercise import Diverged, Outcome
from evonas_cli.training.feed_forward import FeedForward
from evonas_cli.training.loop import Member, fit
from evonas_cli.training.reporter import SECONDS, Reporter


class Hours:
    """A clock on which whatever lies between two looks took an hour, so that each step is told."""

    def __init__(self) -> None:
        self._times: Iterator[int] = count(0, 3600)

    def __call__(self) -> float:
        return float(next(self._times))


def trained(
    told: list[Training] | None, epochs: tuple[int, ...] = (2, 3), width: int = 2, **changes: float | None
) -> tuple[Population, list[Outcome], list[Member]]:
    population = Population([network(seed) for seed in range(width)])
    members = [Member(trainer(**changes), own, Checkpoint(), place) for place, own in enumerate(epochs)]
    reporter = None if told is None else Reporter([7, 9], told.append, Hours())
    exercise = FeedForward(population, {m.place: m.trainer for m in members}, resident(), SEED, reporter=reporter)
    return population, fit(exercise, members, reporter), members


@pytest.mark.parametrize("every", [1, None])
def test_reports_change_no_bit_and_say_how_far_it_is(every: int | None) -> None:
    told: list[Training] = []
    plain, expected, _ = trained(None, validate_every=every)
    watched, found, members = trained(told, validate_every=every)
    assert same_bits(plain, watched)
    for one, other in zip(found, expected, strict=True):
        assert isinstance(one, dict) and isinstance(other, dict) and without_times(one) == without_times(other)
    assert {one.ids for one in told} == {(7, 9)} and {one.epochs for one in told} == {3}
    begun = [one for one in told if not one.share]
    assert [one.epoch for one in begun] == [1, 2, 3] and begun[0].values == {}
    assert [one.share for one in told if one.epoch == 2] == [0.0, *[step / 6 for step in range(1, 7)]]
    curves = [member.curves for member in members]
    if every:
        assert begun[1].values["train_loss"] == min(curve["train_loss"][0] for curve in curves)
        assert begun[1].values["valid_error"] == min(curve["valid_error"][0] for curve in curves)
    else:
        assert set(begun[1].values) == {"train_loss"}
    last = told[-1].values["train_loss"]
    assert last == pytest.approx(found[1]["train_loss"], rel=1e-6) if isinstance(found[1], dict) else False


def test_who_diverges_and_places_without_a_member_are_no_best() -> None:
    told: list[Training] = []
    _, outcomes, _ = trained(told, epochs=(2,), width=3, learning_rate=1e30)
    assert isinstance(outcomes[0], Diverged)
    losses = [one.values["train_loss"] for one in told if one.values]
    assert all(0 < loss < float("inf") for loss in losses)


def test_a_loss_is_looked_at_when_it_is_time() -> None:
    now, told, looked = 0.0, list[Training](), list[int]()
    reporter = Reporter([3], told.append, lambda: now)

    def losses(steps: int) -> list[float]:
        looked.append(steps)
        return [float("nan"), 1 / steps]

    reporter.epoch(1, 2, [1], lambda: {})
    reporter.step(1, 4, losses)
    assert not looked and told == [Training((3,), 1, 2)]
    now = SECONDS
    reporter.step(2, 4, losses)
    reporter.step(3, 4, losses)
    assert looked == [2] and told[1:] == [Training((3,), 1, 2, 0.5, {"train_loss": 0.5})]
    reporter.epoch(2, 2, [0], lambda: {"valid_error": 0.25})
    assert len(told) == 2, "the last report is not old enough"
    now = 2 * SECONDS
    reporter.step(1, 4, losses)
    assert told[2:] == [Training((3,), 2, 2, 0.25, {"valid_error": 0.25})], "a loss that is not finite is no news"


def test_nobody_is_told_and_nothing_looked_at() -> None:
    def asked(*steps: int) -> Any:
        raise AssertionError("nobody is told")

    reporter = Reporter(clock=Hours())
    reporter.epoch(1, 2, [0], asked)
    reporter.step(1, 4, asked)


def test_a_language_model_tells_of_its_updates() -> None:
    corpus = Copy(symbols=4, length=2, blanks=1, n_train=8, n_valid=2, n_test=1).corpus(0)
    space, cpu, told = RnnCell(), torch.device("cpu"), list[Training]()
    plan = LanguagePlan(space.decode_cell(space.from_json(NASCELL)), len(corpus.vocabulary), 6)
    task = Task((20,), len(corpus.vocabulary), "tokens", vocabulary=len(corpus.vocabulary))
    settings = trainer("language", epochs=2, batch_size=4)
    reporter = Reporter([5], told.append, Hours())
    parts = [Reading(part, 20, cpu, "training") for part in (corpus.train, corpus.valid)]
    model = LanguageModel(plan, 0.0, torch.Generator().manual_seed(0))
    exercise = ThroughTime(model, settings, task, *parts, 2, reporter)
    [outcome] = fit(exercise, [Member(settings, 2, Checkpoint())], reporter)
    assert isinstance(outcome, dict)
    steps = exercise.steps_per_epoch
    assert [(one.epoch, one.share) for one in told] == [
        (epoch, done / steps) for epoch in (1, 2) for done in range(steps + 1)
    ]
    assert told[-1].values["train_loss"] == outcome["train_loss"]
    assert "valid_perplexity" in told[-1].values and "valid_perplexity" not in told[steps].values
