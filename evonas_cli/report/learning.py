"""Learning curves as the journal keeps them: the optional member `curves` of an entry, a list of numbers by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from evonas_cli.core.strict_json import is_number

AXIS = "epoch"


@dataclass(frozen=True)
class LearningCurve:
    """A metric over epochs; None where a value was not measured or is not finite."""

    name: str
    epochs: Sequence[float]
    values: Sequence[float | None]

    def known(self) -> list[tuple[float, float]]:
        """The points that have a value."""
        return [(at, value) for at, value in zip(self.epochs, self.values, strict=True) if value is not None]


def curves_of(entry: Mapping[str, Any]) -> dict[str, LearningCurve]:
    """The learning curves of a candidate by their names; none for an entry that has no `curves`, or curves that are no
    lists of numbers of one length."""
    found = entry.get("curves")
    if not isinstance(found, dict) or not _are_numbers(found.get(AXIS)):
        return {}
    epochs: list[float | None] = found[AXIS]
    if any(at is None for at in epochs):
        return {}
    places = [float(at) for at in epochs if at is not None]
    return {
        name: LearningCurve(name, places, values)
        for name, values in found.items()
        if name != AXIS and _are_numbers(values) and len(values) == len(places)
    }


def _are_numbers(values: object) -> TypeGuard[list[float | None]]:
    return isinstance(values, list) and all(value is None or is_number(value) for value in values)
