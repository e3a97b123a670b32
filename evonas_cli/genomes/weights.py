"""The locus of a link's weight."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from random import Random

from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Gene


@dataclass(frozen=True, slots=True)
class Weight:
    """Any finite number; the prior is normal with mean 0 and standard deviation `sd`.

    A weight has no range, so that steps and distances are in its own unit, unlike those of other loci.
    """

    name: str
    sd: float

    @property
    def grid(self) -> None:
        """None: a weight has no steps."""

    def draw(self, rng: Random) -> Gene:
        """From the prior."""
        return rng.gauss(0.0, self.sd)

    def redraw(self, gene: Gene, rng: Random) -> Gene:
        """A fresh draw."""
        return self.draw(rng)

    def step(self, gene: Gene, rng: Random, scale: float) -> Gene:
        """A Gaussian step of the standard deviation `scale`."""
        return float(gene) + rng.gauss(0.0, scale)

    def blend(self, first: Gene, second: Gene, share: float) -> Gene:
        """The arithmetic mean with these weights."""
        return first if first == second else (1 - share) * float(first) + share * float(second)

    def distance(self, first: Gene, second: Gene) -> float:
        """The absolute difference."""
        return abs(float(first) - float(second))

    def check(self, value: Json) -> Gene:
        """A finite number. Raises ValueError for anything else."""
        if type(value) not in (int, float) or not isfinite(value):  # type: ignore[arg-type]
            raise ValueError(f"{self.name} is {value!r}; it must be a finite number")
        return float(value)  # type: ignore[arg-type]
