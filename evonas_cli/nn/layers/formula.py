"""Activations that are formulas (network/activation_ops.py)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evonas_cli.network.activation_ops import activation_of
from evonas_cli.network.op import Settings, Shape
from evonas_cli.network.trees import Tree
from evonas_cli.nn.formulas import computed


class Formula(nn.Module):
    """A formula of x, of each number for itself."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self._tree = tree

    def forward(self, x: Tensor) -> Tensor:
        return computed(self._tree, {"x": x})


def activation(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> nn.Module:
    """The formula of the settings."""
    return Formula(activation_of(settings["formula"]))
