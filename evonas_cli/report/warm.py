"""Which candidates of a run did not begin from scratch: their metrics are warm-started, and say less of their networks.

A network that inherits weights has had the epochs of its ancestors, too. What it is worth from scratch tells a training
of its own (`evonas retrain`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

STARTS = ("weights", "matching", "inherited")
"""What the options of a proposal say of a training that begins anew with the weights of another candidate."""


def is_warm(entry: Mapping[str, Any]) -> bool:
    """Whether a candidate, as the journal has it, began a training of its own with inherited weights.

    A candidate that goes on with another one's training, at a higher fidelity, did not.
    """
    options = entry.get("options")
    return entry.get("continues") is not None and isinstance(options, Mapping) and options.get("start") in STARTS


def warm_started(entries: Iterable[Mapping[str, Any]]) -> int:
    """How many candidates did."""
    return sum(map(is_warm, entries))


def in_words(count: int, total: int) -> str:
    """A line for people: "12 of 16 began with inherited weights; ..."."""
    if not count:
        return "none"
    return f"{count:,} of {total:,} began with inherited weights; their metrics are not those of trainings from scratch"
