"""A job of known lengths for `scripts/benchmarks/cluster`, which workers import."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Any

from evonas_cli.core.evaluating import Context, Place
from evonas_cli.core.types import Json, Metric, Result, Unit

BLOCK = b"x" * (1 << 20)


class Loads:
    """A genome is a pair: (milliseconds to sleep, MiB of which to take SHA-256 in one thread)."""

    needs: tuple[type, ...] = ()
    metrics = {"done": Metric("min")}

    def open(self, place: Place) -> Loads:
        """The job itself."""
        return self

    def environment(self) -> dict[str, Json]:
        """Nothing matters."""
        return {}

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """One result each, when its time is over and its work is done."""
        for candidate in unit.candidates:
            milliseconds, blocks = candidate.proposal.genome
            time.sleep(milliseconds / 1000)
            for _ in range(blocks):
                hashlib.sha256(BLOCK).digest()
            yield Result(candidate.id, "ok", {"done": 1.0})
