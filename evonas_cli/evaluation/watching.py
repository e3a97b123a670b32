"""What a pool watches in a busy worker: how long it takes, whether its training goes on, what memory it holds."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Failure, Unit
from evonas_cli.evaluation.transport import Worker

LOOK = 0.2
"""Seconds between two looks of a pool at what no event tells of."""
GIB = float(1 << 30)


class Busy(Protocol):
    """A worker with the unit that it has had `since`; its last `sign` of life was a report or the start of the unit."""

    @property
    def worker(self) -> Worker:
        """The worker."""

    @property
    def unit(self) -> Unit[Any] | None:
        """Its unit."""

    @property
    def since(self) -> float:
        """When it was given the unit, by `time.monotonic`."""

    @property
    def sign(self) -> float:
        """When it last gave a sign of life."""


@dataclass(frozen=True)
class Limits:
    """What a worker may take: `timeout` seconds for each place of its unit, `silence` seconds between two reports of
    how far trainings are, `memory` GiB of the host; None: any.

    Reports are made by the loop of a training itself, so that a thread which still runs proves nothing. A unit that
    never reports has `silence` seconds in all. Raises UsageError for what is no limit.
    """

    timeout: float | None = None
    silence: float | None = None
    memory: float | None = None

    def __post_init__(self) -> None:
        for key, value, unit in (
            ("timeout", self.timeout, "seconds"),
            ("silence", self.silence, "seconds"),
            ("memory_limit", self.memory, "GiB"),
        ):
            if value is not None and not value > 0:
                raise UsageError(f"evaluator.{key} is {value}; it must be above 0 {unit} (or null)")
        if self.memory is not None and sys.platform != "linux":
            raise UsageError("evaluator.memory_limit needs Linux, which tells what a process holds; set it to null")

    def patience(self, busy: Sequence[Busy], now: float) -> float | None:
        """Seconds until a limit may be exceeded of which no event tells; None where none can be."""
        ends = [slot.since + self.timeout * _places(slot) for slot in busy] if self.timeout is not None else []
        ends += [slot.sign + self.silence for slot in busy] if self.silence is not None else []
        ends += [now + LOOK for _ in busy] if self.memory is not None else []
        return max(0.0, min(ends) - now) if ends else None

    def exceeded(self, slot: Busy, now: float) -> Failure | None:
        """What the unit of a busy worker has exceeded."""
        unit = slot.unit
        assert unit is not None
        if self.timeout is not None and now - slot.since >= self.timeout * _places(slot):
            text = f"stopped after evaluator.timeout={self.timeout:g} s"
            return Failure(
                "timeout", text + (f" for each of the {unit.width} places of its program" if unit.width > 1 else "")
            )
        if self.silence is not None and now - slot.sign >= self.silence:
            return Failure("timeout", f"hung: its worker reported nothing for evaluator.silence={self.silence:g} s")
        held = slot.worker.memory() / GIB if self.memory is not None else 0.0
        if self.memory is not None and held > self.memory:
            return Failure("oom", f"its worker held {held:.2f} GiB, more than evaluator.memory_limit={self.memory:g}")
        return None


def _places(slot: Busy) -> int:
    assert slot.unit is not None
    return max(slot.unit.width, len(slot.unit.candidates))
