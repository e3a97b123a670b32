"""HyperNEAT: a small network of coordinates writes the weights of a large one (Stanley, D'Ambrosio and Gauci, 2009).

    genome: a graph of neurons (NEAT's), a compositional pattern-producing network of x1, y1, x2, y2 and the bias
    phenotype: a grid of inputs, one pixel each, a grid of hidden neurons, and the outputs; see `network.substrate`

The number of genes does not depend on the number of pixels: the same genome decodes for images of another size
(`side`). Nothing is trained, and weights do not return to the genome.

Beside the paper: each pair of layers, and each layer's biases, have an output of the genome's network of their own
(Gauci and Stanley, 2010), and weights grow from 0 at the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite

from evonas_cli.core.errors import UsageError
from evonas_cli.evolution.graph_genomes import GraphGenomes
from evonas_cli.evolution.neat import STAYS_DISABLED
from evonas_cli.genomes import options
from evonas_cli.genomes.marked_graph import MarkedGraph
from evonas_cli.network.neurons import FUNCTIONS, Neurons
from evonas_cli.network.substrate import Points, Substrate, square

ROW = tuple([(number / 10, 0.0) for number in range(-9, 10, 2)])
"""Ten outputs side by side."""


class HyperNeat(GraphGenomes):
    """Networks for images of `side` x `side` pixels, with a grid of `hidden` x `hidden` hidden neurons (0: none).

    `places` are x and y of each output. `hidden_function` is that of hidden neurons. `threshold` in [0, 1) and
    `largest_weight` as for `network.substrate`. All others are those of `GraphGenomes`, for the network that writes the
    weights. Raises UsageError for values out of range, and for two outputs at one place.
    """

    def __init__(
        self,
        side: int = 8,
        hidden: int = 4,
        places: Sequence[Sequence[float]] = ROW,
        hidden_function: str = "tanh",
        threshold: float = 0.2,
        largest_weight: float = 3.0,
        functions: Sequence[str] = ("sigmoid", "tanh", "gaussian", "sine", "abs", "add"),
        output_function: str = "tanh",
        weight_sd: float = 1.0,
        perturb_sd: float = 0.5,
        weight_limit: float | None = None,
        weight_probability: float = 0.8,
        perturb_probability: float = 0.9,
        redraw_probability: float = 0.1,
        add_link_probability: float = 0.05,
        add_node_probability: float = 0.03,
        toggle_probability: float = 0.0,
        function_probability: float = 0.0,
        stays_disabled: float = STAYS_DISABLED,
        unmatched_coefficient: float = 1.0,
        weight_coefficient: float = 0.4,
        function_coefficient: float = 1.0,
        small_genome: int = 20,
    ) -> None:
        for key, count, least in (("side", side, 2), ("hidden", hidden, 0)):
            if type(count) is not int or count < least:
                raise UsageError(f"space.{key} must be a whole number of at least {least}; it is {count!r}")
        if not 0 <= threshold < 1:
            raise UsageError(f"space.threshold must be a number in [0, 1); it is {threshold!r}")
        if not 0 < largest_weight < inf:
            raise UsageError(f"space.largest_weight must be a number above 0; it is {largest_weight!r}")
        [function] = options.words("hidden_function", (hidden_function,), FUNCTIONS)
        layers = (square(side), *([square(hidden)] if hidden else []), _outputs(places))
        self._side, self._substrate = side, Substrate(layers, function, threshold, largest_weight)
        super().__init__(
            inputs=4,
            outputs=self._substrate.questions,
            functions=functions,
            output_function=output_function,
            weight_sd=weight_sd,
            perturb_sd=perturb_sd,
            weight_limit=weight_limit,
            weight_probability=weight_probability,
            perturb_probability=perturb_probability,
            redraw_probability=redraw_probability,
            add_link_probability=add_link_probability,
            add_node_probability=add_node_probability,
            toggle_probability=toggle_probability,
            function_probability=function_probability,
            stays_disabled=stays_disabled,
            unmatched_coefficient=unmatched_coefficient,
            weight_coefficient=weight_coefficient,
            function_coefficient=function_coefficient,
            small_genome=small_genome,
        )

    def decode_neurons(self, genome: MarkedGraph, n_inputs: int, n_outputs: int) -> Neurons:
        """All layers, with the weights that the genome's network writes.

        Raises ValueError for data of other numbers of inputs or outputs, and for weights that are not finite.
        """
        layers = self._substrate.layers
        if n_inputs != self._side**2:
            raise ValueError(f"space.side={self._side} reads {self._side**2} numbers, but an example has {n_inputs}")
        if n_outputs != len(layers[-1]):
            raise ValueError(f"space.places has {len(layers[-1])} outputs, but the data asks for {n_outputs}")
        return self._substrate.written(self._network(genome))


def _outputs(places: Sequence[Sequence[float]]) -> Points:
    """Raises UsageError for none, for what is no pair of finite numbers, and for two at one place."""
    if not places:
        raise UsageError("space.places is empty; give x and y of each output, e.g. [[-0.5, 0], [0.5, 0]]")
    points = []
    for place in places:
        if len(place) != 2 or not all(isfinite(number) for number in place):
            raise UsageError(f"space.places has {list(place)}, which is no pair of numbers x and y")
        point = (float(place[0]), float(place[1]))
        if point in points:
            raise UsageError(f"space.places has two outputs at {list(point)}; give each one its own place")
        points.append(point)
    return tuple(points)
