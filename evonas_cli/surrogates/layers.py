"""The layers of a plan as distances between networks see them: what they compute, and which layers they read.

Convolutions, linear layers and pooling are layers, and so are the input and an output added behind the last node. What
lies between layers (normalisation, dropout, sums, concatenations) is left out: a layer reads all layers behind its
inputs. An activation is a property of the layer before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.network.ops import OPS, Shape
from evonas_cli.network.plan import Plan

KINDS: Mapping[str, str] = {
    **dict.fromkeys(("conv", "conv1d", "conv_int8"), "convolution"),
    **dict.fromkeys(("linear", "linear_int8"), "linear"),
    **dict.fromkeys(("max_pool", "max_pool1d", "max_time"), "max pooling"),
    **dict.fromkeys(("avg_pool", "avg_pool1d", "global_avg_pool", "mean_time"), "mean pooling"),
}
"""The operations that distances between layers know, with the kind of layer that each of them is."""
ACTIVATIONS = ("relu", "gelu", "tanh", "sigmoid")
JOINS = ("add", "concat")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: `given` and `made` are its input's and output's channels or features, `kernel` is the mean side of
    its windows, `activation` the first function behind it. A convolution of several groups is `grouped`."""

    kind: str
    given: int = 0
    made: int = 0
    kernel: float = 0.0
    stride: float = 1.0
    grouped: bool = False
    activation: str = ""


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of a network in topological order, from the input to the output, and which ones each of them reads.

    `joins` has for each layer, aligned with what it reads, the operation by which the value was last joined with
    others on its way, or none ("").
    """

    layers: tuple[Layer, ...]
    sources: tuple[tuple[int, ...], ...]
    joins: tuple[tuple[str, ...], ...]


def layers(plan: Plan) -> Layers:
    """The layers of a plan. Raises UsageError for operations that count as layers and that no distance knows."""
    found, sources = [Layer("input", made=plan.shapes[0][0])], [dict[int, str]()]
    carried: list[dict[int, str]] = [{0: ""}]
    for node, shape in zip(plan.nodes[1:], plan.shapes[1:], strict=True):
        read: dict[int, str] = {}
        for place in node.inputs:
            for layer, join in carried[place].items():
                read.setdefault(layer, join)
        if node.op in KINDS:
            found.append(_layer(node.op, plan.input_shapes(node)[0], shape, dict(node.params)))
            sources.append(read)
            read = {len(found) - 1: ""}
        elif OPS[node.op].multiply_adds is not None:
            raise UsageError(f"no distance between layers is known for the operation {node.op}; choose another kernel, "
                             "or a space of convolutions, pooling and linear layers")  # fmt: skip
        carried.append({layer: node.op for layer in read} if node.op in JOINS and len(node.inputs) > 1 else read)
    found.append(Layer("output", given=plan.shapes[plan.output][0]))
    sources.append(carried[plan.output])
    ordered = [sorted(read) for read in sources]
    joins = [[read[layer] for layer in order] for read, order in zip(sources, ordered, strict=True)]
    return Layers(tuple(_activated(plan, found)), tuple(map(tuple, ordered)), tuple(map(tuple, joins)))


def _layer(op: str, given: Shape, made: Shape, settings: Mapping[str, Any]) -> Layer:
    sides = [float(settings[key]) for key in ("kernel", "kernel_h", "kernel_w") if key in settings]
    strides = [float(settings[key]) for key in ("stride", "stride_h", "stride_w") if key in settings]
    kernel = sum(sides) / len(sides) if sides else 0.0
    stride = sum(strides) / len(strides) if strides else 1.0
    return Layer(KINDS[op], given[0], made[0], kernel, stride, settings.get("groups", 1) > 1)


def _activated(plan: Plan, found: Sequence[Layer]) -> list[Layer]:
    """The layers with the activations behind them, found backwards from each activation."""
    names: dict[int, str] = {}
    behind: list[frozenset[int]] = [frozenset({0})]
    count = 0
    for node in plan.nodes[1:]:
        open_layers = frozenset[int]().union(*[behind[place] for place in node.inputs])
        if node.op in KINDS:
            count += 1
            open_layers = frozenset({count})
        elif node.op in ACTIVATIONS:
            for layer in sorted(open_layers):
                names.setdefault(layer, node.op)
            open_layers = frozenset()
        behind.append(open_layers)
    return [replace(layer, activation=names.get(place, "")) for place, layer in enumerate(found)]
