"""Networks that describe images: layers, skip links and where the image meets the words, around Show and Tell.

Miikkulainen et al. ("Evolving Deep Neural Networks", 2017, section 5) evolve networks of dense and recurrent layers,
sums and concatenations between an embedding of the image and the words. Here they are a stack of layers, each with a
skip link or none, and the image part is convolutions that learn with the rest, in place of a pretrained network. Where
the image enters is named as by Tanti, Gatt and Camilleri ("Where to put the Image in an Image Caption Generator",
2018). The network of Vinyals et al. ("Show and Tell", 2015) is one genome: join `before`, one LSTM layer, no skip link.
"""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.choices import Choice, Gene, Genes
from evonas_cli.genomes.independent import Independent
from evonas_cli.genomes.named import Named
from evonas_cli.genomes.options import rates, whole_numbers, words
from evonas_cli.network.captions import CaptionTask, Sketchpad
from evonas_cli.network.plan import Plan

LAYERS = ("lstm", "gru", "dense")
JOINS = ("before", "each_sum", "each_concat", "after_sum", "after_concat")
SKIPS = ("none", "sum", "concat")
POOLINGS = ("flatten", "mean")
ABSENT = "none"


class Captioner(Named, Independent):
    """Networks that say in words what an image shows: convolutions, an embedding of words, and layers over both.

    Genes of the image part are the number of convolutions, their channels (doubled from one to the next up to four
    times as many) and how a map becomes a vector. `embedding` is the width of the embedded words and of the image
    beside them. `join` says where the image enters: as a first column before the words (`before`), added to or set
    beside each word (`each_sum`, `each_concat`), or added to or set beside what the layers give (`after_sum`,
    `after_concat`). Each of `layers` layers, of which all but the first may be absent, has a kind, a width and a skip
    link, by which its input is added to its output or set beside it. `head` is the width of a dense layer before the
    scores (0: none), `dropout` the rate before the scores. Genes that a network has no use for stay unused. Raises
    UsageError for options that are no such things, or twice the same.
    """

    def __init__(
        self,
        convolutions: Sequence[int] = (1, 2, 3),
        channels: Sequence[int] = (4, 8, 16),
        poolings: Sequence[str] = POOLINGS,
        embeddings: Sequence[int] = (16, 32, 64),
        joins: Sequence[str] = JOINS,
        layers: int = 2,
        kinds_of_layers: Sequence[str] = LAYERS,
        widths: Sequence[int] = (32, 64, 128),
        skips: Sequence[str] = SKIPS,
        heads: Sequence[int] = (0, 64),
        dropouts: Sequence[float] = (0.0, 0.2),
    ) -> None:
        if type(layers) is not int or layers < 1:
            raise UsageError(f"space.layers must be a whole number of at least 1; it is {layers!r}")
        kinds, sizes = words("kinds_of_layers", kinds_of_layers, LAYERS), whole_numbers("widths", widths, least=1)
        links = words("skips", skips, SKIPS)
        self.choices: Sequence[Choice] = [
            Choice("convolutions", whole_numbers("convolutions", convolutions, least=1)),
            Choice("channels", whole_numbers("channels", channels, least=1)),
            Choice("pooling", words("poolings", poolings, POOLINGS)),
            Choice("embedding", whole_numbers("embeddings", embeddings, least=1)),
            Choice("join", words("joins", joins, JOINS)),
            *_layers(layers, kinds, sizes, links),
            Choice("head", whole_numbers("heads", heads, least=0)),
            Choice("dropout", rates("dropouts", dropouts)),
        ]

    def decode_captioner(self, genome: Genes, task: CaptionTask) -> Plan:
        """The network. Raises PlanError for images that are too small for the convolutions."""
        convolutions, channels, pooling, embedding, join, *layers, head, rate = genome
        pad = Sketchpad(task)
        graph = pad.graph
        seen = pad.convolved(pad.image, [int(channels) * min(4, 2**place) for place in range(int(convolutions))])
        seen = graph.add("flatten" if pooling == "flatten" else "global_avg_pool", seen)
        x = graph.add("embedding", pad.ids, vocabulary=task.tokens, width=int(embedding))
        where, _, how = str(join).partition("_")
        if where == "before":
            first = graph.add("linear", seen, features=int(embedding))
            x = graph.add("join", graph.add("repeat", first, length=1), x)
        elif where == "each":
            x = _beside(pad, x, seen, how, int(embedding))
        for start in range(0, len(layers), 3):
            kind, width, skip = layers[start : start + 3]
            if kind != ABSENT:
                x = _skipping(pad, x, _layer(pad, x, str(kind), int(width)), str(skip))
        if where == "before":
            x = graph.add("later", x, skipped=1)
        elif where == "after":
            x = _beside(pad, x, seen, how, int(embedding))
        if head:
            x = _layer(pad, x, "dense", int(head))
        return pad.scores(graph.add("dropout", x, rate=float(rate)) if rate else x)


def _layers(count: int, kinds: tuple[str, ...], widths: tuple[int, ...], skips: tuple[str, ...]) -> list[Choice]:
    choices = []
    for place in range(1, count + 1):
        choices += [
            Choice(f"layer {place}", kinds if place == 1 else (ABSENT, *kinds)),
            Choice(f"width {place}", widths),
            Choice(f"skip {place}", skips),
        ]
    return choices


def _layer(pad: Sketchpad, x: int, kind: str, width: int) -> int:
    """A recurrent layer, or a dense one at each step with ReLU."""
    if kind == "dense":
        return pad.graph.add("relu", pad.graph.add("conv1d", x, channels=width, kernel=1, bias=1))
    return pad.graph.add(kind, x, hidden=width)


def _beside(pad: Sketchpad, x: int, seen: int, how: str, features: int) -> int:
    """The image at each step: added to what is there, or set beside it as so many features."""
    graph = pad.graph
    channels, length = graph.shape(x)
    image = graph.add("linear", seen, features=channels if how == "sum" else features)
    return graph.add("add" if how == "sum" else "concat", x, graph.add("repeat", image, length=length))


def _skipping(pad: Sketchpad, before: int, after: int, skip: Gene) -> int:
    """What a layer gives, with its input as the skip link says; a sum of unequal widths has a linear projection."""
    graph = pad.graph
    if skip == "none":
        return after
    if skip == "concat":
        return graph.add("concat", before, after)
    width = graph.shape(after)[0]
    if graph.shape(before)[0] != width:
        before = graph.add("conv1d", before, channels=width, kernel=1)
    return graph.add("add", before, after)
