"""One-max on bit strings: the toy of Regularized Evolution (Real, Aggarwal, Huang and Le, 2019), without its noise.

True fitness is the share of ones; what is observed adds Gaussian noise (sd 0.01 in the paper) and is the job's affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes import choices
from evonas_cli.genomes.choices import Choice, Genes
from evonas_cli.genomes.walk import Kinds, Program, kinds_of, walk_choices


@dataclass
class Bits:
    """One-max: bit strings whose fitness is the share of ones.

    Genomes are tuples of `length` zeros and ones.
    """

    length: int = 100
    choices: Sequence[Choice] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if type(self.length) is not int or self.length < 1:
            raise UsageError(f"space.length must be a whole number of at least 1; it is {self.length!r}")
        self.choices = tuple(Choice(f"bit_{locus}", (0, 1)) for locus in range(self.length))

    def sample(self, rng: Random) -> Genes:
        """Every bit a fair coin."""
        return choices.sample(self.choices, rng)

    def mutate(self, genome: Genes, rng: Random) -> Genes:
        """One bit flipped, never the genome itself."""
        return choices.redraw(self.choices, genome, rng.randrange(self.length), rng)

    def distance(self, first: Genes, second: Genes) -> float:
        """Share of the loci that differ (Hamming 1950)."""
        return choices.distance(self.choices, first, second)

    @property
    def kinds(self) -> Kinds:
        """A kind for each locus."""
        return kinds_of(self.choices)

    def walk(self) -> Program[Genes]:
        """One locus after the other."""
        return walk_choices(self.choices)

    def score(self, genome: Genes) -> float:
        """Ones / length."""
        return genome.count(1) / self.length

    def to_json(self, genome: Genes) -> Json:
        """A list of 0 and 1."""
        return list(genome)

    def from_json(self, data: Json) -> Genes:
        """The inverse of `to_json`. Raises ValueError for what is no list of `length` bits."""
        return choices.parse(self.choices, data)
