"""What a network of two inputs says over the plane, how likely each of two classes is, and the points of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.types import Json
from evonas_cli.network.neurons import Neurons

BANDS = 10
"""Bands of equal width in the probability of class 1. The lower half of them is class 0."""
UNKNOWN = -1
"""Stands in the place of a band where the output is no number."""
SIDE = 100
"""Cells along a side of the grid, unless another number is asked for."""

Span: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Point:
    """An example: its two inputs, its class (0 or 1), and its part of the data, `train` or `valid`."""

    x: float
    y: float
    label: int
    part: str


@dataclass(frozen=True, slots=True)
class Plane:
    """A grid of cells over a part of the plane.

    `names` are those of the two inputs, `classes` those of class 0 and 1. `x` and `y` are the ends of the grid in the
    unit of the data. `bands` has a row for each row of cells from the least y on, (side, side), each cell from 0 to
    BANDS - 1, or UNKNOWN. `points` are the training part, then the validation part. `fingerprint` is that of the data.
    """

    names: tuple[str, str]
    classes: tuple[str, str]
    x: Span
    y: Span
    bands: tuple[tuple[int, ...], ...]
    points: tuple[Point, ...]
    fingerprint: str

    def to_json(self) -> dict[str, Json]:
        """The plane as a document; points are [x, y, class, part]."""
        return {
            "names": list(self.names),
            "classes": list(self.classes),
            "x": list(self.x),
            "y": list(self.y),
            "bands": [list(row) for row in self.bands],
            "points": [[point.x, point.y, point.label, point.part] for point in self.points],
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plane:
        """The inverse of `to_json`."""
        return cls(
            names=tuple(data["names"]),
            classes=tuple(data["classes"]),
            x=tuple(data["x"]),
            y=tuple(data["y"]),
            bands=tuple([tuple(row) for row in data["bands"]]),
            points=tuple([Point(*point) for point in data["points"]]),
            fingerprint=data["fingerprint"],
        )


def band_of(probability: float) -> int:
    """The band of a probability of class 1; 1/2 is class 0, and what is no number is UNKNOWN."""
    if probability != probability:
        return UNKNOWN
    return sum(probability * BANDS > edge for edge in range(1, BANDS))


@runtime_checkable
class Charting(Protocol, metaclass=Capability):
    """Capability of a job: it computes what a graph of neurons says over the plane of its data."""

    def plane(self, neurons: Neurons, side: int) -> Plane:
        """A grid of `side` x `side` cells around all points of the training and the validation part.

        Reads the data, never its test part. Raises UsageError for data of other than two inputs and two classes, and
        what the data set raises.
        """
