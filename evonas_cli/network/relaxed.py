"""All networks of a cell space as one: on each edge all operations, of which a path picks one, or a mixture adds them.

The continuous relaxation of a cell is that of Liu, Simonyan and Yang (DARTS, ICLR 2019); a path is the single-path form
of Guo et al. (ECCV 2020). Without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Literal, TypeAlias

from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Plan

Path: TypeAlias = tuple[int, ...]
"""For each edge the index of the operation that it has."""

Active: TypeAlias = tuple[tuple[bool, ...], ...]
"""For each edge whether each of its operations is still there."""

Role: TypeAlias = Literal["none", "skip", "layer"]
"""`none` gives nothing, `skip` passes its input on, and anything else is a `layer`."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge of a cell: its name, and its operations by name with their roles."""

    name: str
    operations: tuple[str, ...]
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class Relaxed:
    """The edges of a cell, which all cells of the network share. A path is one operation for each of them.

    Raises ValueError for no edge, and for an edge of fewer than two operations.
    """

    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        if not self.edges:
            raise ValueError("a relaxed cell needs at least one edge")
        for edge in self.edges:
            if len(edge.operations) < 2 or len(edge.operations) != len(edge.roles):
                raise ValueError(f"edge {edge.name} needs two operations or more; it has {list(edge.operations)}")

    @cached_property
    def paths(self) -> int:
        """How many paths there are."""
        return prod(len(edge.operations) for edge in self.edges)

    def path(self, number: int) -> Path:
        """Path number 0, 1, ...: `Relaxed(two edges of 3 operations).path(5) == (1, 2)`."""
        found = []
        for edge in reversed(self.edges):
            number, operation = divmod(number, len(edge.operations))
            found.append(operation)
        return tuple(reversed(found))

    def skips(self, path: Sequence[int]) -> int:
        """How many edges of the path pass their input on."""
        return sum(edge.roles[operation] == "skip" for edge, operation in zip(self.edges, path, strict=True))


@dataclass(frozen=True, slots=True)
class Mixture:
    """A node that chooses among the operations of an edge, or adds them: `branches` are the nodes that compute them.

    None stands for the operation that gives nothing.
    """

    edge: int
    branches: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """A node that passes its one input on, unless the path picks one of these operations: pairs of an edge and the
    indices of those operations of it that close the gate.

    In a mixture the gate's share is the probability that it is open, where each edge draws its operation by its shares.
    """

    closing: tuple[tuple[int, tuple[int, ...]], ...]

    def is_open(self, path: Path) -> bool:
        """Whether the network of a path has the input."""
        return all(path[edge] not in operations for edge, operations in self.closing)


@dataclass(frozen=True)
class Superplan:
    """A plan in which each node of `mixtures` has the operations of an edge as its inputs, and `gates` may be closed.

    Equal cells have mixtures of the same edges. Normalisation is without scale and offset in a supernet, so that zeros
    stay zeros in it.
    """

    plan: Plan
    mixtures: Mapping[int, Mixture]
    gates: Mapping[int, Gate] = field(default_factory=dict)

    def live(self, path: Path) -> dict[int, tuple[int, ...]]:
        """The nodes that the network of a path computes, in order, each with those of its inputs that are not zero.

        A mixture has the one operation that the path picks. A node that gets nothing but zeros, as a closed gate does,
        is left out where zeros give zeros; where not, it has no inputs.
        """
        shut = frozenset([index for index, gate in self.gates.items() if not gate.is_open(path)])
        return self._reached(lambda mixture: (mixture.branches[path[mixture.edge]],), shut)

    def live_mixture(self, active: Active | None = None) -> dict[int, tuple[int, ...]]:
        """As `live`, where a mixture has all operations that are active: for each edge a word for each of them. Gates
        are open."""
        if active is None:
            return self._reached(lambda mixture: mixture.branches)
        return self._reached(
            lambda mixture: tuple([b for b, on in zip(mixture.branches, active[mixture.edge], strict=True) if on])
        )

    def _reached(
        self, chosen: Callable[[Mixture], tuple[int | None, ...]], shut: Collection[int] = ()
    ) -> dict[int, tuple[int, ...]]:
        inputs: dict[int, tuple[int, ...]] = {0: ()}
        for index, node in enumerate(self.plan.nodes[1:], start=1):
            mixture = self.mixtures.get(index)
            sources = () if index in shut else node.inputs if mixture is None else chosen(mixture)
            sound = tuple([source for source in sources if source is not None and source in inputs])
            if sound or not self._keeps_zero(index):
                inputs[index] = sound
        needed = {self.plan.output}
        for index in sorted(inputs, reverse=True):
            if index in needed:
                needed.update(inputs[index])
        return {index: sources for index, sources in inputs.items() if index in needed}

    def multiply_adds(self, path: Path) -> int:
        """Those of one sample through the network of a path."""
        return sum(self._multiply_adds(index) for index in self.live(path) if index not in self.mixtures)

    def _multiply_adds(self, index: int) -> int:
        node = self.plan.nodes[index]
        rule = None if index == 0 else OPS[node.op].multiply_adds
        return 0 if rule is None else rule(self.plan.input_shapes(node), dict(node.params))

    def _keeps_zero(self, index: int) -> bool:
        node = self.plan.nodes[index]
        return node.op == "batch_norm" or (OPS[node.op].keeps_zero and ("bias", 1) not in node.params)
