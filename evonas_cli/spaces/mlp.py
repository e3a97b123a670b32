"""Fully connected networks: up to a few hidden layers with an activation, a normalisation and dropout.

Each hidden layer is linear, [normalisation], activation, [dropout]; a linear layer gives the outputs.
"""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.choices import Choice, Gene, Genes
from evonas_cli.genomes.independent import Independent
from evonas_cli.genomes.options import rates, whole_numbers, words
from evonas_cli.network.inputs import refusal
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Phenotype, Task

ACTIVATIONS = ("relu", "gelu", "tanh")
NORMALISATIONS = ("none", "batch_norm", "layer_norm")


class Mlp(Independent):
    """Fully connected networks for vectors; images and series are flattened.

    Genomes are the widths of `layers` hidden layers, where 0 leaves a layer out, and one activation, normalisation and
    rate of dropout for all of them. Raises UsageError for options that are no such things, or twice the same.
    """

    def __init__(
        self,
        layers: int = 3,
        widths: Sequence[int] = (0, 32, 64, 128, 256),
        activations: Sequence[str] = ACTIVATIONS,
        normalisations: Sequence[str] = NORMALISATIONS,
        dropouts: Sequence[float] = (0.0, 0.2, 0.5),
    ) -> None:
        if type(layers) is not int or layers < 1:
            raise UsageError(f"space.layers must be a whole number of at least 1; it is {layers!r}")
        sizes = whole_numbers("widths", widths, least=0)
        self.choices: Sequence[Choice] = [
            *[Choice(f"layer {place}", sizes) for place in range(1, layers + 1)],
            Choice("activation", words("activations", activations, ACTIVATIONS)),
            Choice("normalisation", words("normalisations", normalisations, NORMALISATIONS)),
            Choice("dropout", rates("dropouts", dropouts)),
        ]

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network. Raises PlanError for token ids."""
        if task.vocabulary:
            raise refusal("mlp", "vectors, series or images", task)
        *widths, activation, normalisation, rate = genome
        graph = Graph(task.inputs)
        x = graph.input if len(task.inputs) == 1 else graph.add("flatten", graph.input)
        for width in widths:
            if width:
                x = _hidden(graph, x, int(width), activation, normalisation, float(rate))
        return Phenotype(graph.plan(graph.add("linear", x, features=task.outputs)))


def _hidden(graph: Graph, x: int, width: int, activation: Gene, normalisation: Gene, rate: float) -> int:
    x = graph.add("linear", x, features=width)
    if normalisation != "none":
        x = graph.add(str(normalisation), x)
    x = graph.add(str(activation), x)
    return graph.add("dropout", x, rate=rate) if rate else x
