"""What nodes make of their sums, and the derivatives: in place, number by number, so that no row changes another one.

Apart from exponentials, sines and hyperbolic tangents, which torch computes alike wherever a number lies in memory,
these are single operations that IEEE 754 rounds in one way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor

from evonas_cli.network.neurons import SQUARE_LIMIT, STEEPNESS

Value: TypeAlias = Callable[[Tensor, Tensor], object]
"""Writes into the second tensor what the function makes of the sums in the first."""
Slope: TypeAlias = Callable[[Tensor, Tensor, Tensor], object]
"""Multiplies the gradient in the third tensor by the derivative at the sums in the first, with values in the second."""


def sigmoid(z: Tensor, y: Tensor) -> Tensor:
    """1 / (1 + exp(-z)) into y. `torch.sigmoid` rounds differently in the last few numbers of a CPU's table."""
    return torch.neg(z, out=y).exp_().add_(1.0).reciprocal_()


def _steepened(z: Tensor, y: Tensor) -> None:
    torch.mul(z, -STEEPNESS, out=y).exp_().add_(1.0).reciprocal_()


def _gaussian(z: Tensor, y: Tensor) -> None:
    torch.mul(z, z, out=y).mul_(-0.5).exp_()


def _square(z: Tensor, y: Tensor) -> None:
    torch.clamp(z, -SQUARE_LIMIT, SQUARE_LIMIT, out=y).mul_(y)


def _sigmoid_slope(z: Tensor, y: Tensor, gradient: Tensor) -> None:
    gradient.mul_(y).mul_(1.0 - y)


def _steepened_slope(z: Tensor, y: Tensor, gradient: Tensor) -> None:
    gradient.mul_(y).mul_(1.0 - y).mul_(STEEPNESS)


def _tanh_slope(z: Tensor, y: Tensor, gradient: Tensor) -> None:
    gradient.mul_(1.0 - y * y)


def _relu_slope(z: Tensor, y: Tensor, gradient: Tensor) -> None:
    gradient.masked_fill_(z <= 0, 0.0)


def _gaussian_slope(z: Tensor, y: Tensor, gradient: Tensor) -> None:
    gradient.mul_(y).mul_(z).neg_()


def _sine_slope(z: Tensor, y: Tensor, gradient: Tensor) -> None:
    gradient.mul_(z.cos())


def _abs_slope(z: Tensor, y: Tensor, gradient: Tensor) -> None:
    gradient.mul_(z.sign())


def _square_slope(z: Tensor, y: Tensor, gradient: Tensor) -> None:
    gradient.mul_(z).mul_(2.0).masked_fill_(z.abs() > SQUARE_LIMIT, 0.0)


def _add_slope(z: Tensor, y: Tensor, gradient: Tensor) -> None:
    pass


VALUES: Mapping[str, Value] = {
    "sigmoid": sigmoid,
    "tanh": lambda z, y: torch.tanh(z, out=y),
    "relu": lambda z, y: torch.clamp(z, 0.0, out=y),
    "gaussian": _gaussian,
    "sine": lambda z, y: torch.sin(z, out=y),
    "abs": lambda z, y: torch.abs(z, out=y),
    "square": _square,
    "add": lambda z, y: y.copy_(z),
    "steepened_sigmoid": _steepened,
}
"""By name; products are not among them, since they have no sum."""

SLOPES: Mapping[str, Slope] = {
    "sigmoid": _sigmoid_slope,
    "tanh": _tanh_slope,
    "relu": _relu_slope,
    "gaussian": _gaussian_slope,
    "sine": _sine_slope,
    "abs": _abs_slope,
    "square": _square_slope,
    "add": _add_slope,
    "steepened_sigmoid": _steepened_slope,
}
