"""Folding: equal parts of a network that follow each other are drawn once, with how often they occur."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from evonas_cli.report.drawing.diagram import Diagram, Repeat

_PERIOD = 8
"""The longest period looked for, in segments."""

Signature: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """`times` equal parts of `period` segments each, from segment `start` on."""

    start: int
    period: int
    times: int


def fold(diagram: Diagram) -> Diagram:
    """The diagram with each part that occurs several times in a row drawn once.

    A box that every path passes ends a segment. Segments are equal when their boxes, notes included, and their arrows
    are. Single boxes are folded only where three or more are equal, since two boxes are as easy to read as a frame.
    """
    cuts = _cuts(diagram)
    segments = [range(first + 1, last + 1) for first, last in zip(cuts, cuts[1:], strict=False)]
    signatures = [_signature(diagram, segment) for segment in segments]
    kept: list[int] = list(range(cuts[0] + 1)) if cuts else list(range(len(diagram.boxes)))
    stands_for: dict[int, int] = {}
    repeats: list[Repeat] = []
    place = 0
    while place < len(segments):
        run = _longest(signatures, segments, place)
        part = [box for segment in segments[run.start : run.start + run.period] for box in segment]
        if run.times > 1:
            repeats.append(Repeat(len(kept), len(kept) + len(part) - 1, run.times))
            last = segments[run.start + run.period * run.times - 1][-1]
            stands_for[last] = part[-1]
        kept += part
        place += run.period * run.times
    return _reduced(diagram, kept, stands_for, repeats)


def _cuts(diagram: Diagram) -> list[int]:
    """The boxes that every path from the first to the last box passes."""
    found, reach = [], 0
    furthest = list(range(len(diagram.boxes)))
    for source, target in diagram.arrows:
        furthest[source] = max(furthest[source], target)
    for box in range(len(diagram.boxes)):
        if reach <= box:
            found.append(box)
        reach = max(reach, furthest[box])
    return found


def _signature(diagram: Diagram, segment: range) -> Signature:
    before = segment.start - 1
    arrows = tuple([(a - before, b - before) for a, b in diagram.arrows if b in segment])
    return (tuple([diagram.boxes[box] for box in segment]), arrows)


def _longest(signatures: Sequence[Signature], segments: Sequence[range], start: int) -> _Run:
    """The run from here that leaves out most boxes; of equal ones that with the shortest period."""
    best, most = _Run(start, 1, 1), 0
    for period in range(1, min(_PERIOD, (len(segments) - start) // 2) + 1):
        part = signatures[start : start + period]
        times = 1
        while signatures[start + times * period : start + (times + 1) * period] == part:
            times += 1
        size = sum(len(segment) for segment in segments[start : start + period])
        saved = size * (times - 1)
        if saved > most and saved > 1:
            best, most = _Run(start, period, times), saved
    return best


def _reduced(diagram: Diagram, kept: Sequence[int], stands_for: dict[int, int], repeats: Sequence[Repeat]) -> Diagram:
    place = {box: index for index, box in enumerate(kept)}
    for last, box in stands_for.items():
        place[last] = place[box]
    arrows = {
        (place[source], place[target])
        for source, target in diagram.arrows
        if source in place and target in place and place[source] < place[target]
    }
    return Diagram(tuple([diagram.boxes[box] for box in kept]), tuple(sorted(arrows)), tuple(repeats))
