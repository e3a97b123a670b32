"""The loop: ask, evaluate, record, tell. A resumed run is the same loop over a store that already knows results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from evonas_cli.core.cache import Cache
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Evaluator
from evonas_cli.core.fold import Fold
from evonas_cli.core.gate import Gate
from evonas_cli.core.guard import guard, required
from evonas_cli.core.halting import Deadline, Ended, StopRequest
from evonas_cli.core.scalarize import Reward
from evonas_cli.core.types import Candidate, Result, Unit

G = TypeVar("G")


class RunStore(Protocol[G]):
    """Keeps what a run has found out."""

    def restore(self, fold: Fold[G]) -> list[Candidate[G]]:
        """Brings the fold to the last snapshot; returns the candidates pending there."""

    def told_results(self, fold: Fold[G]) -> Iterable[tuple[Candidate[G], Result]]:
        """What was recorded for the candidates told before that snapshot, by id."""

    def result(self, candidate: Candidate[G]) -> Result | None:
        """What an earlier session of the run recorded for the candidate. Raises RunError when it was another one."""

    def record(self, arrived: Sequence[tuple[Candidate[G], Result]]) -> None:
        """Makes results durable before the strategy is told them."""

    def told(self, fold: Fold[G]) -> None:
        """Called after each tell: the place for snapshots."""


def search(
    fold: Fold[G],
    evaluator: Evaluator[G],
    store: RunStore[G],
    deadline: Callable[[], Deadline | None] = lambda: None,
    cache: Cache[G] | None = None,
    gate: Gate[G] | None = None,
    reward: Reward | None = None,
    request: StopRequest | None = None,
) -> Ended | None:
    """Runs the fold to the end of its budget, or until the `deadline`; returns what was stopped then.

    Nothing is asked or begun after the deadline (None: there is none now), and what is stopped is not recorded.
    `cache`, new or None, spares repeated candidates the evaluator; `gate` those that violate a constraint on what is
    known before training. `reward` is added to the metrics of each result of the run's own job. The deadline
    of a `request` to stop is among those of `deadline`; where it leaves something undone, its cause is raised.
    Raises EnvironmentFailure when the machine fails, UsageError for a part that does not keep to its interface;
    everything recorded until then stays.
    """
    cache = cache or Cache()
    loop = _Loop(fold, evaluator, store, deadline, cache, gate or Gate(), reward)
    pending = store.restore(fold)
    if cache.active:
        cache.recall(store.told_results(fold))
    loop.feed(pending)
    while True:
        while (asks := fold.wants_ask()) and not loop.over():
            loop.feed(fold.ask())
        loop.submit()
        if not asks and fold.ready():  # as under a longer budget, which would have asked first
            fold.tell()
            store.told(fold)
        elif not fold.missing or not loop.receive():
            break
    if request is not None and request.cause is not None and (fold.missing or fold.wants_ask()):
        request.ended = loop.ended or Ended()
        raise request.cause
    fold.close()
    return loop.ended


class _Loop(Generic[G]):
    """Carries candidates from the fold to the evaluator, and their results to the store and back to the fold.

    `ended` is None until the time is over while results are missing.
    """

    def __init__(
        self,
        fold: Fold[G],
        evaluator: Evaluator[G],
        store: RunStore[G],
        deadline: Callable[[], Deadline | None],
        cache: Cache[G],
        gate: Gate[G],
        reward: Reward | None,
    ) -> None:
        self._fold, self._evaluator, self._store, self._deadline = fold, evaluator, store, deadline
        self._cache, self._gate, self._reward = cache, gate, reward
        self._names = required(fold.objectives, fold.constraints, reward)
        self._in_flight: dict[int, Candidate[G]] = {}
        self._waiting: list[Candidate[G]] = []
        self.ended: Ended | None = None

    def over(self) -> bool:
        """Whether nothing may be asked or begun any more."""
        deadline = self._deadline()
        return self.ended is not None or (deadline is not None and deadline.due())

    def feed(self, candidates: Sequence[Candidate[G]]) -> None:
        """Gives the fold the results that are recorded already; the other candidates wait to be submitted."""
        unknown = []
        for candidate in candidates:
            known = self._store.result(candidate)
            if known is None:
                unknown.append(candidate)
                self._in_flight[candidate.id] = candidate
            else:
                self._fold.add(candidate, known)
                self._cache.learn(candidate, known)
        self._waiting += self._cache.admit(self._gate.admit(unknown))

    def submit(self) -> None:
        """Hands what waits to the evaluator, unless the time is over."""
        if self._waiting and not self.over():
            self._evaluator.submit(_units(self._fold, self._evaluator, self._waiting))
            self._waiting.clear()

    def receive(self) -> bool:
        """Waits for results, records them, then gives them to the fold; False when none comes because the time is over.

        Raises UsageError where none comes although it is not.
        """
        results = self._gate.refused() or self._cache.copies()
        if not results and self.ended is None:
            deadline = self._deadline()
            results = self._evaluator.collect(deadline)
            if not results and self._deadline() is None:
                raise UsageError("the evaluator's collect returned nothing; it must wait for a result")
            if not results:
                self.ended = self._evaluator.stop()
                results = list(self.ended.results)
        arrived = [self._guarded(result) for result in results]
        if arrived:
            self._store.record(arrived)
        for candidate, result in arrived:
            self._fold.add(candidate, result)
            self._waiting += self._cache.learn(candidate, result)
        return bool(arrived)

    def _guarded(self, result: Result) -> tuple[Candidate[G], Result]:
        """The candidate of a result, and the result as it is recorded; the reward is that of the run's own job."""
        candidate = _taken(self._in_flight, result)
        own = not candidate.proposal.job
        return candidate, guard(result, self._names, self._reward) if own else guard(result)


def _taken(in_flight: dict[int, Candidate[G]], result: Result) -> Candidate[G]:
    """The candidate of a result. Raises UsageError when an evaluator returns a result that was not asked for."""
    candidate = in_flight.pop(result.id, None)
    if candidate is None:
        raise UsageError(
            f"the evaluator gave a result for candidate {result.id!r}, which is not being evaluated; "
            "each candidate that is submitted comes back once"
        )
    return candidate


def _units(fold: Fold[G], evaluator: Evaluator[G], wanted: Sequence[Candidate[G]]) -> list[Unit[G]]:
    """The wanted candidates in the units that their whole asks are divided into, so that a resumed run has the same."""
    if len(wanted) == 1 and len(fold.asked(wanted[0].step)) == 1:
        return [Unit((wanted[0],))]
    ids = {candidate.id for candidate in wanted}
    units = [
        unit for step in {candidate.step: None for candidate in wanted} for unit in evaluator.units(fold.asked(step))
    ]
    return [left for unit in units if (left := unit.among(ids)).candidates]
