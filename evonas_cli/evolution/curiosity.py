"""Curiosity: a bonus for what is new within one life (Stanton and Clune, Deep curiosity search, 2018).

    bonus of x = 1 / sqrt(visits), where visits counts how often x's line of descent, x included, was in x's cell

In the paper a life is an episode of one agent, and its cells are places. Networks have no episodes: here a life is the
line of descent, from a candidate to its first parent and on to a sample, and a cell is a cube of descriptors.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from evonas_cli.evolution.behaviour import Trace, cell_of


def curiosity(id: int, traces: Mapping[int, Trace], edge: float) -> float:
    """Of a candidate among `traces`: 1 for a cell that is new to its line of descent, less for each visit before.

    The line ends with a candidate without parent, or whose parent left no trace.
    """
    own = cell_of(traces[id].descriptor, edge)
    visits, parent = 1, traces[id].parent
    while parent is not None and parent in traces:
        visits += cell_of(traces[parent].descriptor, edge) == own
        parent = traces[parent].parent
    return 1 / sqrt(visits)
