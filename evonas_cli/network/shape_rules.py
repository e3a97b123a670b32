"""Rules for shapes that several kinds of operations share."""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.network.op import Settings, Shape


def unchanged(shapes: Sequence[Shape], settings: Settings) -> Shape:
    """The shape of the first input."""
    return shapes[0]


def slide(size: int, window: int, stride: int, padding: int) -> int:
    """How many steps a window takes over a size. Raises ValueError when there is none."""
    steps = (size + 2 * padding - window) // stride + 1
    if steps < 1:
        raise ValueError(f"a window of {window} does not fit a size of {size} with padding {padding}")
    return steps


def check_groups(channels: int, settings: Settings) -> None:
    """Raises ValueError unless the channels before and after a convolution divide by its groups."""
    groups = settings["groups"]
    if channels % groups or settings["channels"] % groups:
        raise ValueError(f"{channels} input or {settings['channels']} output channels do not divide by {groups} groups")


def check_padding(settings: Settings) -> None:
    """Raises ValueError for a pool whose windows may lie outside of its input."""
    if 2 * settings["padding"] > settings["kernel"]:
        raise ValueError("padding may be at most half the kernel")
