"""What the front of a run is, in the one place that decides it: which candidates may stand on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from evonas_cli.core.pareto import Front, Point
from evonas_cli.core.types import Candidate, Constraint, Evaluation, Objective, Proposal, Result

G = TypeVar("G")


class RunFront:
    """The non-dominated candidates of a run, as far as results were taken.

    A candidate stands on the front when it was evaluated by the run's own job and succeeded, when it violates no
    constraint, and when the sum of `cost` up to and with it, in the order of ids, is within `limit`. Only candidates
    of the highest fidelity are compared: as soon as a full training has succeeded, only full trainings stand there.

    `cost` is summed in the order of taking; `over` is the first id that no longer fitted the limit. Without a limit the
    order in which results are taken does not matter.
    """

    def __init__(
        self, objectives: Sequence[Objective], constraints: Sequence[Constraint] = (), limit: float | None = None
    ) -> None:
        self.objectives, self.constraints, self.limit = tuple(objectives), tuple(constraints), limit
        self.cost = 0.0
        self.over: int | None = None
        self.fidelity = 0.0
        self._front = Front()

    @property
    def members(self) -> tuple[Point, ...]:
        """Sorted by losses, first objective first, then id."""
        return self._front.members

    def take(self, candidate: Candidate[G], result: Result) -> tuple[Evaluation[G], bool]:
        """Takes a result, which may be no part of the front; returns its evaluation and whether it has joined."""
        evaluation = evaluate(candidate, result, self.objectives, self.constraints)
        if "cost" in result.metrics and self.over is None:
            self.cost += result.metrics["cost"]
            if self.limit is not None and self.cost > self.limit:
                self.over = candidate.id
        joined = self.over is None and counts(candidate.proposal, evaluation) and self._add(candidate, evaluation)
        return evaluation, joined

    def restore(self, members: Sequence[tuple[int, Sequence[float]]], fidelity: float) -> None:
        """Takes members that were saved earlier in the place of its own; all have this fidelity."""
        self._front, self.fidelity = Front(), fidelity
        for id, losses in members:
            self._front.add(id, losses)

    def _add(self, candidate: Candidate[Any], evaluation: Evaluation[Any]) -> bool:
        fidelity = candidate.proposal.fidelity
        if fidelity < self.fidelity:
            return False
        if fidelity > self.fidelity:
            self._front, self.fidelity = Front(), fidelity
        return self._front.add(candidate.id, evaluation.losses or ())


def counts(proposal: Proposal[Any], evaluation: Evaluation[Any]) -> bool:
    """Whether the candidate can be an outcome of the run: evaluated by its own job, succeeded, within constraints."""
    return not proposal.job and evaluation.losses is not None and not evaluation.violation


def is_outcome(
    candidate: Candidate[Any], result: Result, objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> bool:
    """Whether the candidate counts, and was evaluated at full fidelity: what runs are compared by."""
    full = candidate.proposal.fidelity == 1.0
    return full and counts(candidate.proposal, evaluate(candidate, result, objectives, constraints))


def evaluate(
    candidate: Candidate[G], result: Result, objectives: Sequence[Objective], constraints: Sequence[Constraint] = ()
) -> Evaluation[G]:
    """What the objectives and constraints make of a result.

    A failure has no losses, and neither has a candidate of another job, whose metrics are other ones. Losses of a
    candidate that violates constraints stay beside its `violation`.
    """
    proposal, metrics, more = candidate.proposal, result.metrics, (result.curves, result.descriptor)
    if result.status != "ok" or proposal.job:
        return Evaluation(candidate.id, proposal.genome, None, result.payload, metrics, 0.0, *more, proposal.parents)
    losses = tuple([objective.loss(metrics) for objective in objectives])
    violation = sum([constraint.excess(metrics) for constraint in constraints]) if constraints else 0.0
    return Evaluation(
        candidate.id, proposal.genome, losses, result.payload, metrics, violation, *more, proposal.parents
    )
