"""One network that does not change, with settings of its training as genes: tuning after a search (Liang et al., 2019).

LEAF ends with a search for the hyperparameters of the architecture that it found. What is compared with a tuned network
has to be tuned as long; without `network` the space holds the plain network of `network/baselines.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Genes, named
from evonas_cli.genomes.declared import Declared
from evonas_cli.genomes.fixed import plan_for, plan_of
from evonas_cli.network.baselines import RATE, dropout_rate, with_dropout
from evonas_cli.network.task import Phenotype, Task

DROPOUT = "dropout"


class FixedNetwork(Declared):
    """Trainer settings, and a rate of dropout, as genes on a network that does not change.

    `network` is a plan as `evonas export` writes it into plan.json; None: the plain network for the kind of inputs.
    `genes` are as in `genomes/declared.py`; the gene `dropout` is the rate of all dropout layers of the network.
    Raises UsageError for what is no plan, and for a gene `dropout` that a network has no layer for.
    """

    def __init__(self, genes: Mapping[str, Mapping[str, Json]], network: Mapping[str, Any] | None = None) -> None:
        super().__init__(genes, "trainer key, e.g. learning_rate")
        self._network = None if network is None else plan_of(network)
        if DROPOUT in genes and self._network is not None and dropout_rate(self._network) is None:
            raise UsageError("space.genes.dropout: the network has no dropout layer; leave that gene out")

    @property
    def tuned(self) -> Mapping[str, Sequence[Json]]:
        """The trainer keys with the ends of their ranges; the rate of dropout is the network's."""
        return {key: values for key, values in self.extremes.items() if key != DROPOUT}

    def default(self, trainer: Mapping[str, Json]) -> Genes | None:
        """The settings as they are configured, and the network's own rate of dropout; None as in `_genome_of`."""
        rate = RATE if self._network is None else dropout_rate(self._network)
        return self._genome_of({**trainer, DROPOUT: rate})

    def function_key(self, genome: Genes) -> str:
        """The genes: a strategy tells genomes apart by these, and needs no task that the network is for."""
        return json.dumps(self.to_json(genome))

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network, and the genes as trainer settings. Raises PlanError for a task that the network is not for."""
        plan = plan_for(self._network, task)
        settings = named(self.choices, genome)
        rate = settings.pop(DROPOUT, None)
        return Phenotype(plan if rate is None else with_dropout(plan, float(rate)), settings)
