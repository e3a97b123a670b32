"""Transformer encoders (Vaswani et al., NeurIPS 2017) for token ids, series and images.

Token ids are embedded; the columns of a series are projected; an image is cut into patches, which are projected
(Dosovitskiy et al., ICLR 2021). Positions are added, or rotate queries and keys, or stay unknown. Each layer has two
parts, self-attention and two linear layers for each position; the input of a part is added to what the part computes.
Normalisation comes after that sum (`post`, as in the first paper), or at the head of each part (`pre`: Xiong et al.,
ICML 2020), where a last one precedes the pooling. The columns become one by their mean or maximum, without those of
padding, and a linear layer gives the outputs.
"""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.choices import Choice, Gene, Genes, named
from evonas_cli.genomes.independent import Independent
from evonas_cli.genomes.named import Named
from evonas_cli.genomes.options import rates, whole_numbers, words
from evonas_cli.network.inputs import refusal
from evonas_cli.network.plan import Graph, PlanError
from evonas_cli.network.task import Phenotype, Task

NORMS = ("pre", "post")
ACTIVATIONS = ("relu", "gelu")
ATTENTIONS = ("full", "local", "linear")
POSITIONS = ("none", "sinusoidal", "learned", "rotary")
POOLINGS = ("mean", "max")


class Transformer(Named, Independent):
    """Transformer encoders for token ids, series (channels, length) and images in patches.

    Genomes have the number of layers, the width with the heads that divide it (`"64/4"`), the ratio of the hidden
    width, place of the normalisation, activation, kind of positions, side of a patch, columns that local attention sees
    on each side, kind of pooling, rate of dropout, and the kind of attention of each layer. Any options of these make a
    network: width and heads are one gene, whose options are the pairs that fit. Genes that a network has no use for
    stay unused. Raises UsageError for options that are no such things, or twice the same, and for a width that no
    number of heads divides.
    """

    def __init__(
        self,
        layers: Sequence[int] = (1, 2, 3, 4),
        widths: Sequence[int] = (16, 32, 64),
        heads: Sequence[int] = (1, 2, 4),
        ratios: Sequence[int] = (1, 2, 4),
        norms: Sequence[str] = NORMS,
        activations: Sequence[str] = ACTIVATIONS,
        attentions: Sequence[str] = ATTENTIONS,
        windows: Sequence[int] = (2, 4, 8),
        positions: Sequence[str] = POSITIONS,
        patches: Sequence[int] = (2, 4),
        poolings: Sequence[str] = POOLINGS,
        dropouts: Sequence[float] = (0.0, 0.1, 0.3),
        max_length: int = 512,
    ) -> None:
        depths = whole_numbers("layers", layers, least=1)
        places = words("positions", positions, POSITIONS)
        kinds = words("attentions", attentions, ATTENTIONS)
        if type(max_length) is not int or max_length < 1:
            raise UsageError(f"space.max_length must be a whole number of at least 1; it is {max_length!r}")
        self._max_length = max_length
        self.choices: Sequence[Choice] = [
            Choice("layers", depths),
            Choice("width/heads", _pairs(widths, heads, "rotary" in places)),
            Choice("ratio", whole_numbers("ratios", ratios, least=1)),
            Choice("norm", words("norms", norms, NORMS)),
            Choice("activation", words("activations", activations, ACTIVATIONS)),
            Choice("positions", places),
            Choice("patch", whole_numbers("patches", patches, least=1)),
            Choice("window", whole_numbers("windows", windows, least=1)),
            Choice("pooling", words("poolings", poolings, POOLINGS)),
            Choice("dropout", rates("dropouts", dropouts)),
            *[Choice(f"attention {layer}", kinds) for layer in range(1, max(depths) + 1)],
        ]

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network.

        Raises PlanError for vectors, for an image that a patch of the options does not divide, and for more columns
        than `max_length` if positions may be learned.
        """
        self._check(task)
        genes = named(self.choices, genome)
        graph, ids = Graph(task.inputs), (0,) if task.vocabulary else ()
        x = _positioned(graph, _columns(graph, task, genes), str(genes["positions"]))
        for layer in range(1, int(genes["layers"]) + 1):
            x = _layer(graph, x, ids, genes, str(genes[f"attention {layer}"]))
        x = graph.add("layer_norm", x) if genes["norm"] == "pre" else x
        x = _drop(graph, graph.add(f"{genes['pooling']}_time", x, *ids), genes)
        return Phenotype(graph.plan(graph.add("linear", x, features=task.outputs)))

    def _check(self, task: Task) -> None:
        options = {choice.name: choice.options for choice in self.choices}
        steps = task.inputs[-1]
        if len(task.inputs) == 1 and not task.vocabulary or len(task.inputs) > 3:
            raise refusal("transformer", "token ids, series (channels, length) or images", task)
        if len(task.inputs) == 3:
            _, height, width = task.inputs
            for side in map(int, options["patch"]):
                if height % side or width % side:
                    raise PlanError(
                        f"transformer cuts images into patches of {side}x{side}, which do not fit {task.examples}; "
                        f"leave in space.patches only sides that divide {height} and {width}"
                    )
            steps = height * width // min(map(int, options["patch"])) ** 2
        if "learned" in options["positions"] and steps > self._max_length:
            raise PlanError(
                f"transformer learns at most {self._max_length} positions, and {task.examples} have {steps}; raise "
                "space.max_length, or leave learned out of space.positions"
            )


def _pairs(widths: Sequence[int], heads: Sequence[int], rotates: bool) -> tuple[str, ...]:
    """Each width with each number of heads that divides it, for rotary positions into heads of even width."""
    sizes, numbers = whole_numbers("widths", widths, least=1), whole_numbers("heads", heads, least=1)
    parts = 2 if rotates else 1
    even = ", into heads of an even width, which rotary positions need" if rotates else ""
    fits = {size: [number for number in numbers if size % (parts * number) == 0] for size in sizes}
    for size, found in fits.items():
        if not found:
            raise UsageError(
                f"space.widths: no number of space.heads {list(heads)} divides {size}{even}; change either"
            )
    for number in numbers:
        if not any(number in found for found in fits.values()):
            raise UsageError(
                f"space.heads: {number} divides no width of space.widths {list(widths)}{even}; change either"
            )
    return tuple([f"{size}/{number}" for size, found in fits.items() for number in found])


def _size(genes: dict[str, Gene]) -> tuple[int, int]:
    width, heads = str(genes["width/heads"]).split("/")
    return int(width), int(heads)


def _columns(graph: Graph, task: Task, genes: dict[str, Gene]) -> int:
    """The inputs as columns of the width."""
    width, _ = _size(genes)
    if task.vocabulary:
        return graph.add("embedding", graph.input, vocabulary=task.vocabulary, width=width)
    if len(task.inputs) == 2:
        return graph.add("conv1d", graph.input, channels=width, kernel=1, bias=1)
    side = int(genes["patch"])
    x = graph.add("conv", graph.input, channels=width, kernel=side, stride=side, same=0, bias=1)
    return graph.add("map_to_sequence", x)


def _positioned(graph: Graph, x: int, positions: str) -> int:
    return graph.add(f"{positions}_positions", x) if positions in ("sinusoidal", "learned") else x


def _layer(graph: Graph, x: int, ids: tuple[int, ...], genes: dict[str, Gene], kind: str) -> int:
    """Attention, then two linear layers for each position."""
    width, heads = _size(genes)
    settings = {
        "heads": heads,
        "window": int(genes["window"]) if kind == "local" else 0,
        "linear": int(kind == "linear"),
        "rotary": int(genes["positions"] == "rotary"),
    }
    pre = genes["norm"] == "pre"
    y = graph.add("attention", graph.add("layer_norm", x) if pre else x, *ids, **settings)
    x = _summed(graph, x, y, genes)
    y = graph.add("layer_norm", x) if pre else x
    y = graph.add("conv1d", y, channels=int(genes["ratio"]) * width, kernel=1, bias=1)
    y = graph.add("conv1d", graph.add(str(genes["activation"]), y), channels=width, kernel=1, bias=1)
    return _summed(graph, x, y, genes)


def _summed(graph: Graph, x: int, y: int, genes: dict[str, Gene]) -> int:
    x = graph.add("add", x, _drop(graph, y, genes))
    return x if genes["norm"] == "pre" else graph.add("layer_norm", x)


def _drop(graph: Graph, x: int, genes: dict[str, Gene]) -> int:
    rate = float(genes["dropout"])
    return graph.add("dropout", x, rate=rate) if rate else x
