"""A diagram: boxes in topological order, arrows between them, and what is drawn once for several equal parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["end", "layer", "pool", "merge", "other"]
"""How a box is coloured: input or output, layer with multiply-adds, pooling, joined inputs, anything else."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its lines of text, a note below them such as the output shape (empty: none), and its kind."""

    lines: tuple[str, ...]
    kind: Kind = "other"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Boxes `first` to `last`, both included, which the network has `times` times in a row."""

    first: int
    last: int
    times: int


@dataclass(frozen=True, slots=True)
class Diagram:
    """Boxes; arrows as pairs of indices, of which the source is the lower; repeats, which do not overlap.

    `weights`, if there are any, has a number for each arrow, shown by the arrow's colour (its sign) and width (its
    size).
    """

    boxes: tuple[Box, ...]
    arrows: tuple[tuple[int, int], ...]
    repeats: tuple[Repeat, ...] = ()
    weights: tuple[float, ...] = ()
