"""Pareto dominance and the archive of non-dominated points, for minimised losses."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from operator import le
from typing import NamedTuple


class Point(NamedTuple):
    """A candidate's id and its losses, one for each objective."""

    id: int
    losses: tuple[float, ...]


def dominates(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether `a` is nowhere worse than `b` and somewhere better; False when either holds NaN.

    Raises ValueError when the lengths differ.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} losses cannot be compared with {len(b)}")
    better = False
    for x, y in zip(a, b, strict=True):
        if not x <= y:
            return False
        better = better or x < y
    return better


class Front:
    """The non-dominated ones of all points added so far, one for each loss vector: that with the smallest id.

    What it holds depends on the points added, not on their order. An id belongs to one loss vector.
    """

    def __init__(self) -> None:
        self._members: list[Point] = []

    @property
    def members(self) -> tuple[Point, ...]:
        """Sorted by losses, first objective first, then id."""
        return tuple(self._members)

    def add(self, id: int, losses: Sequence[float]) -> bool:
        """Takes a point in and drops those it dominates; False when it is dominated or its twin has a smaller id.

        Raises ValueError for no losses, a NaN, or another number of losses than the members have.
        """
        losses = tuple(losses)
        if not losses:
            raise ValueError(f"candidate {id} has no losses; a failed candidate cannot enter a front")
        if self._members and len(losses) != len(self._members[0].losses):
            expected = len(self._members[0].losses)
            raise ValueError(f"candidate {id} has {len(losses)} losses; the front has {expected}")
        place = 0
        for member in self._members:
            if (member.losses, member.id) > (losses, id):
                break
            if _nowhere_worse(member.losses, losses):
                return False
            place += 1
        if any(map(isnan, losses)):
            raise ValueError(f"candidate {id} has a loss that is NaN: {list(losses)}; record it as failed")
        later = [member for member in self._members[place:] if not _nowhere_worse(losses, member.losses)]
        self._members[place:] = [Point(id, losses), *later]
        return True


def _nowhere_worse(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return all(map(le, a, b))
