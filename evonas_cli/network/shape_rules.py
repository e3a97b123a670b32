"""Rules for shapes and counts that several kinds of operations share."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from evonas_cli.network.op import CountRule, Setting, Settings, Shape, ShapeRule

POOL = {"kernel": Setting(), "stride": Setting(1), "padding": Setting(0, least=0)}
"""The settings of a pool, which `pooled` reads."""


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


def pooled(sizes: Sequence[int], settings: Settings) -> tuple[int, ...]:
    """The sizes after a pool with the settings POOL. Raises ValueError where a window may lie outside of the input."""
    if 2 * settings["padding"] > settings["kernel"]:
        raise ValueError("padding may be at most half the kernel")
    return tuple([slide(size, settings["kernel"], settings["stride"], settings["padding"]) for size in sizes])


def convolution_counts(shape: ShapeRule, *kernel: str) -> tuple[CountRule, CountRule]:
    """Parameters and multiply-adds of a convolution: `shape` is its rule, `kernel` names the sides of its kernel."""

    def weights(shapes: Sequence[Shape], settings: Settings) -> int:
        per_output = shapes[0][0] // settings["groups"] * prod([settings[side] for side in kernel])
        return int(per_output * settings["channels"])

    def parameters(shapes: Sequence[Shape], settings: Settings) -> int:
        return weights(shapes, settings) + int(settings["bias"] * settings["channels"])

    return parameters, lambda shapes, settings: weights(shapes, settings) * prod(shape(shapes, settings)[1:])
