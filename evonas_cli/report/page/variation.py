"""Which variations made better children: the success rate of each operator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evonas_cli.core.pareto import dominates
from evonas_cli.report.page.rows import Row, Rows

_NORMAL = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""


@dataclass
class _Counts:
    children: int = 0
    failed: int = 0
    compared: int = 0
    better: int = 0
    on_front: list[int] = field(default_factory=list)


def operators(rows: Rows) -> list[dict[str, Any]]:
    """One entry for each operator, the most used first.

    A child is `compared` when one of its parents has losses, and `better` when it dominates a parent and no parent is
    at least as good in all objectives: with one objective, when it is better than its best parent. A child that failed
    is no better one. `share` is better / compared with `interval`, the 95 % interval of Wilson (1927).
    """
    known, found = rows.by_id(), dict[str, _Counts]()
    front = set(rows.front)
    for row in rows.all:
        counts = found.setdefault(row.operator, _Counts())
        counts.children += 1
        counts.failed += row.failed
        if row.id in front:
            counts.on_front.append(row.id)
        better = improves(row, known)
        if better is not None:
            counts.compared += 1
            counts.better += better
    ordered = sorted(found.items(), key=lambda item: (-item[1].children, item[0]))
    return [
        {
            "operator": name,
            "children": counts.children,
            "failed": counts.failed,
            "compared": counts.compared,
            "better": counts.better,
            "share": counts.better / counts.compared if counts.compared else None,
            "interval": wilson(counts.better, counts.compared),
            "on_front": len(counts.on_front),
        }
        for name, counts in ordered
    ]


def improves(row: Row, known: Mapping[int, Row]) -> bool | None:
    """Whether the child is better than its parents; None for a candidate without a parent that has losses."""
    parents = [known[id].losses for id in row.entry["parents"] if id in known and id < row.id]
    losses = [parent for parent in parents if parent is not None]
    if not losses or row.entry.get("job"):
        return None
    if row.losses is None or row.violation:
        return False
    own = row.losses
    beaten = any(all(a <= b for a, b in zip(parent, own, strict=True)) for parent in losses)
    return not beaten and any(dominates(own, parent) for parent in losses)


def wilson(successes: int, trials: int) -> tuple[float, float] | None:
    """The 95 % score interval of a share (Wilson 1927); None without a trial."""
    if not trials:
        return None
    share, square = successes / trials, _NORMAL**2
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = _NORMAL * math.sqrt(share * (1 - share) / trials + square / (4 * trials**2)) / (1 + square / trials)
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))
