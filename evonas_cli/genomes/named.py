"""Genes by their names: how a genome of `choices` is written in JSON where a list of options would say too little."""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Genes, Locus, named, parse_named


class Named:
    """Writes genomes of `choices`, which the space sets, as objects: `class SequenceNet(Named, Independent)`."""

    choices: Sequence[Locus]

    def to_json(self, genome: Genes) -> Json:
        """The genes by name."""
        return named(self.choices, genome)

    def from_json(self, data: Json) -> Genes:
        """The inverse of `to_json`. Raises ValueError that names the gene that does not fit."""
        return parse_named(self.choices, data)
