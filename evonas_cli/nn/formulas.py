"""Formulas (network/formulas.py) computed on tensors, number by number; gradients go through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.network.formulas import CONSTANTS, EPSILON, EXP_LIMIT, ROOT_EPSILON
from evonas_cli.network.trees import Tree


def _div(x: Tensor, y: Tensor) -> Tensor:
    return x / torch.where(y < 0, y - EPSILON, y + EPSILON)


ON_TENSORS: Mapping[str, Callable[..., Tensor]] = {
    "neg": torch.neg,
    "abs": torch.abs,
    "sign": torch.sign,
    "square": torch.square,
    "sqrt": lambda x: torch.sqrt(torch.abs(x) + ROOT_EPSILON),
    "exp": lambda x: torch.exp(torch.clamp(x, max=EXP_LIMIT)),
    "log": lambda x: torch.log(torch.abs(x) + EPSILON),
    "sin": torch.sin,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": F.relu,
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": _div,
    "max": torch.maximum,
    "min": torch.minimum,
}
"""The functions of formulas by name."""


def computed(tree: Tree, values: Mapping[str, Tensor]) -> Tensor:
    """The value of a formula, of the shape of its leaves' values; numbers take it from the first of these."""
    if not tree.children:
        found = values.get(tree.label)
        return torch.full_like(next(iter(values.values())), CONSTANTS[tree.label]) if found is None else found
    return ON_TENSORS[tree.label](*[computed(child, values) for child in tree.children])
