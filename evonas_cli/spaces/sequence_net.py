"""Networks for sequences: convolutions and recurrent layers, all columns reduced to one, and a dense head.

Token ids are embedded first. A convolution is followed by ReLU. Between layers the columns of padding are set to zero,
and the reduction leaves them out, so that longer padding changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.choices import Choice, Gene, Genes
from evonas_cli.genomes.independent import Independent
from evonas_cli.genomes.named import Named
from evonas_cli.genomes.options import rates, whole_numbers, words
from evonas_cli.network.inputs import refusal
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Phenotype, Task

OPERATIONS = ("conv1d", "lstm", "gru")
POOLINGS = ("mean", "max", "last")
ABSENT = "none"


class SequenceNet(Named, Independent):
    """Networks for series (channels, length) and for token ids.

    Genomes have an operation, a width and a kernel for each of `layers` layers, of which all but the first may be
    absent; the width of the embedding, the kind of pooling, the width of the head (0: none), and a rate of dropout
    before each linear layer. Genes that a network has no use for stay unused. Raises UsageError for options that are no
    such things, or twice the same.
    """

    def __init__(
        self,
        layers: int = 3,
        operations: Sequence[str] = OPERATIONS,
        widths: Sequence[int] = (16, 32, 64),
        kernels: Sequence[int] = (3, 5, 7),
        embeddings: Sequence[int] = (16, 32, 64),
        poolings: Sequence[str] = POOLINGS,
        heads: Sequence[int] = (0, 32, 64),
        dropouts: Sequence[float] = (0.0, 0.2, 0.5),
    ) -> None:
        if type(layers) is not int or layers < 1:
            raise UsageError(f"space.layers must be a whole number of at least 1; it is {layers!r}")
        columns = whole_numbers("kernels", kernels, least=1)
        if any(kernel % 2 == 0 for kernel in columns):
            raise UsageError(f"space.kernels must be odd, so that the length stays; they are {list(kernels)}")
        kinds, sizes = words("operations", operations, OPERATIONS), whole_numbers("widths", widths, least=1)
        self.choices: Sequence[Choice] = [
            *_layers(layers, kinds, sizes, columns),
            Choice("embedding", whole_numbers("embeddings", embeddings, least=1)),
            Choice("pooling", words("poolings", poolings, POOLINGS)),
            Choice("head", whole_numbers("heads", heads, least=0)),
            Choice("dropout", rates("dropouts", dropouts)),
        ]

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network. Raises PlanError unless the inputs are series or token ids."""
        if len(task.inputs) != (1 if task.vocabulary else 2):
            raise refusal("sequence_net", "series (channels, length) or token ids", task)
        *layers, embedding, pooling, head, rate = genome
        graph = Graph(task.inputs)
        x, ids = graph.input, (graph.input,) if task.vocabulary else ()
        if ids:
            x = graph.add("embedding", x, vocabulary=task.vocabulary, width=int(embedding))
        first = True
        for start in range(0, len(layers), 3):
            operation, width, kernel = layers[start : start + 3]
            if operation != ABSENT:
                x = x if first or not ids else graph.add("mask", x, *ids)
                x, first = _layer(graph, x, operation, int(width), int(kernel)), False
        x = graph.add(f"{pooling}_time", x, *ids)
        if head:
            x = graph.add("relu", graph.add("linear", _drop(graph, x, rate), features=int(head)))
        return Phenotype(graph.plan(graph.add("linear", _drop(graph, x, rate), features=task.outputs)))


def _layers(count: int, operations: tuple[str, ...], widths: tuple[int, ...], kernels: tuple[int, ...]) -> list[Choice]:
    choices = []
    for place in range(1, count + 1):
        choices += [
            Choice(f"operation {place}", operations if place == 1 else (ABSENT, *operations)),
            Choice(f"width {place}", widths),
            Choice(f"kernel {place}", kernels),
        ]
    return choices


def _layer(graph: Graph, x: int, operation: Gene, width: int, kernel: int) -> int:
    if operation == "conv1d":
        return graph.add("relu", graph.add("conv1d", x, channels=width, kernel=kernel, bias=1))
    return graph.add(str(operation), x, hidden=width)


def _drop(graph: Graph, x: int, rate: Gene) -> int:
    return graph.add("dropout", x, rate=float(rate)) if rate else x
