"""Two-class sets of points in the plane, drawn from a seed: XOR, circles, Gaussians, spirals, moons.

All but the moons are those of backprop NEAT (Ha, 2016, "Neural Network Evolution Playground with Backprop NEAT"), who
took them from TensorFlow Playground (Smilkov and Carter, 2016) with changes of his own. Deviations: class 1 of XOR are
points with coordinates of different signs, not of equal ones; the spirals' validation and test points lie between the
training points along the spirals, so that they differ even without noise. The moons are `make_moons` of scikit-learn
(Pedregosa et al., JMLR 2011), with angles drawn at random.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, inf, pi, sin
from random import Random
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.data.arrays import Arrays
from evonas_cli.data.own_parts import DrawnParts, OwnParts
from evonas_cli.network.task import Kind

Point: TypeAlias = tuple[float, float, int]
"""Both coordinates and the class, 0 or 1."""
RADIUS = 5.0
"""Half the side of the square, or the radius of the disc, in which points lie before noise."""


@dataclass(frozen=True, kw_only=True)
class Points(OwnParts):
    """A set of points that has all three parts: vectors (N, 2) float32 in two classes."""

    known_outputs: ClassVar[int | None] = 2
    known_kind: ClassVar[Kind | None] = "classes"

    @abstractmethod
    def part(self, name: str) -> list[Point]:
        """The points of the part train, valid or test."""

    def arrays(self) -> Arrays:
        """As OwnParts.arrays."""
        x_train, y_train = _arrays(self.part("train"))
        x_valid, y_valid = _arrays(self.part("valid"))
        x_test, y_test = _arrays(self.part("test"))
        return Arrays(x_train=x_train, y_train=y_train, x_valid=x_valid, y_valid=y_valid, x_test=x_test, y_test=y_test)


@dataclass(frozen=True, kw_only=True)
class Drawn(DrawnParts, Points):
    """Points with noise: `n_train`, `n_valid` and `n_test` of them, drawn from `seed` for each part by itself.

    `noise` is a width in the plane's unit that each set states. Raises UsageError for values out of range.
    """

    noise: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.noise) not in (int, float) or not 0 <= self.noise < inf:
            raise UsageError(f"dataset.noise is {self.noise!r}; it must be a number of at least 0")

    def part(self, name: str) -> list[Point]:
        """As Points.part."""
        place = ("train", "valid", "test").index(name)
        rng = stream(self.seed, f"{self.name} points", place)
        return list(self.points(getattr(self, f"n_{name}"), rng, place / 3))

    @abstractmethod
    def points(self, count: int, rng: Random, shift: float) -> Iterator[Point]:
        """So many points; `shift`, in [0, 1), differs from part to part."""


class Xor(Drawn):
    """Points of the plane in two classes: XOR of the coordinates' signs.

    They are uniform in the square [-5, 5]^2, with noise N(0, `noise`) added to each coordinate. The label is that of
    the noisy point, so that the classes do not overlap: class 1 where the signs differ.
    """

    def points(self, count: int, rng: Random, shift: float) -> Iterator[Point]:
        """As Drawn.points."""
        for _ in range(count):
            x, y = (rng.uniform(-RADIUS, RADIUS) + rng.gauss(0.0, self.noise) for _ in range(2))
            yield x, y, int((x > 0) != (y > 0))


class Circles(Drawn):
    """Points of the plane in two classes: a disc and a ring around it.

    Class 1 is at radius 0 to 2.5, class 0 at 3.75 to 5, radius and angle uniform. Then uniform noise of up to 5/3
    `noise` is added to each coordinate, which at 0.5 is 0.83. The label is that of the point before noise, so that the
    classes overlap.
    """

    def points(self, count: int, rng: Random, shift: float) -> Iterator[Point]:
        """As Drawn.points."""
        spread = RADIUS * self.noise / 3
        for number in range(count):
            inner = number % 2 == 0
            radius = rng.uniform(0.0, RADIUS / 2) if inner else rng.uniform(0.75 * RADIUS, RADIUS)
            angle = rng.uniform(0.0, 2 * pi)
            dx, dy = (rng.uniform(-spread, spread) for _ in range(2))
            yield radius * sin(angle) + dx, radius * cos(angle) + dy, int(inner)


class Gaussians(Drawn):
    """Points of the plane in two classes: normal around (2, 2) and around (-2, -2).

    Each coordinate has the standard deviation 1 + `noise`; class 1 is around (2, 2).
    """

    def points(self, count: int, rng: Random, shift: float) -> Iterator[Point]:
        """As Drawn.points."""
        for number in range(count):
            label = 1 - number % 2
            centre = 2.0 if label else -2.0
            yield rng.gauss(centre, 1.0 + self.noise), rng.gauss(centre, 1.0 + self.noise), label


class Spirals(Drawn):
    """Points of the plane in two classes: two spirals of 1.75 turns.

    The i-th of the n points of a class has radius 6 i / n. Uniform noise of up to `noise` is added to each coordinate.
    """

    def points(self, count: int, rng: Random, shift: float) -> Iterator[Point]:
        """As Drawn.points."""
        for number in range(count):
            label, own = number % 2, (count + 1 - number % 2) // 2
            along = (number // 2 + shift) / own
            angle = 1.75 * 2 * pi * along + (pi if label else 0.0)
            dx, dy = (rng.uniform(-self.noise, self.noise) for _ in range(2))
            yield 6.0 * along * sin(angle) + dx, 6.0 * along * cos(angle) + dy, label


class Moons(Drawn):
    """Points of the plane in two classes: two half circles that reach into each other.

    Both have radius 1; class 0 is the upper half around (0, 0), class 1 the lower half around (1, 0.5). Angles are
    uniform, and noise N(0, `noise`) is added to each coordinate.
    """

    def points(self, count: int, rng: Random, shift: float) -> Iterator[Point]:
        """As Drawn.points."""
        for number in range(count):
            label, angle = number % 2, rng.uniform(0.0, pi)
            x, y = (1.0 - cos(angle), 0.5 - sin(angle)) if label else (cos(angle), sin(angle))
            yield x + rng.gauss(0.0, self.noise), y + rng.gauss(0.0, self.noise), label


@dataclass(frozen=True, kw_only=True)
class XorCorners(Points):
    """The four corners of the unit square, class 1 where the coordinates differ.

    It is the XOR task of NEAT (Stanley and Miikkulainen, 2002). Training, validation and test part are the same four
    points: a task to be solved, not to be generalised.
    """

    def part(self, name: str) -> list[Point]:
        """As Points.part."""
        return [(float(x), float(y), int(x != y)) for x in (0, 1) for y in (0, 1)]


def _arrays(points: list[Point]) -> tuple[NDArray[Any], NDArray[Any]]:
    x = np.array([point[:2] for point in points], dtype=np.float32)
    return x, np.array([point[2] for point in points], dtype=np.int64)
