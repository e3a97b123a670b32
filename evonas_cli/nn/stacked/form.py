"""What stacked forms of operations have in common.

A stacked form is made of (parts, spread, shapes): the members' own modules, for each input whether the members have
values of their own there, and the shapes of one member's inputs. The values of P members are one tensor: vectors are
(P, batch, features), sequences (batch, P x channels, length), maps (batch, P x channels, height, width); a value that
the members share is as in a `Network`. The output is always one of the members' own, and so are the parameters: one
member's below the other's along the first dimension, under the names that they have in the module of one member.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import torch
from torch import Tensor, nn

from evonas_cli.network.op import Shape

Layers: TypeAlias = Sequence[nn.Module]
Form: TypeAlias = Callable[[Layers, Sequence[bool], Sequence[Shape]], nn.Module]


def split(x: Tensor, dim: int, width: int) -> Tensor:
    """The dimension `dim`, which runs over the members and then over something of theirs, as two dimensions."""
    return cast(Tensor, x.unflatten(dim, (width, -1)))  # type: ignore[no-untyped-call]


def joined(parts: Layers, name: str) -> nn.Parameter:
    """The parameter `name` of all members, one below the other."""
    return nn.Parameter(torch.cat([cast(Tensor, getattr(part, name)).detach() for part in parts]))


def optional(parts: Layers, name: str) -> nn.Parameter | None:
    """As `joined`, or None where the members have none."""
    return None if getattr(parts[0], name) is None else joined(parts, name)


def repeated(x: Tensor, width: int, vector: bool) -> Tensor:
    """A shared value as one of `width` members."""
    return x.expand(width, -1, -1) if vector else x.repeat(1, width, *[1] * (x.dim() - 2))


def check_shared(spread: bool) -> None:
    """Raises ValueError for token ids that each member has computed for itself."""
    if spread:
        raise ValueError("token ids must be those of the input; they cannot come from layers with weights")
