"""A graph of single neurons with a function each, the phenotype of NEAT (Stanley and Miikkulainen, 2002): no torch.

Values are numbered: 0 to `n_inputs` - 1 are the inputs, `n_inputs` is the bias (always 1), then come the hidden nodes
in topological order, then the outputs. Each node computes one number from the values that its links read.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, prod
from typing import TypeAlias

from evonas_cli.network.task import Task

FUNCTIONS = ("sigmoid", "tanh", "relu", "gaussian", "sine", "abs", "square", "multiply", "add", "steepened_sigmoid")
"""What a node with the weighted sum z = sum of w_i x_i computes (Ha, 2016, "Neural Network Evolution Playground with
Backprop NEAT"): sigmoid 1 / (1 + exp(-z)), tanh, relu max(z, 0), gaussian exp(-z^2 / 2), sine, abs, square z^2 with z
clipped to [-SQUARE_LIMIT, SQUARE_LIMIT], add z itself. `multiply` has no sum: it is the product of all w_i x_i.
`steepened_sigmoid` is NEAT's, 1 / (1 + exp(-STEEPNESS z)) (Stanley and Miikkulainen, 2002). A node that no link leads
to is 0, whatever its function.
"""

STEEPNESS = 4.9
SQUARE_LIMIT = 50.0
"""Where `square` clips the sum, so that a chain of squares stays finite in float32."""

Link: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Neurons:
    """A checked graph: `links` are (source, target) with sources before targets, sorted by target, then by source.

    `functions` are those of the hidden nodes in topological order, then of the outputs; `weights` has one number for
    each link. An output's value is what its function makes of its sum. Raises ValueError for anything else.
    """

    n_inputs: int
    n_outputs: int
    functions: tuple[str, ...]
    links: tuple[Link, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.n_inputs < 1 or self.n_outputs < 1:
            raise ValueError(f"neurons need an input and an output; there are {self.n_inputs} and {self.n_outputs}")
        if len(self.functions) < self.n_outputs:
            raise ValueError(f"{self.n_outputs} outputs have {len(self.functions)} functions; each needs one")
        for function in self.functions:
            if function not in FUNCTIONS:
                raise ValueError(f"there is no function {function!r}; there are {', '.join(FUNCTIONS)}")
        if len(self.weights) != len(self.links):
            raise ValueError(f"{len(self.links)} links have {len(self.weights)} weights; each needs one")
        self._check_links()

    def _check_links(self) -> None:
        bias, last = self.n_inputs, self.first_node + len(self.functions) - 1
        previous = (-1, -1)
        for (source, target), weight in zip(self.links, self.weights, strict=True):
            if not 0 <= source <= last or not 0 <= target <= last:
                raise ValueError(f"link {source} -> {target} leaves the values, which are numbered 0 to {last}")
            if target <= bias:
                raise ValueError(f"link {source} -> {target} leads into an input or the bias")
            if source >= target:
                raise ValueError(f"link {source} -> {target} closes a cycle: a source must come before its target")
            if (target, source) == previous:
                raise ValueError(f"link {source} -> {target} is there twice")
            if (target, source) < previous:
                raise ValueError(f"link {source} -> {target} is out of order: by target, then by source")
            if not isfinite(weight):
                raise ValueError(f"link {source} -> {target} has the weight {weight}, which is not finite")
            previous = target, source

    @property
    def first_node(self) -> int:
        """The number of the first value that is computed: of the first hidden node, or else of the first output."""
        return self.n_inputs + 1

    @property
    def n_hidden(self) -> int:
        """Nodes that are no outputs."""
        return len(self.functions) - self.n_outputs

    @property
    def parameters(self) -> int:
        """Trainable numbers: one for each link."""
        return len(self.links)

    @property
    def depth(self) -> int:
        """Links on the longest path to an output, from an input, the bias or a node that no link leads to."""
        depths = [0] * (self.first_node + len(self.functions))
        for source, target in self.links:
            depths[target] = max(depths[target], depths[source] + 1)
        return max(depths[-self.n_outputs :])


def ends(task: Task) -> tuple[int, int]:
    """How many inputs and outputs neurons have for a task: an input for each number of a vector, or of an image; one
    output for two classes, one for each of more classes, and one for each number or action.

    Raises ValueError for examples that are neither vectors nor images, and for other targets.
    """
    if len(task.inputs) not in (1, 3) or task.vocabulary:
        raise ValueError(f"neurons read vectors or images; the task has {task.examples}")
    if task.kind not in ("classes", "numbers", "actions"):
        raise ValueError(f"neurons tell classes or numbers; the task has {task.kind}")
    return prod(task.inputs), 1 if task.kind == "classes" and task.outputs == 2 else task.outputs
