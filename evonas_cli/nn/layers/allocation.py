"""Memory for layers that were made on torch's device `meta`, so that torch draws no weights of its own for them."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

Layer = TypeVar("Layer", bound=nn.Module)


def allocated(layer: Layer) -> Layer:
    """The layer with parameters and buffers on the CPU, whose numbers are still to be drawn.

    Example: `allocated(nn.Linear(3, 4, device="meta")).weight.zero_()`. `to_empty(device="cpu")` does the same, but
    takes the strides from torch's compiler, whose import is a tenth of the start of a process.
    """
    layer._apply(lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype))  # type: ignore[no-untyped-call]
    return layer
