"""The topology of a network as feature expectations (IRLAS: Guo et al., CVPR 2019; Abbeel and Ng, ICML 2004).

    mu = sum over layers t of gamma^t phi(s_t) / sum over layers t of gamma^t

The code s_t of a layer is its operation, its kernel, and how many layers before it the first and the second layer lie
that it reads (2 for the one before the last; 0: there is no second one). phi is the one-hot code of each of these four,
halved, so that |phi| = 1 and |mu| <= 1. Ours are the division by the sum of the weights, which makes networks of
different depths comparable, and distances in the place of indices. Activations, normalisations, dropout and padding are
no layers: what reads them reads the layer before them. Channels and strides are no part of a code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import TypeAlias

from evonas_cli.network.plan import Node, Plan

Features: TypeAlias = dict[str, float]
"""A sparse vector: features by name that are not 0."""

NO_LAYERS = frozenset(
    ("batch_norm", "layer_norm", "relu", "gelu", "tanh", "sigmoid", "identity", "dropout", "flatten", "pad", "mask")
)
FARTHEST = 8
"""Layers that lie further back than this count as so far away."""


def codes(plan: Plan) -> list[tuple[str, ...]]:
    """The code of each layer, in the plan's order.

    Such as ("operation conv", "kernel 3x3", "first 1 back", "second 0 back").
    """
    places: list[int] = []
    found: list[tuple[str, ...]] = []
    for index, node in enumerate(plan.nodes):
        if node.op in NO_LAYERS:
            places.append(places[node.inputs[0]])
            continue
        if index > 0:
            read = sorted({min(FARTHEST, len(found) + 1 - places[source]) for source in node.inputs})
            first, second = (*read, 0)[:2]
            kind = (f"operation {_operation(plan, node)}", f"kernel {_kernel(node)}")
            found.append((*kind, f"first {first} back", f"second {second} back"))
        places.append(len(found))
    return found


def layer_kinds(plan: Plan) -> set[str]:
    """Operation and kernel of each layer: "conv 3x3"; the operation alone where there is no kernel: "add"."""
    words = ((code[0].removeprefix("operation "), code[1].removeprefix("kernel ")) for code in codes(plan))
    return {operation if kernel == "none" else f"{operation} {kernel}" for operation, kernel in words}


def expectations(plan: Plan, discount: float) -> Features:
    """mu of a network with at least one layer; `discount` is gamma, in (0, 1]."""
    features, weight, total = Features(), 1.0, 0.0
    for code in codes(plan):
        weight *= discount
        total += weight
        for name in code:
            features[name] = features.get(name, 0.0) + weight / 2
    return {name: value / total for name, value in features.items()}


def dot(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """The inner product."""
    return sum(value * second[name] for name, value in first.items() if name in second)


def norm(vector: Mapping[str, float]) -> float:
    """The Euclidean length."""
    return sqrt(sum(value * value for value in vector.values()))


def similarity(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """The cosine of the angle, in [0, 1] for expectations; 0 beside a vector of length 0."""
    lengths = norm(first) * norm(second)
    return dot(first, second) / lengths if lengths else 0.0


def combined(terms: Iterable[tuple[float, Mapping[str, float]]]) -> Features:
    """The sum of multiples of vectors."""
    total = Features()
    for factor, vector in terms:
        for name, value in vector.items():
            total[name] = total.get(name, 0.0) + factor * value
    return total


def mean(vectors: Sequence[Mapping[str, float]]) -> Features:
    """The mean of at least one vector."""
    return combined((1 / len(vectors), vector) for vector in vectors)


def _operation(plan: Plan, node: Node) -> str:
    settings = dict(node.params)
    if settings.get("groups", 1) == 1:
        return node.op
    single = settings["groups"] == plan.input_shapes(node)[0][0]
    return f"depthwise {node.op}" if single else f"grouped {node.op}"


def _kernel(node: Node) -> str:
    settings = dict(node.params)
    if "kernel_h" in settings:
        return f"{settings['kernel_h']}x{settings['kernel_w']}"
    return f"{settings['kernel']}x{settings['kernel']}" if "kernel" in settings else "none"
