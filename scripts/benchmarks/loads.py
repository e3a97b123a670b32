"""Jobs of a known length for `scripts/benchmarks/cluster`: one that waits, one that computes. Workers import them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Any

from evonas_cli.core.evaluating import Context, Place
from evonas_cli.core.types import Json, Metric, Result, Unit

BLOCK = b"x" * (1 << 20)


class Waiting:
    """Sleeps as many milliseconds as the genome says."""

    needs: tuple[type, ...] = ()
    metrics = {"done": Metric("min")}

    def open(self, place: Place) -> Waiting:
        """The job itself."""
        return self

    def environment(self) -> dict[str, Json]:
        """Nothing matters."""
        return {}

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """One result each, when the time is over."""
        for candidate in unit.candidates:
            self.spend(candidate.proposal.genome)
            yield Result(candidate.id, "ok", {"done": 1.0})

    def spend(self, amount: int) -> None:
        """Sleeps."""
        time.sleep(amount / 1000)


class Computing(Waiting):
    """Takes SHA-256 of as many MiB as the genome says, in one thread."""

    def spend(self, amount: int) -> None:
        """Computes."""
        for _ in range(amount):
            hashlib.sha256(BLOCK).digest()
