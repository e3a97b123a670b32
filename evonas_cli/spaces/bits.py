"""One-max on bit strings: the toy of Regularized Evolution (Real, Aggarwal, Huang and Le, 2019), without its noise.

True fitness is the share of ones; what is observed adds Gaussian noise (sd 0.01 in the paper) and is the job's affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.choices import Choice, Genes
from evonas_cli.genomes.independent import Independent


@dataclass
class Bits(Independent):
    """One-max: bit strings whose fitness is the share of ones.

    Genomes are tuples of `length` zeros and ones.
    """

    length: int = 100
    choices: Sequence[Choice] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if type(self.length) is not int or self.length < 1:
            raise UsageError(f"space.length must be a whole number of at least 1; it is {self.length!r}")
        self.choices = tuple(Choice(f"bit_{locus}", (0, 1)) for locus in range(self.length))

    def score(self, genome: Genes) -> float:
        """Ones / length."""
        return genome.count(1) / self.length
