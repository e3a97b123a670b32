"""The run as a fold over its results: what is asked and told, in which order, is decided here and nowhere else.

Window rule: step s is asked when exactly the results of steps up to s - window have been told, in order. Neither the
order in which results arrive nor the number of workers can therefore change a run. A budget only ends a run: a longer
budget continues it as if it had been the longer one from the start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeAlias, TypeVar

from evonas_cli.core.demands import check_proposal
from evonas_cli.core.errors import UsageError
from evonas_cli.core.front import RunFront
from evonas_cli.core.gate import is_refused
from evonas_cli.core.guard import proposed
from evonas_cli.core.protocols import Strategy
from evonas_cli.core.rng import LazyStream, derive, stream
from evonas_cli.core.types import Candidate, Constraint, Evaluation, Objective, Result

G = TypeVar("G")
HOPELESS = 1000
BARRED = 20
REPEATING = 10_000
Batch: TypeAlias = tuple[Candidate[G], ...]


@dataclass(frozen=True)
class Budget:
    """When a run ends: evaluations asked, seconds spent running, or the summed `cost` metric. None means no limit."""

    evaluations: int | None = None
    seconds: float | None = None
    cost: float | None = None

    def __post_init__(self) -> None:
        if self.evaluations is None and self.seconds is None and self.cost is None:
            raise UsageError("budget has no limit; set budget.evaluations, budget.seconds or budget.cost")
        for name in ("evaluations", "seconds", "cost"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"budget.{name} is {value}; it must be above 0 (or null for no limit)")


@dataclass(slots=True)
class Position(Generic[G]):
    """Where the fold stands between two steps; with the strategy's state all that a snapshot holds.

    `asked` counts the steps that the strategy was asked for, `told` those whose results the strategy was given;
    `pending` holds the batches in between. `cost` is the sum over told candidates in the order of ids, and `over` the
    first id that exceeded budget.cost. `succeeded` says that at least one candidate succeeded. `cached` counts copied
    results, and `repeats` those of the newest steps that held copies only. `refused` counts the candidates that were
    not evaluated because of a constraint on what is known before training.

    The fold changes one position in place and gives copies away: a new value for each count takes a tenth of the time
    of a cheap step.
    """

    asked: int = 0
    told: int = 0
    next_id: int = 0
    told_evaluations: int = 0
    cost: float = 0.0
    over: int | None = None
    succeeded: bool = False
    cached: int = 0
    repeats: int = 0
    refused: int = 0
    pending: tuple[tuple[Candidate[G], ...], ...] = ()


@dataclass(slots=True)
class _Step(Generic[G]):
    batch: Batch[G]
    results: dict[int, Result] = field(default_factory=dict)


class Fold(Generic[G]):
    """Drives one strategy.

    `front` is the run's front of everything told. `settled` is the strategy's state as the last tell left it; later
    asks may have changed the state since. `telling` is true within a tell. `jobs` says by name what each job of the run
    honours of a proposal (see `check_proposal`); None: proposals are not checked.

    A candidate that violates `constraints` is told without losses, as a failure, to a strategy whose demands do not
    say that it ranks violations: every algorithm then prefers a candidate that satisfies all constraints.

    `reference` is the point, in losses, up to which the front's hypervolume is measured; None: the first steps fix it.
    """

    def __init__(
        self,
        strategy: Strategy[G, Any],
        objectives: Sequence[Objective],
        seed: int,
        window: int,
        budget: Budget,
        constraints: Sequence[Constraint] = (),
        jobs: dict[str, frozenset[str]] | None = None,
        reference: tuple[float, ...] | None = None,
    ) -> None:
        if window < 1:
            raise UsageError(f"window is {window}; it must be 1 or more")
        least = strategy.least_evaluations
        if budget.evaluations is not None and budget.evaluations < least:
            raise UsageError(
                f"budget.evaluations={budget.evaluations} is smaller than the {least} evaluations of the first "
                f"population, batch, bracket or schedule of {type(strategy).__name__}; raise the budget or make that "
                "smaller"
            )
        self.strategy, self.objectives, self.seed, self.window = strategy, tuple(objectives), seed, window
        self.budget, self.constraints, self.jobs = budget, tuple(constraints), jobs
        self.reference, self._ranks_violations = reference, strategy.demands.violations
        self.state: Any = strategy.init(stream(seed, "init"))
        self.settled, self.telling = self.state, False
        self.front = RunFront(self.objectives, self.constraints, budget.cost)
        self.finished = False
        self.drained = False
        self.cut_steps = 0
        self._at: Position[G] = Position()
        self._pending: deque[_Step[G]] = deque()
        self._missing = 0

    @property
    def position(self) -> Position[G]:
        """A copy of the place of the fold."""
        at, front = self._at, self.front
        return replace(at, cost=front.cost, over=front.over, pending=tuple([step.batch for step in self._pending]))

    @property
    def told(self) -> int:
        """How many steps have been told."""
        return self._at.told

    @property
    def told_evaluations(self) -> int:
        """How many evaluations these steps had."""
        return self._at.told_evaluations

    def restore(
        self, position: Position[G], state: Any, front: Sequence[tuple[int, Sequence[float]]], fidelity: float
    ) -> list[Candidate[G]]:
        """Goes to a place saved earlier, with the members of the front there, which have this fidelity; returns the
        candidates that were pending there."""
        self._at, self.state, self.settled = replace(position, pending=()), state, state
        self.front.cost, self.front.over = position.cost, position.over
        self.front.restore(front, fidelity)
        return [candidate for batch in position.pending for candidate in self._open(batch)]

    @property
    def next_id(self) -> int:
        """The id that the next candidate gets."""
        return self._at.next_id

    @property
    def hopeless(self) -> bool:
        """Whether a run without a limit of evaluations has had nothing but failures, so many that it must end."""
        at = self._at
        return self.budget.evaluations is None and at.told_evaluations >= HOPELESS and not at.succeeded

    @property
    def barred(self) -> bool:
        """Whether the run must end because its first candidates, BARRED of them and at least a first population, were
        all refused: the constraints on what is known before training leave nothing to evaluate."""
        at = self._at
        first = max(BARRED, self.strategy.least_evaluations)
        return first <= at.told_evaluations == at.refused

    @property
    def repeating(self) -> bool:
        """Whether a run without a limit of evaluations has asked for nothing new so long that it must end."""
        return self.budget.evaluations is None and self._at.repeats >= REPEATING

    def wants_ask(self) -> bool:
        """Whether the window and the budget allow the next step to be asked now."""
        at, budget = self._at, self.budget
        if self.finished or len(self._pending) >= self.window or self.front.over is not None or self.barred:
            return False
        if budget.evaluations is None:
            if self.hopeless or self.repeating:
                return False
        elif at.next_id >= budget.evaluations:
            return False
        return budget.cost is None or self.front.cost < budget.cost

    def ask(self) -> Sequence[Candidate[G]]:
        """Asks the next step; returns the candidates that the budget still covers. Empty: the strategy is done."""
        at = self._at
        answer = self.strategy.ask(self.state, stream(self.seed, "ask", at.asked))
        proposals, self.state = proposed(self.strategy, answer)
        if not proposals:
            self.finished = True
            return []
        if self.jobs is not None:
            for id, proposal in enumerate(proposals, at.next_id):
                check_proposal(proposal, id, self.jobs)
        batch = tuple(
            [
                Candidate(id, at.asked, derive(self.seed, "candidate", id), proposal)
                for id, proposal in enumerate(proposals, at.next_id)
            ]
        )
        at.asked += 1
        at.next_id += len(batch)
        return self._open(batch)

    def _open(self, batch: Batch[G]) -> Batch[G]:
        limit = self.budget.evaluations
        covered = batch if limit is None or batch[-1].id < limit else tuple([c for c in batch if c.id < limit])
        self._pending.append(_Step(batch))
        self._missing += len(covered)
        return covered

    def asked(self, step: int) -> Batch[G]:
        """All candidates of a pending step, those beyond the budget as well."""
        return self._pending[step - self._at.told].batch

    @property
    def missing(self) -> int:
        """How many pending candidates inside the budget have no result yet."""
        return self._missing

    def add(self, candidate: Candidate[G], result: Result) -> None:
        """Takes the result of a pending candidate."""
        self._pending[candidate.step - self._at.told].results[candidate.id] = result
        self._missing -= 1

    def ready(self) -> bool:
        """Whether every result of the oldest pending step has arrived."""
        return bool(self._pending) and len(self._pending[0].results) == len(self._pending[0].batch)

    def tell(self) -> None:
        """Tells the oldest pending step, which must be ready.

        Telling before the window is full happens only at the end of a budget. From then on the state is good for a
        report but not for going on with a longer budget, which `drained` says.
        """
        self.telling = True
        self.drained = self.drained or len(self._pending) < self.window
        step, at = self._pending.popleft(), self._at
        cached = at.cached
        told = [self._count(candidate, step.results[candidate.id]) for candidate in step.batch]
        copied = at.cached - cached == len(told)
        self.state = self.strategy.tell(self.state, told, LazyStream(self.seed, "tell", at.told))
        at.told += 1
        at.told_evaluations += len(told)
        at.repeats = at.repeats + len(told) if copied else 0
        self.drained = self.drained or self.front.over is not None
        self.settled, self.telling = self.state, False

    @property
    def front_step(self) -> int:
        """The last step whose results are in the front."""
        return self._at.told - 1 + self.cut_steps

    def close(self) -> None:
        """Adds the results of steps that the budget cut to the front. The strategy is not told them.

        Where the time was over before some of them had come, a limit of cost covers those before the first that is
        missing: what comes after it may cost too much under a longer budget.
        """
        whole = True
        for count, step in enumerate(self._pending, start=1):
            for candidate in step.batch:
                if candidate.id not in step.results:
                    whole = False
                elif whole or self.budget.cost is None:
                    self._count(candidate, step.results[candidate.id])
                    self.cut_steps = count

    def _count(self, candidate: Candidate[G], result: Result) -> Evaluation[G]:
        (evaluation, _), at = self.front.take(candidate, result), self._at
        if result.cached is not None:
            at.cached += 1
        if is_refused(result):
            at.refused += 1
        if evaluation.losses is not None:
            at.succeeded = True
        if evaluation.violation and not self._ranks_violations:
            return replace(evaluation, losses=None)
        return evaluation
