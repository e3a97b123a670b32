"""Stopping by extrapolated curves: who is stopped, who is not, and what the figures count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.types import Candidate, Objective, Result
from evonas_cli.spaces.bits import Bits
from evonas_cli.strategies.extrapolation import Extrapolation
from evonas_cli.strategies.random import RandomSearch

SPACE: Any = Bits(12)
OBJECTIVES = (Objective("valid_error", "min"),)
EPOCHS = 16


def extrapolation(**settings: Any) -> Extrapolation[Any]:
    return Extrapolation(space=SPACE, proposer=RandomSearch(space=SPACE), **settings)


def smooth(genome: Any, epoch: int) -> float:
    """A power law that ends higher the more ones a genome has."""
    return 0.05 * sum(genome) + 0.4 / epoch


class Course:
    """A run on curves; `first` are the candidates that are new, and `last` what each of them came to."""

    def __init__(self, strategy: Extrapolation[Any], evaluations: int, curve: Any = smooth, window: int = 1) -> None:
        fold: Fold[Any] = Fold(strategy, OBJECTIVES, 5, window, Budget(evaluations=evaluations))
        self.epochs: dict[int, int] = {}
        self.first: dict[int, int] = {}
        self.asked: list[Candidate[Any]] = []
        while fold.wants_ask():
            for candidate in fold.ask():
                fold.add(candidate, self._trained(candidate, curve))
            while fold.ready():
                fold.tell()
        self.figures: dict[str, Any] = dict(strategy.figures(fold.state))

    def _trained(self, candidate: Candidate[Any], curve: Any) -> Result:
        source, last = candidate.proposal.continues, round(EPOCHS * candidate.proposal.fidelity)
        before = 0 if source is None else self.epochs[source]
        assert last > before, "each stage trains something"
        self.asked.append(candidate)
        self.epochs[candidate.id] = last
        self.first[candidate.id] = candidate.id if source is None else self.first[source]
        rows = list(range(before + 1, last + 1))
        losses = [curve(candidate.proposal.genome, epoch) for epoch in rows]
        return Result(candidate.id, "ok", {"valid_error": losses[-1]}, curves={"epoch": rows, "valid_error": losses})

    def reached(self) -> dict[int, int]:
        """Epochs that each candidate was trained for, by the id of its first stage."""
        found: dict[int, int] = {}
        for id, epochs in self.epochs.items():
            found[self.first[id]] = max(epochs, found.get(self.first[id], 0))
        return found


def test_the_first_candidates_are_trained_in_full_and_the_others_in_stages() -> None:
    course = Course(extrapolation(full=2), 30)
    fidelities = [c.proposal.fidelity for c in course.asked if c.proposal.continues is None]
    assert fidelities[:2] == [1.0, 1.0] and set(fidelities[2:]) == {0.25}
    assert {round(EPOCHS * f) for f in extrapolation()._stages} == {4, 6, 8, 10, 12, 14, 16}


@pytest.mark.parametrize("window", [1, 4])
def test_what_cannot_win_stops_and_what_wins_is_trained_to_the_end(window: int) -> None:
    course = Course(extrapolation(audit=0.0), 80, window=window)
    genomes = {c.id: c.proposal.genome for c in course.asked}
    reached = dict(list(course.reached().items())[: -window - 1])
    ones = {id: sum(genomes[id]) for id in reached}
    finished = [ones[id] for id, epochs in reached.items() if epochs == EPOCHS]
    assert min(finished) == min(ones.values()), "on curves without noise the best one is never stopped"
    assert all(epochs < EPOCHS for id, epochs in reached.items() if id and ones[id] > ones[0])
    assert course.figures["stopped"] > 10 and course.figures["wrongly_stopped"] == 0
    assert course.figures["epochs_saved"] > 0.4


def test_every_stopped_candidate_that_is_audited_is_trained_to_the_end() -> None:
    course = Course(extrapolation(audit=1.0), 60)
    assert course.figures["stopped"] > 5
    assert set(list(course.reached().values())[:-1]) == {EPOCHS}
    assert course.figures["epochs_saved"] == 0.0
    assert course.figures["audited"] >= course.figures["stopped"] - 1
    assert course.figures["wrongly_stopped"] == 0 and course.figures["regret"] == 0.0


def test_a_candidate_that_turns_late_is_counted_as_wrongly_stopped() -> None:
    usual: list[int] = []

    def late(genome: Any, epoch: int) -> float:
        """Flat at 0.3 where the first bit is that of the first candidate, else at 0.5 until epoch 12, then at 0.1."""
        usual.append(genome[0])
        return 0.3 if genome[0] == usual[0] else 0.1 if epoch > 12 else 0.5

    audited = Course(extrapolation(audit=1.0), 60, late).figures
    assert audited["wrongly_stopped"] == audited["audited"] > 5
    assert audited["regret"] == pytest.approx(0.2)
    usual.clear()
    blind = Course(extrapolation(audit=0.0), 60, late).figures
    assert blind["audited"] == 0 and blind["regret"] is None


def test_another_objective_than_the_curves_metric_is_refused() -> None:
    strategy = extrapolation()
    with pytest.raises(UsageError, match="extrapolates valid_error .* first objective is valid_accuracy"):
        strategy.check_objectives([Objective("valid_accuracy", "max")])


def test_a_job_without_curves_is_named() -> None:
    strategy = extrapolation(full=1)
    fold: Fold[Any] = Fold(strategy, OBJECTIVES, 5, 1, Budget(evaluations=9))
    with pytest.raises(UsageError, match=r"strategy.metric=valid_error: the job's curves have no such column"):
        for _ in range(2):
            [candidate] = fold.ask()
            fold.add(candidate, Result(candidate.id, "ok", {"valid_error": 0.5}))
            fold.tell()


def test_stages_reach_the_end_whatever_the_steps() -> None:
    for every in (0.1, 0.3, 0.7, 1.0):
        stages = replace(extrapolation(), every=every)._stages
        assert stages[-1] == 1.0 and list(stages) == sorted(set(stages)) and stages[-2] < 1 - 1e-6
