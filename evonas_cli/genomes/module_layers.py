"""What a node of a module may be, by what the examples are: the layer lists of CoDeepNEAT.

    images      convolution, batch normalisation, activation, [2x2 max-pool], dropout; head: global average pooling
    sequences   a convolution over time, LSTM, GRU or a dense layer at each step, dropout; head: all columns to one
    vectors     dense, batch normalisation, activation, dropout

The first is that of Miikkulainen et al. (Evolving Deep Neural Networks, 2017), the second that of Liang et al.
(Evolutionary Neural AutoML for Deep Learning, 2019), whose layers for text are Conv1D, LSTM, GRU, dropout and dense.
Every head ends in a linear layer, which is not made here. Token ids are embedded first; the columns of padding are set
to zero before each layer, and the head leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from evonas_cli.genomes.choices import Gene, Genes, Locus
from evonas_cli.genomes.marked_graph import NodeGene
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Task

OPERATIONS = ("conv1d", "lstm", "gru", "dense")
POOLINGS = ("mean", "max", "last")
RELU = "relu"
Networkwide = Mapping[str, Gene]
"""The global genes of a network by name."""


class LayerList(Protocol):
    """The layers of a kind of examples."""

    @property
    def reads(self) -> str:
        """What it reads, in words."""

    @property
    def node_loci(self) -> tuple[Locus, ...]:
        """The genes of a node."""

    @property
    def global_loci(self) -> tuple[Locus, ...]:
        """Genes that only networks of such layers have."""

    def fits(self, task: Task) -> bool:
        """Whether it reads the task's examples."""

    def stem(self, graph: Graph, task: Task, genes: Networkwide) -> int:
        """Adds what stands before the first layer; returns its output."""

    def layer(self, graph: Graph, x: int, node: NodeGene, task: Task, genes: Networkwide) -> int:
        """Adds a node on top of `x`; returns its output."""

    def head(self, graph: Graph, x: int, task: Task, genes: Networkwide) -> int:
        """Adds what makes a vector of `x`; returns it."""

    def words(self, node: Genes) -> str:
        """A node for people."""


@dataclass(frozen=True)
class Images:
    """Inputs (channels, height, width). Genes: filters, kernel, dropout, scale of the initial weights, max-pool."""

    node_loci: tuple[Locus, ...]
    global_loci: tuple[Locus, ...] = ()
    reads: str = "(channels, height, width) inputs"

    def fits(self, task: Task) -> bool:
        """Images."""
        return len(task.inputs) == 3

    def stem(self, graph: Graph, task: Task, genes: Networkwide) -> int:
        """The image."""
        return graph.input

    def layer(self, graph: Graph, x: int, node: NodeGene, task: Task, genes: Networkwide) -> int:
        """A max-pool is left out where the map is down to one pixel."""
        filters, kernel, dropout, weight_scale, max_pool = node.genes
        x = graph.add("conv", x, channels=int(filters), kernel=int(kernel), gain=float(weight_scale))
        x = graph.add(_activation(genes), graph.add("batch_norm", x))
        if max_pool and min(graph.shape(x)[1:]) > 1:
            x = graph.add("max_pool", x, kernel=2, stride=2)
        return _dropped(graph, x, dropout)

    def head(self, graph: Graph, x: int, task: Task, genes: Networkwide) -> int:
        """Global average pooling."""
        return graph.add("global_avg_pool", x)

    def words(self, node: Genes) -> str:
        """`conv 3x3, 64, dropout 0.2, max pool`."""
        filters, kernel, dropout, _, max_pool = node
        return f"conv {kernel}x{kernel}, {filters}{_noted(dropout)}" + (", max pool" if max_pool else "")


@dataclass(frozen=True)
class Sequences:
    """Inputs (channels, length), or token ids. Genes: layer, filters, kernel, dropout, scale of the initial weights.

    Kernel and scale are those of convolutions; another layer has no use for them. Global genes: pooling, and embedding,
    which series have no use for.
    """

    node_loci: tuple[Locus, ...]
    global_loci: tuple[Locus, ...]
    reads: str = "series (channels, length) or token ids"

    def fits(self, task: Task) -> bool:
        """Series and texts."""
        return bool(task.vocabulary) or len(task.inputs) == 2

    def stem(self, graph: Graph, task: Task, genes: Networkwide) -> int:
        """The series, or the embedded tokens."""
        if not task.vocabulary:
            return graph.input
        return graph.add("embedding", graph.input, vocabulary=task.vocabulary, width=int(genes["embedding"]))

    def layer(self, graph: Graph, x: int, node: NodeGene, task: Task, genes: Networkwide) -> int:
        """The length stays. A dense layer is a convolution of one column."""
        operation, filters, kernel, dropout, weight_scale = node.genes
        if task.vocabulary:
            x = graph.add("mask", x, graph.input)
        if operation in ("lstm", "gru"):
            x = graph.add(str(operation), x, hidden=int(filters))
        else:
            columns = int(kernel) if operation == "conv1d" else 1
            gain = float(weight_scale) if operation == "conv1d" else 1.0
            x = graph.add("conv1d", x, channels=int(filters), kernel=columns, bias=1, gain=gain)
            x = graph.add(_activation(genes), x)
        return _dropped(graph, x, dropout)

    def head(self, graph: Graph, x: int, task: Task, genes: Networkwide) -> int:
        """All columns to one, without padding."""
        return graph.add(f"{genes['pooling']}_time", x, *([graph.input] if task.vocabulary else []))

    def words(self, node: Genes) -> str:
        """`conv1d 3, 64, dropout 0.2`."""
        operation, filters, kernel, dropout, _ = node
        return f"{operation}{f' {kernel}' if operation == 'conv1d' else ''}, {filters}{_noted(dropout)}"


@dataclass(frozen=True)
class Vectors:
    """Inputs (features,); images and series are flattened. Genes: filters, which are features here, and dropout."""

    node_loci: tuple[Locus, ...]
    global_loci: tuple[Locus, ...] = ()
    reads: str = "vectors, series or images"

    def fits(self, task: Task) -> bool:
        """Vectors, series and images."""
        return not task.vocabulary and len(task.inputs) <= 3

    def stem(self, graph: Graph, task: Task, genes: Networkwide) -> int:
        """The vector."""
        return graph.input if len(task.inputs) == 1 else graph.add("flatten", graph.input)

    def layer(self, graph: Graph, x: int, node: NodeGene, task: Task, genes: Networkwide) -> int:
        """Linear, batch normalisation, activation, dropout."""
        features, dropout = node.genes
        x = graph.add("batch_norm", graph.add("linear", x, features=int(features)))
        return _dropped(graph, graph.add(_activation(genes), x), dropout)

    def head(self, graph: Graph, x: int, task: Task, genes: Networkwide) -> int:
        """The vector as it is."""
        return x

    def words(self, node: Genes) -> str:
        """`dense, 64, dropout 0.2`."""
        features, dropout = node
        return f"dense, {features}{_noted(dropout)}"


def fitting(lists: Mapping[str, LayerList], task: Task) -> Sequence[str]:
    """The names of the lists that read the task's examples."""
    return [name for name, layers in lists.items() if layers.fits(task)]


def _activation(genes: Networkwide) -> str:
    return str(genes.get("activation", RELU))


def _dropped(graph: Graph, x: int, rate: Gene) -> int:
    return graph.add("dropout", x, rate=float(rate)) if float(rate) > 0 else x


def _noted(rate: Gene) -> str:
    return f", dropout {float(rate):.2g}" if float(rate) > 0 else ""
