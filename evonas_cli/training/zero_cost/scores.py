"""The zero-cost scores by name, and what a score is computed from; without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    from evonas_cli.nn.build import Network


@dataclass(frozen=True, slots=True)
class Subject:
    """A network with its initial weights, which a score may change, and a batch.

    Batch normalisations take the moments of the batch, and dropout is off. `inputs` are (B, *input shape), normalised;
    `loss` gives the mean loss of the batch from the network's outputs (B, outputs).
    """

    network: Network
    inputs: Tensor
    loss: Callable[[Tensor], Tensor]


Score: TypeAlias = Callable[[Subject], float]
"""A number of which more is better; one that is not finite says that the network has no such score."""

_HERE = "evonas_cli.training.zero_cost"
SCORES: Mapping[str, str] = {
    "parameters": f"{_HERE}.size:parameters",
    "multiply_adds": f"{_HERE}.size:multiply_adds",
    "synflow": f"{_HERE}.synflow:synflow",
    "jacob_cov": f"{_HERE}.jacob_cov:jacob_cov",
    "grad_norm": f"{_HERE}.grad_norm:grad_norm",
    "naswot": f"{_HERE}.naswot:naswot",
}
"""Module and function of each score."""
OF_NUMBERS = ("synflow", "jacob_cov")
"""Scores that take the input for numbers, which token ids are not."""


def score_of(name: str) -> Score:
    """The function of that name; imports torch."""
    module, function = SCORES[name].split(":")
    found: Score = getattr(import_module(module), function)
    return found
