"""Adam (Kingma and Ba, ICLR 2015) on one vector, with all that it remembers as a value.

Written out because its memory is part of a search's state, which is stored and read back bit for bit.
"""

from __future__ import annotations

import torch
from torch import Tensor

from evonas_cli.strategies.controllers.values import Trained

DECAYS, EPSILON = (0.9, 0.999), 1e-8


def begin(weights: Tensor) -> Trained:
    """Before the first step."""
    zeros = to_bytes(torch.zeros_like(weights))
    return Trained(to_bytes(weights), zeros, zeros)


def descend(trained: Trained, gradient: Tensor, learning_rate: float) -> Trained:
    """One step against the gradient, which has the shape of the weights."""
    steps = trained.steps + 1
    mean = DECAYS[0] * to_tensor(trained.means) + (1 - DECAYS[0]) * gradient
    square = DECAYS[1] * to_tensor(trained.squares) + (1 - DECAYS[1]) * gradient**2
    spread = (square / (1 - DECAYS[1] ** steps)).sqrt() + EPSILON
    weights = to_tensor(trained.weights) - learning_rate * (mean / (1 - DECAYS[0] ** steps)) / spread
    return Trained(to_bytes(weights), to_bytes(mean), to_bytes(square), steps)


def to_bytes(vector: Tensor) -> bytes:
    """The float64 numbers of a vector, in the machine's byte order."""
    return bytes(vector.detach().numpy().tobytes())


def to_tensor(stored: bytes) -> Tensor:
    """The inverse of `to_bytes`."""
    return torch.frombuffer(bytearray(stored), dtype=torch.float64).clone()
