"""What a space of independent choices among options can do, as one base class: it declares `choices`, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from evonas_cli.core.types import Json
from evonas_cli.genomes import choices
from evonas_cli.genomes.choices import Choice, Genes
from evonas_cli.genomes.walk import Kinds, Program, kinds_of, walk_choices


class Independent:
    """Genomes are tuples with one option of each of `choices`, which the space sets: it is then Linear, Mutable,
    Measured and Walkable. In JSON they are lists.

    A space may replace any of these methods by its own: `class Mlp(Independent)`.
    """

    choices: Sequence[Choice]

    def sample(self, rng: Random) -> Genes:
        """Every gene drawn uniformly."""
        return choices.sample(self.choices, rng)

    def mutate(self, genome: Genes, rng: Random) -> Genes:
        """One gene, drawn uniformly, gets a different option."""
        return choices.redraw(self.choices, genome, rng.randrange(len(genome)), rng)

    def distance(self, first: Genes, second: Genes) -> float:
        """Share of the genes that differ (Hamming 1950)."""
        return choices.distance(self.choices, first, second)

    @property
    def kinds(self) -> Kinds:
        """A kind for each gene: its own softmax in a learned policy."""
        return kinds_of(self.choices)

    def walk(self) -> Program[Genes]:
        """One gene after the other."""
        return walk_choices(self.choices)

    def to_json(self, genome: Genes) -> Json:
        """A list of the options."""
        return list(genome)

    def from_json(self, data: Json) -> Genes:
        """The inverse of `to_json`. Raises ValueError that names the gene that does not fit."""
        return choices.parse(self.choices, data)
