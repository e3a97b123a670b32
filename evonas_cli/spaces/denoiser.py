"""Denoisers of diffusion models: fully connected networks for points, U-nets for images, with their noise schedules.

The U-net is that of Ronneberger et al. (MICCAI 2015) in small, as in Ho et al. (NeurIPS 2020) without attention.
Deviations: the time comes as further inputs, features or constant maps, in place of a vector that is added in each
block; layer normalisation over the channels of a pixel, or none, in place of group normalisation.
"""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.choices import Choice, Gene, Genes
from evonas_cli.genomes.independent import Independent
from evonas_cli.genomes.options import whole_numbers, words
from evonas_cli.network.denoiser import Denoiser, with_time
from evonas_cli.network.noise import SCHEDULES, check_features
from evonas_cli.network.op import Shape
from evonas_cli.network.plan import Graph, PlanError

ACTIVATIONS = ("relu", "gelu", "tanh")
NORMALISATIONS = ("none", "layer_norm")
TIMES = ("input", "layers")
SHARE = 4
"""Channels of a U-net's first level are a share of `width`: one in so many."""
WIDEST = 4
"""Channels double from level to level, up to so many times those of the first."""


class Denoisers(Independent):
    """Denoisers of diffusion models: networks of points or images, noise schedule and number of steps.

    Genes are `width` (features of a hidden layer; a fourth of it are the channels of a U-net's first level), `depth`
    (hidden layers; levels of a U-net, each at half the height and width of the one before), activation, normalisation,
    `features` of the time, `time` (whether the input alone has them or each layer, and level, reads the input again),
    `schedule` and `steps`. Raises UsageError for options that are no such things, or twice the same.
    """

    def __init__(
        self,
        widths: Sequence[int] = (32, 64, 128),
        depths: Sequence[int] = (1, 2, 3),
        activations: Sequence[str] = ACTIVATIONS,
        normalisations: Sequence[str] = NORMALISATIONS,
        features: Sequence[int] = (1, 8, 16),
        times: Sequence[str] = TIMES,
        schedules: Sequence[str] = tuple(SCHEDULES),
        steps: Sequence[int] = (10, 20, 50, 100),
    ) -> None:
        if odd := [width for width in whole_numbers("widths", widths, least=SHARE) if width % SHARE]:
            raise UsageError(f"space.widths must be multiples of {SHARE}; {odd[0]} is none")
        for count in whole_numbers("features", features, least=1):
            try:
                check_features(count)
            except ValueError as error:
                raise UsageError(f"space.features: {error}") from None
        self.choices: Sequence[Choice] = [
            Choice("width", tuple(widths)),
            Choice("depth", whole_numbers("depths", depths, least=1)),
            Choice("activation", words("activations", activations, ACTIVATIONS)),
            Choice("normalisation", words("normalisations", normalisations, NORMALISATIONS)),
            Choice("features", tuple(features)),
            Choice("time", words("times", times, TIMES)),
            Choice("schedule", words("schedules", schedules, tuple(SCHEDULES))),
            Choice("steps", whole_numbers("steps", steps, least=1)),
        ]

    def decode_denoiser(self, genome: Genes, inputs: Shape) -> Denoiser:
        """The denoiser of vectors (F,) or images (C, H, W). Raises PlanError for other shapes, and for images that are
        too small for the levels."""
        width, depth, activation, normalisation, features, time, schedule, steps = genome
        if len(inputs) not in (1, 3):
            raise PlanError(f"denoiser needs vectors or images, not inputs of shape {inputs}")
        graph = Graph(with_time(inputs, int(features)))
        layers = _Layers(graph, activation, normalisation, again=time == "layers")
        build = layers.perceptron if len(inputs) == 1 else layers.u_net
        plan = graph.plan(build(int(width), int(depth), inputs[0]))
        return Denoiser(plan, str(schedule), int(steps), int(features))


class _Layers:
    """Builds a network; with `again` its layers read the input, which has the time, beside what is before them."""

    def __init__(self, graph: Graph, activation: Gene, normalisation: Gene, again: bool) -> None:
        self._graph, self._activation, self._normalisation = graph, str(activation), str(normalisation)
        self._again = again

    def perceptron(self, width: int, depth: int, outputs: int) -> int:
        """Hidden layers, and a linear one that gives the noise."""
        x = self._graph.input
        for layer in range(depth):
            x = x if layer == 0 else self._beside(self._graph.input, x)
            x = self._finished(self._graph.add("linear", x, features=width))
        return self._graph.add("linear", x, features=outputs)

    def u_net(self, width: int, depth: int, outputs: int) -> int:
        """Levels down, each pooled from the one before, levels up beside those of the same size on the way down, and a
        convolution of single pixels that gives the noise."""
        graph, first = self._graph, width // SHARE
        seen, x = [graph.input], self._block(graph.input, first)
        passed = [x]
        for level in range(1, depth):
            seen.append(graph.add("avg_pool", seen[-1], kernel=2, stride=2))
            x = graph.add("avg_pool", x, kernel=2, stride=2)
            x = self._block(self._beside(seen[-1], x), first * min(WIDEST, 2**level))
            passed.append(x)
        for level in reversed(range(depth - 1)):
            _, height, breadth = graph.shape(passed[level])
            x = graph.add("resize", x, height=height, width=breadth)
            x = self._block(self._beside(seen[level], x, passed[level]), first * min(WIDEST, 2**level))
        return graph.add("conv", x, channels=outputs, kernel=1, bias=1)

    def _block(self, x: int, channels: int) -> int:
        for _ in range(2):
            x = self._finished(self._graph.add("conv", x, channels=channels, kernel=3, bias=1))
        return x

    def _finished(self, x: int) -> int:
        if self._normalisation != "none":
            x = self._graph.add(self._normalisation, x)
        return self._graph.add(self._activation, x)

    def _beside(self, seen: int, *values: int) -> int:
        read = (*values, seen) if self._again else values
        return self._graph.add("concat", *read) if len(read) > 1 else read[0]
