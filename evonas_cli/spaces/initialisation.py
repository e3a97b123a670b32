"""Initial weights as genes, for one fixed network: distribution, fan, gain, and the output layer's gain.

network/initialisations.py has the choices and their sources. He's initialisation is normal, fan_in, gain 1.41; Glorot's
uniform, fan_avg, gain 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Genes
from evonas_cli.genomes.declared import Declared
from evonas_cli.genomes.fixed import OnFixedNetwork
from evonas_cli.genomes.options import words
from evonas_cli.network.initialisations import DISTRIBUTIONS, FANS, Initialisation
from evonas_cli.network.task import Phenotype


class InitialWeights(OnFixedNetwork[Genes], Declared):
    """How initial weights are drawn.

    `low` and `high` bound both gains, uniform in the logarithm; `distributions` and `fans` are the options. `network`
    is as in space=fixed_network. Raises UsageError for settings out of range, and for what is no plan.
    """

    def __init__(
        self,
        low: float = 0.1,
        high: float = 4.0,
        distributions: Sequence[str] = DISTRIBUTIONS,
        fans: Sequence[str] = FANS,
        network: Mapping[str, Any] | None = None,
    ) -> None:
        if type(low) not in (int, float) or type(high) not in (int, float) or not 0 < low <= high < 1e6:
            raise UsageError(f"space.low and space.high are {low!r}, {high!r}; they must be 0 < low <= high < 1e6")
        gain: Mapping[str, Json] = {"low": low, "high": high, "log": True}
        genes: dict[str, Mapping[str, Json]] = {
            "distribution": {"options": list(words("distributions", distributions, DISTRIBUTIONS))},
            "fan": {"options": list(words("fans", fans, FANS))},
            "gain": gain,
            "output_gain": gain,
        }
        Declared.__init__(self, genes, "gene")
        super().__init__(network)

    @property
    def tuned(self) -> Mapping[str, Sequence[Json]]:
        """The trainer's initialisation, with the least and the largest gains."""
        ends = self.extremes.values()
        return {"initialisation": [_text(tuple([values[end] for values in ends])) for end in (0, -1)]}

    def applied(self, genome: Genes, phenotype: Phenotype) -> Phenotype:
        """The network with such initial weights."""
        return Phenotype(phenotype.plan, {**phenotype.hyper, "initialisation": _text(genome)})


def _text(genes: Sequence[Any]) -> str:
    distribution, fan, gain, output_gain = genes
    return str(Initialisation(str(distribution), str(fan), float(gain), float(output_gain)))
