"""Loci that hold numbers: real and whole ranges, on a linear or a logarithmic scale."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, floor, isfinite, log
from random import Random

from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Gene


@dataclass(frozen=True, slots=True)
class Real:
    """A number in [low, high], uniform, or uniform in its logarithm. `points`: how many a grid takes; None: no grid.

    Raises ValueError for ends that are no finite numbers or the wrong way round, and for a logarithm of 0.
    """

    name: str
    low: float
    high: float
    log: bool = False
    points: int | None = None

    def __post_init__(self) -> None:
        _check_ends(self.name, self.low, self.high, self.log)
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))
        if self.points is not None and (type(self.points) is not int or self.points < 2):
            raise ValueError(f"{self.name}: points is {self.points!r}; a grid takes at least 2")

    @property
    def grid(self) -> tuple[Gene, ...] | None:
        """`points` values at equal steps, both ends among them."""
        if self.points is None:
            return None
        if self.low == self.high:
            return (float(self.low),)
        return tuple([self.at(index / (self.points - 1)) for index in range(self.points)])

    def at(self, share: float) -> float:
        """The number at a share of the range; 0 and 1 give the ends exactly."""
        if share <= 0 or share >= 1:
            return float(self.low if share <= 0 else self.high)
        if self.log:
            return min(self.high, max(self.low, exp(log(self.low) + share * (log(self.high) - log(self.low)))))
        return min(self.high, max(self.low, self.low + share * (self.high - self.low)))

    def share(self, gene: Gene) -> float:
        """Where in the range a number lies, in [0, 1]."""
        if self.low == self.high:
            return 0.0
        value = float(gene)
        if self.log:
            span = log(self.high) - log(self.low)  # 0 for neighbouring numbers, whose logarithms are equal
            return (log(value) - log(self.low)) / span if span else 0.0
        return (value - self.low) / (self.high - self.low)

    def draw(self, rng: Random) -> Gene:
        """Uniform on the range's scale."""
        return self.at(rng.random())

    def redraw(self, gene: Gene, rng: Random) -> Gene:
        """A fresh draw."""
        return self.draw(rng)

    def step(self, gene: Gene, rng: Random, scale: float) -> Gene:
        """A Gaussian step on the range's scale, cut off at the ends."""
        return self.at(self.share(gene) + rng.gauss(0.0, scale))

    def blend(self, first: Gene, second: Gene, share: float) -> Gene:
        """The arithmetic mean with these weights, on the range's scale."""
        if first == second:
            return first
        return self.at((1 - share) * self.share(first) + share * self.share(second))

    def distance(self, first: Gene, second: Gene) -> float:
        """Share of the range between the two."""
        return abs(self.share(first) - self.share(second))

    def check(self, value: Json) -> Gene:
        """A number in the range. Raises ValueError for anything else."""
        if type(value) not in (int, float) or not self.low <= float(value) <= self.high:  # type: ignore[arg-type]
            raise ValueError(f"{self.name} is {value!r}; it must be a number in [{self.low}, {self.high}]")
        return float(value)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number in low .. high, uniform, or with the logarithm of its unit interval uniform.

    Raises ValueError as Real does.
    """

    name: str
    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        if type(self.low) is not int or type(self.high) is not int:
            raise ValueError(
                f"{self.name}: the ends of a whole range are whole numbers, not {self.low} and {self.high}"
            )
        _check_ends(self.name, self.low, self.high, self.log)

    @property
    def grid(self) -> tuple[Gene, ...]:
        """All of them."""
        return tuple(range(self.low, self.high + 1))

    def draw(self, rng: Random) -> Gene:
        """Uniform on the range's scale."""
        return self._at(rng.random())

    def redraw(self, gene: Gene, rng: Random) -> Gene:
        """A draw that is not the gene itself, unless there is no other."""
        if self.low == self.high:
            return gene
        while True:
            drawn = self.draw(rng)
            if drawn != gene:
                return drawn

    def step(self, gene: Gene, rng: Random, scale: float) -> Gene:
        """A Gaussian step on the range's scale, rounded, or by one where that is none; cut off at the ends."""
        moved = self._at(self._share(gene) + rng.gauss(0.0, scale))
        if moved != gene or self.low == self.high:
            return moved
        return min(self.high, max(self.low, int(gene) + rng.choice((-1, 1))))

    def blend(self, first: Gene, second: Gene, share: float) -> Gene:
        """The mean with these weights on the range's scale, rounded."""
        if first == second:
            return first
        return self._at((1 - share) * self._share(first) + share * self._share(second))

    def distance(self, first: Gene, second: Gene) -> float:
        """Share of the range between the two."""
        return abs(self._share(first) - self._share(second))

    def check(self, value: Json) -> Gene:
        """A whole number in the range. Raises ValueError for anything else."""
        if type(value) is not int or not self.low <= value <= self.high:
            raise ValueError(f"{self.name} is {value!r}; it must be a whole number in {self.low} .. {self.high}")
        return value

    def _real(self) -> Real:
        low = self.low - 0.5
        return Real(self.name, low, self.high + 0.5, self.log)

    def _at(self, share: float) -> int:
        return min(self.high, max(self.low, floor(self._real().at(share) + 0.5)))

    def _share(self, gene: Gene) -> float:
        return self._real().share(gene)


def _check_ends(name: str, low: float, high: float, log: bool) -> None:
    for end in (low, high):
        if type(end) not in (int, float) or not isfinite(end):
            raise ValueError(f"{name}: the range {low!r} to {high!r} has an end that is no finite number")
    if low > high:
        raise ValueError(f"{name}: the lower end {low} is above the upper end {high}")
    if log and low <= 0:
        raise ValueError(f"{name}: a logarithmic range must lie above 0; it begins at {low}")
