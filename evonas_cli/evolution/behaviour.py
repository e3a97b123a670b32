"""What a search remembers of behaviours: descriptors and lines of descent, an archive, and the cells visited so far.

A behaviour is a point (`core.types.Descriptor`). The state is a value: everything in it follows from what was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import floor
from typing import Any, TypeAlias

from evonas_cli.core.errors import UsageError
from evonas_cli.core.persistent import PersistentDict
from evonas_cli.core.types import Descriptor, Evaluation

Cell: TypeAlias = tuple[int, ...]
"""A cube of the descriptor's space, by the number of its edges from the origin in each dimension."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The behaviour of a candidate, and its first parent; None where it has no parent."""

    descriptor: Descriptor
    parent: int | None


@dataclass(frozen=True, slots=True)
class Point:
    """The behaviour of a candidate of this id."""

    id: int
    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class Behaviours:
    """`traces` are those of all candidates told that succeeded, by id; `cells` says which of them came first to a cell.

    `bonus` is, by id, what the living are worth for their behaviour, higher is better. `archive` is that of novelty
    search, the oldest first; `centres` are the clusters of the last two generations, the older first.
    """

    traces: PersistentDict[int, Trace] = field(default_factory=PersistentDict)
    cells: PersistentDict[Cell, int] = field(default_factory=PersistentDict)
    n_cells: int = 0
    bonus: dict[int, float] = field(default_factory=dict)
    archive: tuple[Point, ...] = ()
    centres: tuple[tuple[Descriptor, ...], ...] = ()


def cell_of(descriptor: Descriptor, edge: float) -> Cell:
    """The cell, with edges of this length, that holds the behaviour."""
    return tuple([floor(number / edge) for number in descriptor])


def remembered(state: Behaviours, told: Sequence[Evaluation[Any]], edge: float) -> Behaviours:
    """The state with those told that succeeded.

    Raises UsageError for one whose descriptor is missing, or has another length than those before.
    """
    able = [one for one in told if one.losses is not None]
    if not able:
        return state
    length = len(next(iter(state.traces.values())).descriptor) if state.n_cells else len(able[0].descriptor)
    for one in able:
        if not one.descriptor or len(one.descriptor) != length:
            raise UsageError(
                f"candidate {one.id} has a behaviour descriptor of {len(one.descriptor)} numbers instead of "
                f"{length or 'some'}; its job must describe every candidate by the numbers that it names"
            )
    traces = {one.id: Trace(one.descriptor, one.parents[0] if one.parents else None) for one in able}
    found: dict[Cell, int] = {}
    for one in able:
        cell = cell_of(one.descriptor, edge)
        if cell not in state.cells:
            found.setdefault(cell, one.id)
    return replace(
        state,
        traces=state.traces.with_entries(traces),
        cells=state.cells.with_entries(found),
        n_cells=state.n_cells + len(found),
    )
