"""Settings of the training as genes, for one fixed network of two convolutions and two linear layers.

The network is that of the hyperparameter genetic algorithm on FashionMNIST that `experiment=hyperparameter_ga_run*`
repeats: 3x3 convolution, ReLU, 3x3 convolution, ReLU, 2x2 max pooling, linear, ReLU, linear. Its report states neither
channels nor hidden units nor dropout; ours are settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Genes, named
from evonas_cli.genomes.declared import Declared
from evonas_cli.network.inputs import check_maps
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Phenotype, Task


class Hyperparameters(Declared):
    """Trainer settings as genes, on a fixed network of two convolutions and two linear layers.

    Genomes are the values, in the order of `genes`, which maps trainer keys to what they may be: see
    `genomes/declared.py`. `channels` are those of the two convolutions, `hidden` the units between the linear layers;
    `dropout` is before each linear layer. Raises UsageError for genes without a valid range, naming them.
    """

    def __init__(
        self,
        genes: Mapping[str, Mapping[str, Json]],
        channels: Sequence[int] = (8, 16),
        hidden: int = 64,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(genes, "trainer key, e.g. learning_rate")
        if len(channels) != 2 or min(*channels, hidden) < 1:
            raise UsageError(
                f"space.channels must be two numbers above 0 and space.hidden one; they are {list(channels)}, {hidden}"
            )
        if not 0 <= dropout < 1:
            raise UsageError(f"space.dropout must be in [0, 1); it is {dropout}")
        self.channels, self.hidden, self.dropout = tuple(channels), hidden, dropout

    @property
    def tuned(self) -> Mapping[str, Sequence[Json]]:
        """The trainer keys with the ends of their ranges, or all their options."""
        return self.extremes

    def default(self, trainer: Mapping[str, Json]) -> Genes | None:
        """The settings as they are configured; None where one lies outside of its range."""
        return self._genome_of(trainer)

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The fixed network, and the genes as trainer settings. Raises PlanError for inputs that are no maps."""
        check_maps("hyperparameters", task)
        graph = Graph(task.inputs)
        x = graph.input
        for channels in self.channels:
            x = graph.add("relu", graph.add("conv", x, channels=channels, kernel=3, bias=1))
        x = graph.add("flatten", graph.add("max_pool", x, kernel=2, stride=2))
        x = graph.add("relu", graph.add("linear", self._drop(graph, x), features=self.hidden))
        x = graph.add("linear", self._drop(graph, x), features=task.outputs)
        return Phenotype(graph.plan(x), named(self.choices, genome))

    def _drop(self, graph: Graph, x: int) -> int:
        return graph.add("dropout", x, rate=self.dropout) if self.dropout else x
