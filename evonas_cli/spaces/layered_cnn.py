"""Chains of convolutions in blocks, which grow and shrink by network morphisms (Elsken et al. 2017; Kwasigroch 2019).

Elsken, Metzen and Hutter, Simple and Efficient Architecture Search for CNNs, 2017; Kwasigroch, Grochowski and
Mikolajczyk, Deep neural network architecture search using network morphism, MMAR 2019. What a network is says
`genomes/blocks.py`: blocks of convolution, batch normalisation and ReLU with pooling between them.

`grow`: a layer more, twice the filters, a kernel larger by two, or a skip; the function stays the same. `shrink`
(Elsken et al., LEMONADE, ICLR 2019): a layer less, half the filters, or a separable convolution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.evolution.block_morphs import GROWTH, SHRINKING, Limits, child
from evonas_cli.evolution.crossover import one_point
from evonas_cli.genomes.blocks import FIELDS, SKIPS, Block, Blocks, Layer, planned
from evonas_cli.genomes.morphing import Morphed
from evonas_cli.network.inputs import check_maps
from evonas_cli.network.task import Phenotype, Task


class LayeredCnn:
    """Blocks of convolution, normalisation, ReLU and pooling, which grow by network morphisms (Elsken et al., 2017).

    Genomes are tuples of `least_blocks` to `blocks` blocks of 1 to `layers` layers; samples draw `filters` and
    `kernels`, which are odd, and growth keeps to `max_filters` and the largest kernel. `skips` says whether there are
    skips. The start is a chain of `start_blocks` blocks of one layer with `start_filters` filters of 3 x 3. Raises
    UsageError.
    """

    def __init__(
        self,
        blocks: int = 2,
        layers: int = 4,
        filters: Sequence[int] = (8, 16, 32),
        max_filters: int = 64,
        kernels: Sequence[int] = (3, 5),
        skips: bool = True,
        start_blocks: int = 2,
        start_filters: int = 8,
        least_blocks: int = 1,
    ) -> None:
        counts = {"blocks": blocks, "layers": layers, "max_filters": max_filters, "least_blocks": least_blocks}
        _check_counts({**counts, "start_blocks": start_blocks, "start_filters": start_filters})
        _check_options(filters, max_filters, kernels)
        if type(skips) is not bool:
            raise UsageError(f"space.skips must be true or false; it is {skips!r}")
        self.blocks, self.least_blocks = blocks, least_blocks
        self.filters, self.kernels = tuple(filters), tuple(kernels)
        self._limits = Limits(layers, max_filters, max(kernels), skips)
        side = max(32, 2 ** (blocks - 1))
        self._grey, self._coloured = Task((1, side, side), 10), Task((3, side, side), 10)
        self._start = ((Layer(start_filters, 3),),) * start_blocks

    def sample(self, rng: Random) -> Blocks:
        """Numbers of blocks and layers, filters and kernels uniform; a skip, and separation, by a fair coin."""
        return tuple([self._sampled(rng) for _ in range(rng.randint(self.least_blocks, self.blocks))])

    def mutate(self, genome: Blocks, rng: Random) -> Blocks:
        """The child of one morph, larger or smaller with equal chances, where there are both."""
        first, second = (self.grow, self.shrink) if rng.random() < 0.5 else (self.shrink, self.grow)
        found = first(genome, rng) or second(genome, rng)
        return genome if found is None else found.genome

    def recombine(self, parents: Sequence[Blocks], rng: Random) -> Blocks:
        """One-point crossover of blocks; the last segment keeps its end."""
        shortest = min(map(len, parents))
        sources = one_point(shortest, len(parents), rng)
        return tuple([parents[s][place] for place, s in enumerate(sources)]) + parents[sources[-1]][shortest:]

    def sizes(self, genome: Blocks) -> dict[str, int]:
        """Parameters and multiply-adds on coloured images of 32 x 32 pixels (more where the poolings need more) in ten
        classes."""
        plan = planned(genome, self._coloured)[0]
        return {"parameters": plan.parameters, "multiply_adds": plan.multiply_adds}

    def start(self) -> Blocks:
        """`start_blocks` blocks of one layer."""
        return self._start

    def grow(self, genome: Blocks, rng: Random) -> Morphed[Blocks] | None:
        """One of the kinds of growth that the genome has, uniform, at one of the places, uniform."""
        return child(genome, GROWTH, self._limits, (self._grey, self._coloured), rng)

    def shrink(self, genome: Blocks, rng: Random) -> Morphed[Blocks] | None:
        """As `grow`, for what makes the network smaller."""
        return child(genome, SHRINKING, self._limits, (self._grey, self._coloured), rng)

    def to_json(self, genome: Blocks) -> Json:
        """A list of blocks, each a list of layers, objects with their settings."""
        return [[asdict(layer) for layer in block] for block in genome]

    def from_json(self, data: Json) -> Blocks:
        """The inverse of `to_json`. Raises ValueError that names what does not fit."""
        if not isinstance(data, list | tuple) or not self.least_blocks <= len(data) <= self.blocks:
            raise ValueError(f"a genome here is a list of {self.least_blocks} to {self.blocks} blocks")
        for place, block in enumerate(data):
            if not isinstance(block, list | tuple) or not 1 <= len(block) <= self._limits.layers:
                raise ValueError(f"block {place} must be a list of 1 to {self._limits.layers} layers")
        return tuple([tuple([self._read(place, layer) for place, layer in enumerate(block)]) for block in data])

    def decode(self, genome: Blocks, task: Task) -> Phenotype:
        """The network. Raises PlanError for inputs that are no maps, or too small for the poolings."""
        check_maps("layered_cnn", task)
        return Phenotype(planned(genome, task)[0])

    def _read(self, place: int, data: Json) -> Layer:
        if not isinstance(data, dict) or sorted(data) != sorted(FIELDS):
            raise ValueError(f"layer {place} must be an object of {', '.join(FIELDS)}")
        layer = Layer(**data)
        if type(layer.filters) is not int or not 1 <= layer.filters <= self._limits.filters:
            raise ValueError(f"layer {place}: filters must be 1 to {self._limits.filters}; they are {layer.filters!r}")
        if type(layer.kernel) is not int or layer.kernel % 2 == 0 or not 1 <= layer.kernel <= self._limits.kernel:
            raise ValueError(f"layer {place}: kernel must be odd, up to {self._limits.kernel}; it is {layer.kernel!r}")
        if type(layer.separable) is not bool:
            raise ValueError(f"layer {place}: separable must be true or false; it is {layer.separable!r}")
        known = ("none", *SKIPS) if self._limits.skips else ("none",)
        if layer.skip not in known:
            raise ValueError(f"layer {place}: skip must be one of {', '.join(known)}; it is {layer.skip!r}")
        most = 0 if layer.skip == "none" else place - 1
        if type(layer.source) is not int or not 0 <= layer.source <= most:
            raise ValueError(f"layer {place}: source must be an earlier layer of the block; it is {layer.source!r}")
        return layer

    def _sampled(self, rng: Random) -> Block:
        """A block from the prior."""
        layers: list[Layer] = []
        for place in range(rng.randint(1, self._limits.layers)):
            layer = Layer(rng.choice(self.filters), rng.choice(self.kernels), rng.random() < 0.5)
            if place and self._limits.skips and rng.random() < 0.5:
                layer = replace(layer, skip=rng.choice(SKIPS), source=rng.randrange(place))
            layers.append(layer)
        return tuple(layers)


def _check_counts(counts: Mapping[str, object]) -> None:
    for key, value in counts.items():
        if type(value) is not int or value < 1:
            raise UsageError(f"space.{key} must be a whole number of at least 1; it is {value!r}")
    for key, most in (("least_blocks", "start_blocks"), ("start_blocks", "blocks"), ("start_filters", "max_filters")):
        if counts[key] > counts[most]:  # type: ignore[operator]  # both are integers
            raise UsageError(f"space.{key}={counts[key]} exceeds space.{most}={counts[most]}")


def _check_options(filters: Sequence[int], max_filters: int, kernels: Sequence[int]) -> None:
    for key, options in (("filters", filters), ("kernels", kernels)):
        if not options or len(set(options)) < len(options) or any(type(o) is not int or o < 1 for o in options):
            raise UsageError(f"space.{key} must be different whole numbers above 0; it is {list(options)}")
    if max(filters) > max_filters:
        raise UsageError(f"space.filters go up to {max(filters)}, above space.max_filters={max_filters}")
    if any(kernel % 2 == 0 for kernel in kernels) or max(kernels) < 3:
        raise UsageError(
            f"space.kernels must be odd, so that they have a centre, and reach 3; they are {list(kernels)}"
        )
