"""Where the seconds of a training loop go, by the clock around its phases.

Functions that the loops call are replaced by timed ones for as long as it takes, so the loops themselves are those that
are used elsewhere. On a CPU an operator is done when it returns; on other devices these times would mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from time import perf_counter
from typing import Any, TypeAlias

PHASES = ("data", "forward", "backward", "optimiser")

Call: TypeAlias = Callable[..., Any]


@dataclass(frozen=True)
class Point:
    """A function as an attribute of a module or class, and the phase of its calls with all that they call; None: of
    no phase. With `feeds` it gives batches, and what takes time is to iterate over them."""

    owner: Any
    name: str
    phase: str | None
    feeds: bool = False


class Clock:
    """Seconds by phase. A call within another timed one counts for the outer one alone."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self._busy = False

    @contextmanager
    def watching(self, points: Sequence[Point]) -> Iterator[None]:
        """Within it, calls at the points are timed."""
        originals = [vars(point.owner)[point.name] for point in points]
        for point, original in zip(points, originals, strict=True):
            watched = self._feeding if point.feeds else self._timed
            setattr(point.owner, point.name, watched(original, point.phase))
        try:
            yield
        finally:
            for point, original in zip(points, originals, strict=True):
                setattr(point.owner, point.name, original)

    def _timed(self, function: Call, phase: str | None) -> Call:
        @wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            return self._count(phase, function, *arguments, **named)

        return call

    def _feeding(self, function: Call, phase: str | None) -> Call:
        @wraps(function)
        def call(*arguments: Any, **named: Any) -> Iterator[Any]:
            batches = self._count(phase, function, *arguments, **named)
            while True:
                try:
                    batch = self._count(phase, next, batches)
                except StopIteration:
                    return
                yield batch

        return call

    def _count(self, phase: str | None, function: Call, *arguments: Any, **named: Any) -> Any:
        if self._busy:
            return function(*arguments, **named)
        self._busy, started = True, perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            self._busy = False
            if phase is not None:
                self.seconds[phase] += perf_counter() - started
