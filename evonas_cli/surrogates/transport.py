"""Optimal transport with unmatched mass, exact, for many small problems at once.

    minimise  sum_ij z_ij c_ij + sum_i (a_i - sum_j z_ij) + sum_j (b_j - sum_i z_ij)
    subject to  z >= 0,  sum_j z_ij <= a_i,  sum_i z_ij <= b_j

A unit of mass that is not matched costs 1, on each side, so what costs 2 or more is never matched. The solution is that
of successive shortest paths (Jewell, 1958; Busacker and Gowen, 1960): mass flows along the path that saves most, until
no path saves anything. A linear programme for each of thousands of pairs would take milliseconds each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evonas_cli.surrogates.gaussian_process import Array

NEAR = 1e-12
"""A share of a problem's mass, or a saving, that may be one of rounding and counts as none."""

Indices = NDArray[np.intp]


def transported(costs: Array, first: Array, second: Array) -> Array:
    """(problems,) least costs, from costs (problems, n, m) and masses, (problems, n) and (problems, m).

    Masses of 0 stand for places that a problem does not have. Costs are not negative.
    """
    total = first.sum(1) + second.sum(1)
    scale = np.where(total > 0, total, 1.0)
    savings = np.maximum(2.0 - costs, 0.0)
    left, right, flow = first / scale[:, None], second / scale[:, None], np.zeros_like(costs)
    active = np.arange(len(costs))
    while active.size:
        moved = _augmented(savings[active], flow[active], left[active], right[active])
        flow[active], left[active], right[active], going = moved
        active = active[going]
    saved: Array = (flow * savings).sum((1, 2)) * scale
    least: Array = np.maximum(total - saved, 0.0)
    return least


def _augmented(savings: Array, flow: Array, left: Array, right: Array) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Flow and masses left over after one path of each problem, and which problems had one."""
    ends, start_of, reader_of = _best_paths(savings, flow, left)
    value = np.where(right > NEAR, ends, -np.inf)
    end = value.argmax(1)
    rows = np.arange(len(savings))
    going = value[rows, end] > NEAR
    steps: list[tuple[Indices, Indices, Indices, Indices]] = []
    room, live, at = right[rows, end], rows[going], end[going]
    while True:
        source = start_of[live, at]
        back = reader_of[live, source]
        steps.append((live, source, at, back))
        here = back < 0
        room[live[here]] = np.minimum(room[live[here]], left[live[here], source[here]])
        live, source, back = live[~here], source[~here], back[~here]
        if not live.size:
            break
        room[live] = np.minimum(room[live], flow[live, source, back])
        at = back
    for live, source, at, back in steps:
        flow[live, source, at] += room[live]
        begun = back < 0
        left[live[begun], source[begun]] -= room[live[begun]]
        flow[live[~begun], source[~begun], back[~begun]] -= room[live[~begun]]
    right[rows[going], end[going]] -= room[going]
    return flow, left, right, going


def _best_paths(savings: Array, flow: Array, left: Array) -> tuple[Array, Indices, Indices]:
    """The most that a path to each place of the second side saves, (problems, m); the place of the first side before
    it, (problems, m); and before that one the place of the second side whose mass is given back, or -1 at a start."""
    begin = np.where(left > NEAR, 0.0, -np.inf)
    returned = np.where(flow > NEAR, -savings, -np.inf)
    reached, reader = begin, np.full(left.shape, -1)
    ends, source = np.full(savings.shape[::2], -np.inf), np.zeros(savings.shape[::2], dtype=np.intp)
    while True:
        ways = reached[:, :, None] + savings
        best = ways.max(1)
        better = best > ends + NEAR
        if not better.any():
            return ends, source, reader
        source = np.where(better, ways.argmax(1), source)
        ends = np.where(better, best, ends)
        back = ends[:, None, :] + returned
        gained = back.max(2)
        nearer = gained > reached + NEAR
        reader = np.where(nearer, back.argmax(2), reader)
        reached = np.where(nearer, gained, reached)
