"""A parabola over one real number, the landscape on which EvoGrad is demonstrated (Uber AI, 2019: optimum at 5).

score(x) = 1 - ((x - optimum) / w)^2,  w = max(optimum - low, high - optimum)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes import choices
from evonas_cli.genomes.choices import Genes
from evonas_cli.genomes.ranges import Real


@dataclass
class Parabola:
    """A real number in [low, high], whose score falls with the square of its distance from the optimum.

    Genomes are tuples of the one number.
    """

    low: float = -20.0
    high: float = 20.0
    optimum: float = 5.0
    choices: Sequence[Real] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            self.choices = (Real("x", self.low, self.high),)
            self.choices[0].check(self.optimum)
        except ValueError as error:
            raise UsageError(f"space.low, space.high, space.optimum: {error}") from None
        if self.low == self.high:
            raise UsageError(f"space.low must be below space.high; both are {self.low}")

    def sample(self, rng: Random) -> Genes:
        """Uniform."""
        return choices.sample(self.choices, rng)

    def mutate(self, genome: Genes, rng: Random) -> Genes:
        """Another uniform number."""
        return choices.redraw(self.choices, genome, 0, rng)

    def distance(self, first: Genes, second: Genes) -> float:
        """Share of the range between two numbers."""
        return choices.distance(self.choices, first, second)

    def score(self, genome: Genes) -> float:
        """In [0, 1]."""
        width = max(self.optimum - self.low, self.high - self.optimum)
        apart = (float(genome[0]) - self.optimum) / width
        return 1 - apart * apart

    def to_json(self, genome: Genes) -> Json:
        """A list of the one number."""
        return list(genome)

    def from_json(self, data: Json) -> Genes:
        """The inverse of `to_json`. Raises ValueError for what is no number in the range."""
        return choices.parse(self.choices, data)
