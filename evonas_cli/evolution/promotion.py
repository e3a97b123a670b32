"""Rungs of trainings and who is promoted from one to the next: what successive halving and Hyperband share.

Several objectives rank by non-dominated sorting with crowding, a single one by its loss; ties go to the older
candidate. A failed candidate is never promoted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import G, Proposal
from evonas_cli.evolution.nondominated import best_first

ROUNDING = 1e-9


class Rung(NamedTuple):
    """How many candidates are trained, and how far: `fidelity` is the share of the full training."""

    seats: int
    fidelity: float


@dataclass(frozen=True, slots=True)
class Survivor(Generic[G]):
    """A candidate that goes on to the next rung."""

    id: int
    genome: G


class Judged(Protocol):
    """What is known of a candidate after its training: an evaluation, or what is kept of one."""

    @property
    def losses(self) -> tuple[float, ...] | None:
        """None for a failure."""


J = TypeVar("J", bound=Judged)


def succeeded(told: Sequence[J]) -> list[J]:
    """Those that did not fail, best first."""
    able = [(one, one.losses) for one in told if one.losses is not None]
    return [able[index][0] for index in best_first([losses for _, losses in able])]


def promotion(survivor: Survivor[G], fidelity: float, continues: bool) -> Proposal[G]:
    """The survivor trained to a higher fidelity: on from its weights, or from the start."""
    source = survivor.id if continues else None
    parents = (survivor.id,)
    return Proposal(survivor.genome, fidelity=fidelity, continues=source, parents=parents, operator="promotion")


def powers(reduction: int, least_fidelity: float) -> tuple[int, ...]:
    """1, reduction, reduction^2, ... up to 1 / least_fidelity."""
    found = [1]
    while found[-1] * reduction <= (1 + ROUNDING) / least_fidelity:
        found.append(found[-1] * reduction)
    return tuple(found)


def stated(rungs: Sequence[Sequence[float]]) -> tuple[Rung, ...]:
    """Rungs from pairs of seats and epochs. Raises UsageError for what is none."""
    shown = [list(pair) for pair in rungs]
    if not rungs or any(len(pair) != 2 or not pair[0] >= 1 or pair[0] % 1 or not pair[1] > 0 for pair in rungs):
        raise UsageError(f"strategy.rungs must be pairs [seats, epochs] above 0, such as [[24,1],[3,6]]; it is {shown}")
    for (seats, epochs), (later_seats, later_epochs) in zip(rungs, rungs[1:], strict=False):
        if later_seats > seats or later_epochs <= epochs:
            raise UsageError(f"strategy.rungs must go on to more epochs and never to more seats; it is {shown}")
    full = rungs[-1][1]
    return tuple([Rung(int(seats), epochs / full) for seats, epochs in rungs])
