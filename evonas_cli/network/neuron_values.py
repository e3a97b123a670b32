"""What a graph of single neurons computes, by numpy: for networks that are asked, not trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas_cli.network.neurons import SQUARE_LIMIT, STEEPNESS, Neurons

Values = NDArray[np.float64]
_MOST = 700.0
"""exp() of a larger number is infinite in float64."""


def _sigmoid(z: Values) -> Values:
    return np.asarray(1.0 / (1.0 + np.exp(np.minimum(-z, _MOST))))


VALUES: Mapping[str, Callable[[Values], Values]] = {
    "sigmoid": _sigmoid,
    "steepened_sigmoid": lambda z: _sigmoid(STEEPNESS * z),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0.0),
    "gaussian": lambda z: np.exp(-0.5 * z * z),
    "sine": np.sin,
    "abs": np.abs,
    "square": lambda z: np.clip(z, -SQUARE_LIMIT, SQUARE_LIMIT) ** 2,
    "add": lambda z: z,
}
"""By name, of the weighted sums; products are not among them, since they have no sum."""


def outputs(neurons: Neurons, inputs: NDArray[Any]) -> Values:
    """The outputs, (N, outputs) float64, of inputs (N, inputs). A node that no link leads to is 0.

    Raises ValueError for inputs of another width.
    """
    if inputs.ndim != 2 or inputs.shape[1] != neurons.n_inputs:
        raise ValueError(f"the graph has {neurons.n_inputs} inputs; the array has shape {inputs.shape}")
    terms: dict[int, list[tuple[int, float]]] = {}
    for (source, target), weight in zip(neurons.links, neurons.weights, strict=True):
        terms.setdefault(target, []).append((source, weight))
    values = [*inputs.T.astype(np.float64), np.ones(len(inputs))]
    for node, function in enumerate(neurons.functions, start=neurons.first_node):
        read = [weight * values[source] for source, weight in terms.get(node, [])]
        if not read:
            values.append(np.zeros(len(inputs)))
        elif function == "multiply":
            values.append(np.prod(read, axis=0))
        else:
            values.append(VALUES[function](np.sum(read, axis=0)))
    return np.stack(values[-neurons.n_outputs :], axis=1)
