"""Operations on vectors of shape (features,), and those that take a value of any shape.

`dropout` zeroes numbers with probability `rate` in training and scales the others by 1 / (1 - rate). `layer_norm`
normalises the features of a vector, and the channels of a sequence or a map at each position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from evonas_cli.network.op import Op, Setting, Settings, Shape
from evonas_cli.network.shape_rules import unchanged

LAYERS = "evonas_cli.nn.layers"
STACKED = "evonas_cli.nn.stacked"


def _linear_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if len(shapes[0]) != 1:
        raise ValueError("it needs a vector of shape (features,); put flatten or global_avg_pool before it")
    return (settings["features"],)


def _linear_parameters(shapes: Sequence[Shape], settings: Settings) -> int:
    return int((shapes[0][0] + settings["bias"]) * settings["features"])


def _scale_and_offset(shapes: Sequence[Shape], settings: Settings) -> int:
    return 2 * shapes[0][0]


def _add_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError("all inputs must have the same shape")
    return shapes[0]


def _concat_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if any(shape[1:] != shapes[0][1:] for shape in shapes):
        raise ValueError("all inputs must have the same height and width, or length")
    return (sum(shape[0] for shape in shapes), *shapes[0][1:])


def _dropout_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if settings["rate"] >= 1:
        raise ValueError("rate must be below 1")
    return shapes[0]


def _activation(name: str, keeps_zero: bool = True) -> Op:
    return Op(shape=unchanged, build=f"{LAYERS}.activation:{name}", stack="same", keeps_zero=keeps_zero)


VECTOR_OPS: Mapping[str, Op] = {
    "linear": Op(
        shape=_linear_shape,
        build=f"{LAYERS}.linear:linear",
        stack=f"{STACKED}.linear:Linear",
        settings={"features": Setting(), "bias": Setting(1, least=0, most=1)},
        parameters=_linear_parameters,
        multiply_adds=lambda shapes, settings: shapes[0][0] * int(settings["features"]),
    ),
    "batch_norm": Op(
        shape=unchanged,
        build=f"{LAYERS}.normalisation:batch_norm",
        stack=f"{STACKED}.batch_norm:BatchNorm",
        parameters=_scale_and_offset,
        buffers=lambda shapes, settings: 2 * shapes[0][0],
        keeps_zero=False,
    ),
    "layer_norm": Op(
        shape=unchanged,
        build=f"{LAYERS}.normalisation:layer_norm",
        stack=f"{STACKED}.layer_norm:LayerNorm",
        parameters=_scale_and_offset,
        keeps_zero=False,
    ),
    "relu": _activation("relu"),
    "gelu": _activation("gelu"),
    "tanh": _activation("tanh"),
    "sigmoid": _activation("sigmoid", keeps_zero=False),
    "identity": _activation("identity"),
    "flatten": Op(
        shape=lambda shapes, settings: (prod(shapes[0]),),
        build=f"{LAYERS}.movement:flatten",
        stack=f"{STACKED}.flatten:Flatten",
        reorders=True,
    ),
    "add": Op(
        shape=_add_shape,
        build=f"{LAYERS}.merge:add",
        stack=f"{STACKED}.merge:add",
        inputs=(1, None),
        commutative=True,
    ),
    "concat": Op(
        shape=_concat_shape,
        build=f"{LAYERS}.merge:concat",
        stack=f"{STACKED}.merge:concat",
        inputs=(1, None),
        commutative=True,
        reorders=True,
    ),
    "dropout": Op(
        shape=_dropout_shape,
        build=f"{LAYERS}.dropout:dropout",
        stack=f"{STACKED}.dropout:MemberDropout",
        settings={"rate": Setting(0.5, least=0)},
        draws=True,
    ),
}
