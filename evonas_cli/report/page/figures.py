"""What strategies logged of their state, as series, and the learning curves that candidates recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evonas_cli.report.page.rows import Rows

POINTS = 400
"""Points of a series."""
_PLACES = ("step", "evaluations", "generation")
_TITLES = {
    "best": "best objective in the population, as minimised",
    "mean_loss": "mean objective of the population, as minimised",
    "cached": "candidates whose result was known already",
    "diversity": "diversity: mean distance of pairs",
    "mean_age": "mean age in generations",
    "front": "members of the front",
    "infeasible": "members that break a constraint",
    "species": "number of species",
    "threshold": "threshold of species, a distance",
    "hidden": "hidden neurons",
    "failed": "candidates that failed",
    "brackets": "brackets begun",
    "shape": "kind of the bracket (s)",
    "rung": "rung decided last",
    "alive": "survivors of the rung decided last",
    "fidelity": "share of a whole training",
    "coverage": "cells of behaviour visited",
    "archive": "behaviours in the archive",
}
"""Titles of figures whose names do not say enough."""
_GROUPS = {"best_sizes": "best network", "mean_sizes": "mean of the population"}
"""What groups of figures are of where their names do not say so."""
_SPECIES = "species"


def figures(lines: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, list[Any]]]:
    """By name of a figure its values over `evaluations`, in the order in which figures first occur.

    Members of a group have the group's name before theirs, such as `modules.threshold`; of species sizes the number of
    species is shown. Long series are thinned to POINTS, first and last line included.
    """
    found: dict[str, dict[str, list[Any]]] = {}
    for line in thinned(lines, POINTS):
        for name, value in _numbers(line):
            series = found.setdefault(name, {"evaluations": [], "value": []})
            series["evaluations"].append(line.get("evaluations", line["step"]))
            series["value"].append(value)
    return found


def figure_title(name: str) -> str:
    """The title of a figure's chart: `mean_sizes.links` is `mean of the population: links`."""
    *groups, last = name.split(".")
    words = [*[_GROUPS.get(group, group) for group in groups], _TITLES.get(last, last)]
    return ": ".join(word.replace("_", " ") for word in words)


def _numbers(line: Mapping[str, Any], group: str = "") -> Iterator[tuple[str, float]]:
    for name, value in line.items():
        path = f"{group}.{name}" if group else name
        if name == _SPECIES and isinstance(value, Mapping):
            yield path, len(value)
        elif isinstance(value, Mapping) and not group:
            yield from _numbers(value, path)
        elif name == f"n_{_SPECIES}" and _SPECIES in line:
            continue  # `species` has the same number
        elif isinstance(value, int | float) and path not in _PLACES:
            yield path, value


def thinned(items: Sequence[Any], most: int) -> list[Any]:
    """At most so many of the items, evenly spaced, first and last included."""
    if len(items) <= most:
        return list(items)
    return [items[round(k * (len(items) - 1) / (most - 1))] for k in range(most)]


def curves(rows: Rows) -> dict[str, dict[str, list[float | None]]]:
    """By id the learning curves of the candidates that recorded some: `epoch` and the series beside it.

    A series that is not as long as `epoch`, or holds anything but numbers and null, is left out.
    """
    found = {}
    for row in rows.all:
        given = row.entry.get("curves")
        if not isinstance(given, Mapping) or not _is_column(given.get("epoch")):
            continue
        epochs = given["epoch"]
        series = {
            name: list(values)
            for name, values in given.items()
            if name != "epoch" and _is_column(values) and len(values) == len(epochs)
        }
        if series and epochs:
            found[str(row.id)] = {"epoch": list(epochs), **series}
    return found


def _is_column(values: object) -> bool:
    return isinstance(values, list) and all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values
    )
