"""The primitive operations of a network plan: for each one its settings, output shape, parameters and multiply-adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, prod
from typing import Any, TypeAlias

Shape: TypeAlias = tuple[int, ...]
"""One sample without the batch: (channels, height, width) or (features,)."""

Settings: TypeAlias = Mapping[str, Any]
"""An operation's settings, complete and checked by `complete`."""

ShapeRule: TypeAlias = Callable[[Sequence[Shape], Settings], Shape]
CountRule: TypeAlias = Callable[[Sequence[Shape], Settings], int]

MINIMUM = {"padding": 0, "bias": 0, "gain": 0, "rate": 0, "same": 0}
"""Least value of a setting, where it is not 1."""

SHORT = {"kernel": ("kernel_h", "kernel_w"), "stride": ("stride_h", "stride_w")}
"""Settings of a convolution that stand for two."""


@dataclass(frozen=True, slots=True)
class Op:
    """The rules of one operation.

    `shape` raises ValueError with the reason when the input shapes do not fit. `defaults` lists all settings in their
    fixed order; None means that the setting must be given. `parameters` counts the trainable numbers; None means that
    there are none, so that equal nodes on equal inputs give equal values. `multiply_adds` is counted for one sample and
    without the bias. `variadic` operations take one input or more, whose order `canonical_hash` ignores; all others
    take exactly one. `keeps_zero` says that zeros give zeros (with a bias they never do). `draws` says that random
    numbers are drawn in training, so that two such nodes are never one.
    """

    shape: ShapeRule
    defaults: Mapping[str, int | float | None] = field(default_factory=dict)
    parameters: CountRule | None = None
    multiply_adds: CountRule | None = None
    variadic: bool = False
    keeps_zero: bool = True
    draws: bool = False


def complete(name: str, given: Settings) -> dict[str, Any]:
    """All settings of an operation, in the table's order; conv takes `kernel` and `stride` for both directions.

    Raises ValueError for an unknown operation, an unknown or missing setting, or a value that is no number in range;
    settings are integers but for those whose default is a float.
    """
    if name not in OPS:
        raise ValueError(f"there is no such operation; there are {', '.join(OPS)}")
    if name == "conv":
        given = {full: value for key, value in given.items() for full in SHORT.get(key, (key,))}
    defaults = OPS[name].defaults
    settings: dict[str, Any] = {**defaults, **given}
    if len(settings) != len(defaults):
        unknown = next(key for key in given if key not in defaults)
        raise ValueError(f"it has no setting {unknown}; it has {', '.join(defaults) or 'none'}")
    for key, value in settings.items():
        least = MINIMUM.get(key, 1)
        if isinstance(defaults[key], float):
            if not isinstance(value, int | float) or not least <= value < inf:
                raise ValueError(f"{key} must be a number of at least {least}, it is {value!r}")
            settings[key] = float(value)
        elif not isinstance(value, int) or value < least:
            raise ValueError(f"{key} must be an integer of at least {least}, it is {value!r}")
        else:
            settings[key] = int(value)
    return settings


def conv_padding(settings: Settings) -> tuple[int, int]:
    """Rows and columns added on each side.

    With `same` odd kernels keep the map's size at stride 1, and even ones lose a pixel; without it there are none.
    """
    span = settings["dilation"] * settings["same"]
    return span * (settings["kernel_h"] - 1) // 2, span * (settings["kernel_w"] - 1) // 2


def _slide(size: int, window: int, stride: int, padding: int) -> int:
    steps = (size + 2 * padding - window) // stride + 1
    if steps < 1:
        raise ValueError(f"a window of {window} does not fit a size of {size} with padding {padding}")
    return steps


def _map(shape: Shape) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ValueError("it needs a map of shape (channels, height, width)")
    return shape[0], shape[1], shape[2]


def _conv_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels, *sizes = _map(shapes[0])
    groups, dilation = settings["groups"], settings["dilation"]
    if channels % groups or settings["channels"] % groups:
        raise ValueError(f"{channels} input or {settings['channels']} output channels do not divide by {groups} groups")
    height, width = (
        _slide(size, dilation * (kernel - 1) + 1, stride, padding)
        for size, kernel, stride, padding in zip(
            sizes,
            (settings["kernel_h"], settings["kernel_w"]),
            (settings["stride_h"], settings["stride_w"]),
            conv_padding(settings),
            strict=True,
        )
    )
    return settings["channels"], height, width


def _conv_weights(shapes: Sequence[Shape], settings: Settings) -> int:
    per_output: int = shapes[0][0] // settings["groups"] * settings["kernel_h"] * settings["kernel_w"]
    return per_output * int(settings["channels"])


def _conv_parameters(shapes: Sequence[Shape], settings: Settings) -> int:
    return _conv_weights(shapes, settings) + int(settings["bias"] * settings["channels"])


def _conv_multiply_adds(shapes: Sequence[Shape], settings: Settings) -> int:
    _, height, width = _conv_shape(shapes, settings)
    return _conv_weights(shapes, settings) * height * width


def _linear_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if len(shapes[0]) != 1:
        raise ValueError("it needs a vector of shape (features,); put flatten or global_avg_pool before it")
    return (settings["features"],)


def _linear_parameters(shapes: Sequence[Shape], settings: Settings) -> int:
    return int((shapes[0][0] + settings["bias"]) * settings["features"])


def _pool_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels, *sizes = _map(shapes[0])
    kernel, stride, padding = settings["kernel"], settings["stride"], settings["padding"]
    if 2 * padding > kernel:
        raise ValueError("padding may be at most half the kernel")
    height, width = (_slide(size, kernel, stride, padding) for size in sizes)
    return channels, height, width


def _zero_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if settings["stride"] == 1:
        return shapes[0]
    channels, height, width = _map(shapes[0])
    return channels, _slide(height, 1, settings["stride"], 0), _slide(width, 1, settings["stride"], 0)


def _same(shapes: Sequence[Shape], settings: Settings) -> Shape:
    return shapes[0]


def _same_map(shapes: Sequence[Shape], settings: Settings) -> Shape:
    return _map(shapes[0])


def _add_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError("all inputs must have the same shape")
    return shapes[0]


def _concat_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if any(shape[1:] != shapes[0][1:] for shape in shapes):
        raise ValueError("all inputs must have the same height and width")
    return (sum(shape[0] for shape in shapes), *shapes[0][1:])


def _pad_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels, height, width = _map(shapes[0])
    if height > settings["height"] or width > settings["width"]:
        raise ValueError("it cannot make a map smaller")
    return channels, settings["height"], settings["width"]


def _dropout_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if settings["rate"] >= 1:
        raise ValueError("rate must be below 1")
    return shapes[0]


CONV: dict[str, int | float | None] = {
    "channels": None,
    "kernel_h": None,
    "kernel_w": None,
    "stride_h": 1,
    "stride_w": 1,
    "dilation": 1,
    "groups": 1,
    "bias": 0,
    "gain": 1.0,
    "same": 1,
}
POOL: dict[str, int | float | None] = {"kernel": None, "stride": 1, "padding": 0}

OPS: dict[str, Op] = {
    "conv": Op(_conv_shape, CONV, _conv_parameters, _conv_multiply_adds),
    "batch_norm": Op(_same, parameters=lambda shapes, settings: 2 * shapes[0][0], keeps_zero=False),
    "relu": Op(_same),
    "max_pool": Op(_pool_shape, POOL),
    "avg_pool": Op(_pool_shape, POOL),
    "global_avg_pool": Op(lambda shapes, settings: _map(shapes[0])[:1]),
    "flatten": Op(lambda shapes, settings: (prod(shapes[0]),)),
    "linear": Op(
        _linear_shape,
        {"features": None, "bias": 1},
        _linear_parameters,
        lambda shapes, settings: shapes[0][0] * int(settings["features"]),
    ),
    "add": Op(_add_shape, variadic=True),
    "concat": Op(_concat_shape, variadic=True),
    "identity": Op(_same),
    "zero": Op(_zero_shape, {"stride": 1}),
    "shift": Op(_same_map),
    "pad": Op(_pad_shape, {"height": None, "width": None}),
    "dropout": Op(_dropout_shape, {"rate": 0.5}, draws=True),
}
"""All operations by name.

`gain` multiplies a convolution's initial weights, `same` pads it (0: not); `pad` brings a map to a height and width
with zeros below and to the right; `dropout` zeroes numbers with probability `rate` in training and scales the others by
1 / (1 - rate). Average pools do not count padding; `shift` moves the map by one pixel, out[h, w] = in[h+1, w+1], with
zeros in the last row and column; `zero` with a stride keeps every stride-th pixel, all zero.
"""
