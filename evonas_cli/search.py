"""The loop: ask, evaluate, record, tell. A resumed run is the same loop over a store that already knows results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from evonas_cli.core.fold import Fold, guard
from evonas_cli.core.protocols import Evaluator
from evonas_cli.core.types import Candidate, Result

G = TypeVar("G")


class RunStore(Protocol[G]):
    """Keeps what a run has found out."""

    def restore(self, fold: Fold[G]) -> list[Candidate[G]]:
        """Brings the fold to the last snapshot; returns the candidates pending there."""

    def result(self, candidate: Candidate[G]) -> Result | None:
        """What an earlier session of the run recorded for the candidate. Raises RunError when it was another one."""

    def record(self, arrived: Sequence[tuple[Candidate[G], Result]]) -> None:
        """Makes results durable before anyone acts on them."""

    def told(self, fold: Fold[G]) -> None:
        """Called after each tell: the place for snapshots."""


def search(
    fold: Fold[G], evaluator: Evaluator[G], store: RunStore[G], late: Callable[[], bool] = lambda: False
) -> None:
    """Runs the fold to the end of its budget, or until `late` says that its time is up.

    Raises EnvironmentFailure when the machine fails; everything recorded until then stays.
    """
    names = [objective.name for objective in fold.objectives]
    in_flight: dict[int, Candidate[G]] = {}

    def feed(batch: Sequence[Candidate[G]]) -> None:
        unknown = []
        for candidate in batch:
            known = store.result(candidate)
            if known is None:
                unknown.append(candidate)
                in_flight[candidate.id] = candidate
            else:
                fold.add(candidate, known)
        if unknown:
            evaluator.submit(unknown)

    feed(store.restore(fold))
    while True:
        while fold.wants_ask() and not late():
            feed(fold.ask())
        if fold.ready():
            fold.tell()
            store.told(fold)
        elif fold.missing:
            arrived = [(in_flight.pop(result.id), guard(result, names)) for result in evaluator.collect()]
            store.record(arrived)
            for candidate, result in arrived:
                fold.add(candidate, result)
        else:
            break
    fold.close()
