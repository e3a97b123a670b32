"""Why candidates failed: the commonest reasons, each with how many it met; and who nearly did for lack of memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evonas_cli.core.failures import MICRO_BATCHES

MOST = 5


@dataclass(frozen=True)
class Reason:
    """A kind of failure with its text, and the number of candidates that failed so."""

    kind: str
    text: str
    count: int

    def __str__(self) -> str:
        return self.text if self.text.startswith(f"{self.kind} ") else f"{self.kind}: {self.text}"


class Tally:
    """Counts failures by kind and text."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, kind: str, text: str) -> None:
        """One more candidate failed so."""
        self._counts[kind, text] += 1

    def commonest(self, most: int = MOST) -> list[Reason]:
        """At most so many reasons, the commonest first, equally common ones by their words."""
        ordered = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        return [Reason(kind, text, count) for (kind, text), count in ordered[:most]]

    def kinds(self) -> dict[str, int]:
        """How many failed of each kind, by its name."""
        found: Counter[str] = Counter()
        for (kind, _), count in self._counts.items():
            found[kind] += count
        return dict(sorted(found.items()))


def tally(entries: Iterable[Mapping[str, Any]]) -> Tally:
    """The failures among entries of a journal."""
    found = Tally()
    for entry in entries:
        if entry["status"] != "ok":
            error = entry.get("error", {"kind": "error", "text": "no reason was recorded"})
            found.add(error["kind"], error["text"])
    return found


def micro_batched(entries: Iterable[Mapping[str, Any]]) -> int:
    """How many candidates were trained in micro-batches, since memory did not suffice for whole batches."""
    return sum(MICRO_BATCHES in entry.get("labels", ()) for entry in entries)


def in_words(count: int, total: int) -> str:
    """A line for people: "2 of 16 for lack of memory; ..."."""
    if not count:
        return "none"
    return f"{count:,} of {total:,} for lack of memory; their metrics are not those of trainings in whole batches"
