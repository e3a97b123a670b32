"""The plan of a network: an immutable graph of primitive operations with shapes, which every genome decodes to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from evonas_cli.core.types import Json
from evonas_cli.network.ops import OPS, Settings, Shape, complete

Param: TypeAlias = int | float | str


class PlanError(ValueError):
    """The genome has no network: one line that names the operation, its settings and the shapes."""


@dataclass(frozen=True, slots=True)
class Node:
    """One operation: its name in `OPS` ("input" for node 0), the nodes it reads, all its settings in table order."""

    op: str
    inputs: tuple[int, ...]
    params: tuple[tuple[str, Param], ...] = ()


@dataclass(frozen=True)
class Plan:
    """A network graph in topological order; node 0 is the input. Made by `Graph.plan`, which keeps no dead node.

    `shapes` has the output shape of each node, without the batch (`network.op.Shape`).
    """

    nodes: tuple[Node, ...]
    shapes: tuple[Shape, ...]
    output: int

    @cached_property
    def parameters(self) -> int:
        """Trained numbers: weights, biases, scales and offsets."""
        return sum(
            rule(self.input_shapes(node), dict(node.params))
            for node in self.nodes[1:]
            if (rule := OPS[node.op].parameters) is not None
        )

    @cached_property
    def model_bytes(self) -> int:
        """Bytes of parameters and buffers: four for each number, one for those that are kept as int8."""
        buffers, levels = 0, 0
        for node in self.nodes[1:]:
            op, shapes, settings = OPS[node.op], self.input_shapes(node), dict(node.params)
            buffers += 0 if op.buffers is None else op.buffers(shapes, settings)
            levels += 0 if op.int8 is None else op.int8(shapes, settings)
        return 4 * (self.parameters + buffers) - 3 * levels

    @cached_property
    def multiply_adds(self) -> int:
        """Multiply-adds for one sample: of layers such as convolutions, no biases, normalisation or pooling."""
        return sum(
            rule(self.input_shapes(node), dict(node.params))
            for node in self.nodes[1:]
            if (rule := OPS[node.op].multiply_adds) is not None
        )

    @cached_property
    def depth(self) -> int:
        """Layers with multiply-adds on the longest path from the input to the output."""
        depths = [0]
        for node in self.nodes[1:]:
            layers = OPS[node.op].multiply_adds is not None
            depths.append(max(depths[source] for source in node.inputs) + layers)
        return depths[self.output]

    @cached_property
    def maps(self) -> bool:
        """Whether a layer with multiply-adds reads maps (channels, height, width), as convolutions of images do."""
        return any(
            OPS[node.op].multiply_adds is not None and any(len(shape) == 3 for shape in self.input_shapes(node))
            for node in self.nodes[1:]
        )

    @cached_property
    def unstackable(self) -> str | None:
        """The first operation without a stacked form, because of which such networks are trained one by one."""
        return next((node.op for node in self.nodes[1:] if OPS[node.op].stack is None), None)

    def input_shapes(self, node: Node) -> list[Shape]:
        """The shapes that a node reads, in its order."""
        return [self.shapes[source] for source in node.inputs]

    def to_json(self) -> Json:
        """The input's shape, then of each node the operation, its inputs and settings; the last node is the output."""
        nodes: list[Json] = [[node.op, list(node.inputs), dict(node.params)] for node in self.nodes[1:]]
        return {"input": list(self.shapes[0]), "nodes": nodes}

    @classmethod
    def from_json(cls, data: Any) -> Plan:
        """The inverse of `to_json`; a setting that the data leaves out has its default.

        Raises ValueError, with one line, for data that describes no plan.
        """
        try:
            if set(data) != {"input", "nodes"}:
                raise ValueError("the members are not input and nodes")
            graph = Graph(tuple(data["input"]))
            for index, (op, inputs, params) in enumerate(data["nodes"], start=1):
                if not all(type(source) is int and 0 <= source < index for source in inputs):
                    raise ValueError(f"node {index} reads {inputs}, which are not all nodes before it")
                graph.add(op, *inputs, **params)
            plan = graph.plan(len(data["nodes"]))
            if len(plan.nodes) != len(data["nodes"]) + 1:
                raise ValueError("the last node does not need all the others")
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise ValueError(f"no plan of a network: {' '.join(str(error).split())[:160]}") from error
        return plan

    def __str__(self) -> str:
        """One line for each node: index, operation with settings, inputs, shape."""
        lines = []
        for index, (node, shape) in enumerate(zip(self.nodes, self.shapes, strict=True)):
            sources = " ".join(map(str, node.inputs))
            lines.append(f"{index}: {_call(node.op, dict(node.params))} <- [{sources}] {shape}")
        return "\n".join(lines)


class Graph:
    """Builds a plan node by node; shapes are inferred, and checked, as nodes are added."""

    input = 0

    def __init__(self, task_shape: Shape) -> None:
        if not task_shape or not all(isinstance(size, int) and size > 0 for size in task_shape):
            raise PlanError(f"an input of shape {tuple(task_shape)} is impossible: sizes are positive integers")
        self._nodes = [Node("input", ())]
        self._shapes: list[Shape] = [tuple(task_shape)]

    def add(self, op: str, *inputs: int, **params: Param) -> int:
        """Adds a node and returns its index. Raises PlanError when the operation does not fit its inputs."""
        shapes = [self._shapes[source] for source in inputs]
        try:
            settings = complete(op, params)
            OPS[op].check_inputs(len(inputs))
            shape = OPS[op].shape(shapes, settings)
        except ValueError as error:
            raise PlanError(f"{_call(op, params)} on {', '.join(map(str, shapes)) or 'no input'}: {error}") from None
        self._nodes.append(Node(op, inputs, tuple(settings.items())))
        self._shapes.append(shape)
        return len(self._nodes) - 1

    def shape(self, node: int) -> Shape:
        """The shape of a node's output, without the batch."""
        return self._shapes[node]

    def plan(self, output: int) -> Plan:
        """The network that computes `output`; nodes that it does not need are left out."""
        needed = {0, output}
        for index in range(output, 0, -1):
            if index in needed:
                needed.update(self._nodes[index].inputs)
        kept = sorted(needed)
        place = {old: new for new, old in enumerate(kept)}
        nodes = []
        for index in kept:
            node = self._nodes[index]
            nodes.append(Node(node.op, tuple([place[source] for source in node.inputs]), node.params))
        return Plan(tuple(nodes), tuple([self._shapes[index] for index in kept]), place[output])


def _call(op: str, params: Settings) -> str:
    return f"{op}({', '.join(f'{key}={value}' for key, value in params.items())})"
