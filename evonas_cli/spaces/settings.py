"""Settings of a strategy as genes, for programming by optimisation (Hoos, Communications of the ACM 55(2), 2012)."""

from __future__ import annotations

from collections.abc import Mapping

from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Genes, named
from evonas_cli.genomes.declared import Declared


class Settings(Declared):
    """Settings of a search strategy as genes, for `job=search`.

    Genomes are the values, in the order of `genes`, which maps settings to what they may be (`genomes/declared.py`). A
    setting is named as in the strategy's YAML file, one of a strategy within the strategy after a dot
    (`proposer.population_size`). Raises UsageError for genes without a valid range, naming them.
    """

    def __init__(self, genes: Mapping[str, Mapping[str, Json]]) -> None:
        super().__init__(genes, "setting of the strategy, e.g. population_size")

    def configured(self, genome: Genes) -> Mapping[str, Json]:
        """The values by the names of the settings."""
        return named(self.choices, genome)
