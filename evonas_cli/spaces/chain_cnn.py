"""Chains of convolutions with skip connections: the macro space of neural architecture search (Zoph and Le, ICLR 2017).

Each layer has a filter height and width, a stride in both directions and a number of filters, and is a convolution
followed by batch normalisation and ReLU. It reads any of the earlier layers, concatenated along the channels; a layer
that reads none reads the image. Outputs that no layer reads are concatenated before the classifier, which is global
average pooling and a linear layer. Maps of unequal size are padded with zeros, below and to the right, to the largest.

Without `skips` each layer reads the one before it. A setting with one option is no decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.evolution.crossover import one_point
from evonas_cli.genomes.choices import Choice
from evonas_cli.genomes.walk import Decision, Kinds, Program, Trace, redraw, run, uniform
from evonas_cli.network.inputs import check_maps
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Phenotype, Task


@dataclass(frozen=True, slots=True)
class Layer:
    """One convolution; `inputs` are the earlier layers that it reads, in ascending order; none: the image."""

    filter_height: int
    filter_width: int
    stride_height: int
    stride_width: int
    filters: int
    inputs: tuple[int, ...]


SETTINGS = ("filter_height", "filter_width", "stride_height", "stride_width", "filters")
Chain = tuple[Layer, ...]


class ChainCnn:
    """Chains of convolutions with skip connections (Zoph and Le, 2017).

    Genomes are tuples of up to `layers` layers; samples have all of them.

    `filter_heights`, `filter_widths`, `strides` and `filters` are options; `strides` are those of both directions.
    Raises UsageError for options that are no whole numbers above 0, or twice the same.
    """

    def __init__(
        self,
        layers: int = 6,
        filter_heights: Sequence[int] = (1, 3, 5, 7),
        filter_widths: Sequence[int] = (1, 3, 5, 7),
        strides: Sequence[int] = (1,),
        filters: Sequence[int] = (24, 36, 48, 64),
        skips: bool = True,
    ) -> None:
        if type(layers) is not int or layers < 1:
            raise UsageError(f"space.layers must be a whole number of at least 1; it is {layers!r}")
        given = {"filter_heights": filter_heights, "filter_widths": filter_widths, "strides": strides}
        for key, options in (given | {"filters": filters}).items():
            if not options or len(set(options)) < len(options) or any(type(o) is not int or o < 1 for o in options):
                raise UsageError(f"space.{key} must be different whole numbers above 0; it is {list(options)}")
        listed = (filter_heights, filter_widths, strides, strides, filters)
        self.layers, self.skips = layers, skips
        self._choices = [Choice(name, tuple(options)) for name, options in zip(SETTINGS, listed, strict=True)]

    def sample(self, rng: Random) -> Chain:
        """Every option uniform, every link a fair coin."""
        return run(self.walk(), uniform(self.kinds, rng))[0]

    def mutate(self, genome: Chain, rng: Random) -> Chain:
        """One setting of one layer redrawn, or one link flipped; the genome itself where there is nothing to change."""
        return redraw(lambda: self.walk_to(len(genome)), self._trace(genome), self.kinds, rng)[0]

    def recombine(self, parents: Sequence[Chain], rng: Random) -> Chain:
        """One-point crossover of layers, which keep their places and links; the last segment keeps its end."""
        shortest = min(map(len, parents))
        sources = one_point(shortest, len(parents), rng)
        head = tuple([parents[source][place] for place, source in enumerate(sources)])
        return head + (parents[sources[-1]][shortest:] if sources else parents[0])

    def distance(self, first: Chain, second: Chain) -> float:
        """Share of the settings and links that differ (Hamming 1950); a layer that one lacks differs in all."""
        pairs = [
            pair
            for place, layers in enumerate(zip_longest(first, second))
            for pair in zip(*[_features(layer, place) for layer in layers], strict=True)
        ]
        return float(sum(one != other for one, other in pairs)) / len(pairs)

    @property
    def kinds(self) -> Kinds:
        """The settings of a layer, shared by all layers; those with one option are left out."""
        return {choice.name: choice.options for choice in self._choices if len(choice.options) > 1}

    @property
    def depth(self) -> int:
        """The number of layers."""
        return self.layers

    def walk(self) -> Program[Chain]:
        """Layer by layer its settings, then, with `skips`, its links."""
        return self.walk_to(self.layers)

    def walk_to(self, depth: int) -> Program[Chain]:
        """As `walk`, for chains of `depth` layers."""
        layers: list[Layer] = []
        for place in range(depth):
            settings = {}
            for choice in self._choices:
                answer = (yield Decision(choice.name)) if len(choice.options) > 1 else 0
                settings[choice.name] = int(choice.options[answer])
            links = (yield Decision("anchor", links=place)) if self.skips else 1 << place >> 1
            inputs = tuple([earlier for earlier in range(place) if links >> earlier & 1])
            layers.append(Layer(**settings, inputs=inputs))
        return tuple(layers)

    def to_json(self, genome: Chain) -> Json:
        """A list of layers, each an object with its settings and the numbers of the layers it reads, from 0."""
        return [{**asdict(layer), "inputs": list(layer.inputs)} for layer in genome]

    def from_json(self, data: Json) -> Chain:
        """The inverse of `to_json`. Raises ValueError that names what does not fit."""
        if not isinstance(data, list | tuple) or not 1 <= len(data) <= self.layers:
            raise ValueError(f"a genome here is a list of 1 to {self.layers} layers")
        return tuple([self._layer(place, layer) for place, layer in enumerate(data)])

    def decode(self, genome: Chain, task: Task) -> Phenotype:
        """The network. Raises PlanError when the task's inputs are no (channels, height, width) maps."""
        check_maps("chain_cnn", task)
        graph = Graph(task.inputs)
        outputs: list[int] = []
        for layer in genome:
            x = joined(graph, [outputs[earlier] for earlier in layer.inputs] or [graph.input])
            x = graph.add(
                "conv",
                x,
                channels=layer.filters,
                kernel_h=layer.filter_height,
                kernel_w=layer.filter_width,
                stride_h=layer.stride_height,
                stride_w=layer.stride_width,
            )
            outputs.append(graph.add("relu", graph.add("batch_norm", x)))
        read = {earlier for layer in genome for earlier in layer.inputs}
        x = joined(graph, [output for place, output in enumerate(outputs) if place not in read])
        return Phenotype(graph.plan(graph.add("linear", graph.add("global_avg_pool", x), features=task.outputs)))

    def _layer(self, place: int, data: Json) -> Layer:
        if not isinstance(data, dict) or sorted(data) != sorted((*SETTINGS, "inputs")):
            raise ValueError(f"layer {place} must be an object of {', '.join(SETTINGS)} and inputs")
        try:
            settings = {choice.name: int(choice.check(data[choice.name])) for choice in self._choices}
        except ValueError as error:
            raise ValueError(f"layer {place}: {error}") from None
        inputs = data["inputs"]
        if not isinstance(inputs, list | tuple) or list(inputs) != [e for e in range(place) if e in inputs]:
            raise ValueError(f"layer {place}: inputs must be earlier layers, in ascending order; they are {inputs!r}")
        if not self.skips and list(inputs) != [place - 1][:place]:
            raise ValueError(f"layer {place}: without space.skips it reads the layer before it; inputs are {inputs!r}")
        return Layer(**settings, inputs=tuple([earlier for earlier in range(place) if earlier in inputs]))

    def _trace(self, genome: Chain) -> Trace:
        trace: list[int] = []
        for layer in genome:
            trace += [c.options.index(getattr(layer, c.name)) for c in self._choices if len(c.options) > 1]
            trace += [sum(1 << earlier for earlier in layer.inputs)] * self.skips
        return tuple(trace)


def joined(graph: Graph, maps: Sequence[int]) -> int:
    """Maps concatenated along the channels, smaller ones padded with zeros to the largest height and width."""
    height, width = (max(graph.shape(x)[axis] for x in maps) for axis in (1, 2))
    padded = [
        x if graph.shape(x)[1:] == (height, width) else graph.add("pad", x, height=height, width=width) for x in maps
    ]
    return padded[0] if len(padded) == 1 else graph.add("concat", *padded)


def _features(layer: Layer | None, place: int) -> list[int | None]:
    if layer is None:
        return [None] * (len(SETTINGS) + place)
    settings: list[int | None] = [getattr(layer, name) for name in SETTINGS]
    return settings + [int(earlier in layer.inputs) for earlier in range(place)]
