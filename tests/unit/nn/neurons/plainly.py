"""One graph of neurons for one example, node by node: slow, readable, and not made of the program's parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonas_cli.network.neurons import SQUARE_LIMIT, STEEPNESS, Neurons

FUNCTIONS: Mapping[str, Any] = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: max(z, z * 0),
    "gaussian": lambda z: np.exp(-z * z / 2),
    "sine": np.sin,
    "abs": abs,
    "square": lambda z: min(max(z, -SQUARE_LIMIT), SQUARE_LIMIT) ** 2,
    "add": lambda z: z,
    "steepened_sigmoid": lambda z: 1 / (1 + np.exp(np.minimum(-STEEPNESS * z, 80))),
}


def values(neurons: Neurons, example: Sequence[float], kind: Any = np.float64) -> list[Any]:
    """Of all nodes: inputs, bias, hidden nodes, outputs; numbers of the `kind`."""
    found = [kind(number) for number in (*example, 1.0)]
    for node, function in enumerate(neurons.functions, start=neurons.first_node):
        terms = [
            kind(weight) * found[source]
            for (source, target), weight in zip(neurons.links, neurons.weights, strict=True)
            if target == node
        ]
        if not terms:
            found.append(kind(0.0))
        elif function == "multiply":
            found.append(np.prod(terms, dtype=kind))
        else:
            found.append(kind(FUNCTIONS[function](sum(terms[1:], terms[0]))))
    return found


def outputs(neurons: Neurons, example: Sequence[float], kind: Any = np.float64) -> list[Any]:
    """Of the outputs alone."""
    return values(neurons, example, kind)[-neurons.n_outputs :]
