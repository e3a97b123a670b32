"""Ensembles of fully connected subnetworks of one width: the output is the sum of the subnetworks' outputs.

A subnetwork is as many hidden layers of linear and ReLU as its gene says, and a linear layer; these are the subnetworks
of AdaNet's example for vectors (Cortes et al., ICML 2017; Weill et al., 2019), which read the input alone and no hidden
layers of each other. The factors of a weighted sum are part of the last linear layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.network.inputs import refusal
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Phenotype, Task

Depths = tuple[int, ...]


class MlpEnsemble:
    """Sums of fully connected networks for vectors; images and series are flattened.

    Genomes are the numbers of hidden layers of the members, each from 0 (linear) to `max_layers`; a hidden layer has
    `width` features. `max_members` bounds what is sampled and mutated. Raises UsageError for numbers below 1.
    """

    def __init__(self, width: int = 16, max_layers: int = 6, max_members: int = 5) -> None:
        for name, value in (("width", width), ("max_layers", max_layers), ("max_members", max_members)):
            if type(value) is not int or value < 1:
                raise UsageError(f"space.{name} must be a whole number of at least 1; it is {value!r}")
        self._width, self._layers, self._members = width, max_layers, max_members

    @property
    def deepest(self) -> int:
        """As `max_layers`."""
        return self._layers

    def member(self, hidden_layers: int) -> Depths:
        """An ensemble of one subnetwork."""
        return (hidden_layers,)

    def hidden_layers(self, genome: Depths) -> Depths:
        """The genome itself."""
        return genome

    def join(self, genomes: Sequence[Depths]) -> Depths:
        """All members, in order."""
        return tuple([depth for genome in genomes for depth in genome])

    def sample(self, rng: Random) -> Depths:
        """A uniform number of members, each of a uniform depth."""
        return tuple([rng.randint(0, self._layers) for _ in range(rng.randint(1, self._members))])

    def mutate(self, genome: Depths, rng: Random) -> Depths:
        """A member gets another depth, is added at the end, or is left out; each with equal probability if possible."""
        kinds = ["depth"]
        kinds += ["add"] if len(genome) < self._members else []
        kinds += ["remove"] if len(genome) > 1 else []
        kind, place = rng.choice(kinds), rng.randrange(len(genome))
        if kind == "add":
            return (*genome, rng.randint(0, self._layers))
        if kind == "remove":
            return (*genome[:place], *genome[place + 1 :])
        depth = rng.choice([depth for depth in range(self._layers + 1) if depth != genome[place]])
        return (*genome[:place], depth, *genome[place + 1 :])

    def to_json(self, genome: Depths) -> Json:
        """A list of numbers of hidden layers."""
        return list(genome)

    def from_json(self, data: Json) -> Depths:
        """The inverse of `to_json`. Raises ValueError for anything else."""
        if not isinstance(data, list | tuple) or not data:
            raise ValueError("a genome here is a list of at least one number of hidden layers")
        for depth in data:
            if type(depth) is not int or not 0 <= depth <= self._layers:
                raise ValueError(f"{depth!r} is no number of hidden layers from 0 to {self._layers}")
        return tuple(data)

    def decode(self, genome: Depths, task: Task) -> Phenotype:
        """The subnetworks side by side, and their sum. Raises PlanError for token ids."""
        if task.vocabulary:
            raise refusal("mlp_ensemble", "vectors, series or images", task)
        graph = Graph(task.inputs)
        flat = graph.input if len(task.inputs) == 1 else graph.add("flatten", graph.input)
        outputs = []
        for depth in genome:
            x = flat
            for _ in range(depth):
                x = graph.add("relu", graph.add("linear", x, features=self._width))
            outputs.append(graph.add("linear", x, features=task.outputs))
        return Phenotype(graph.plan(outputs[0] if len(outputs) == 1 else graph.add("add", *outputs)))
