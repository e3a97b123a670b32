"""The dtype of a computation, and all weights of a network cast to it at once.

autocast launches one kernel for each weight and one for each gradient. Removal condition: autocast casts the weights of
a network in one kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def kind_of(x: Tensor) -> torch.dtype:
    """The precision in which is computed with such numbers: that of autocast, or their own."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype


def lowered(weights: Sequence[Tensor], kind: torch.dtype) -> tuple[Tensor, ...]:
    """The weights, rounded to `kind`; gradients come back in their own precision."""
    return cast(tuple[Tensor, ...], _Lowered.apply(kind, *weights)) if weights else ()


class _Lowered(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, kind: torch.dtype, *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.kinds = [weight.dtype for weight in weights]
        found = [torch.empty_like(weight, dtype=kind) for weight in weights]
        torch._foreach_copy_(found, list(weights))
        return tuple(found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor | None) -> tuple[Tensor | None, ...]:
        known = [(slope, kind) for slope, kind in zip(slopes, ctx.kinds, strict=True) if slope is not None]
        found = [torch.empty_like(slope, dtype=kind) for slope, kind in known]
        if found:
            torch._foreach_copy_(found, [slope for slope, _ in known])
        each = iter(found)
        return (None, *(None if slope is None else next(each) for slope in slopes))
