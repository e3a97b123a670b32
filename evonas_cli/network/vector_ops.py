"""Operations on vectors of shape (features,), and those that take a value of any shape.

`dropout` zeroes numbers with probability `rate` in training and scales the others by 1 / (1 - rate). `layer_norm`
normalises the features of a vector, and the channels of a sequence or a map at each position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from evonas_cli.network.op import Op, Setting, Settings, Shape
from evonas_cli.network.shape_rules import unchanged
from evonas_cli.network.source import Source, arguments, expression

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


def _activation(name: str, call: str, keeps_zero: bool = True) -> Op:
    path, source = f"{LAYERS}.activation:{name}", expression(call)
    return Op(shape=unchanged, build=path, stack="same", keeps_zero=keeps_zero, source=source)


def _linear_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    words = arguments((shapes[0][0], settings["features"]), bias=(bool(settings["bias"]), True))
    return Source(layer=f"nn.Linear({words})")


def _batch_norm_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    return Source(layer=f"nn.BatchNorm{2 if len(shapes[0]) == 3 else 1}d({shapes[0][0]})")


def _layer_norm_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    last = "{layer}({0})" if len(shapes[0]) == 1 else "{layer}({0}.movedim(1, -1)).movedim(-1, 1)"
    return Source(layer=f"nn.LayerNorm({shapes[0][0]})", call=last)


def _add_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    return Source(call=" + ".join(f"{{{place}}}" for place in range(len(shapes))))


def _concat_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    return Source(call=f"torch.cat([{', '.join(f'{{{place}}}' for place in range(len(shapes)))}], 1)")


def _dropout_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    return Source(layer=f"nn.Dropout({settings['rate']})")


VECTOR_OPS: Mapping[str, Op] = {
    "linear": Op(
        shape=_linear_shape,
        build=f"{LAYERS}.linear:linear",
        stack=f"{STACKED}.linear:Linear",
        settings={"features": Setting(), "bias": Setting(1, least=0, most=1)},
        parameters=_linear_parameters,
        multiply_adds=lambda shapes, settings: shapes[0][0] * int(settings["features"]),
        source=_linear_source,
    ),
    "batch_norm": Op(
        shape=unchanged,
        build=f"{LAYERS}.normalisation:batch_norm",
        stack=f"{STACKED}.batch_norm:BatchNorm",
        parameters=_scale_and_offset,
        buffers=lambda shapes, settings: 2 * shapes[0][0],
        keeps_zero=False,
        source=_batch_norm_source,
    ),
    "layer_norm": Op(
        shape=unchanged,
        build=f"{LAYERS}.normalisation:layer_norm",
        stack=f"{STACKED}.layer_norm:LayerNorm",
        parameters=_scale_and_offset,
        keeps_zero=False,
        source=_layer_norm_source,
    ),
    "relu": _activation("relu", "F.relu({0})"),
    "gelu": _activation("gelu", "F.gelu({0})"),
    "tanh": _activation("tanh", "torch.tanh({0})"),
    "sigmoid": _activation("sigmoid", "torch.sigmoid({0})", keeps_zero=False),
    "identity": _activation("identity", "{0}"),
    "flatten": Op(
        shape=lambda shapes, settings: (prod(shapes[0]),),
        build=f"{LAYERS}.movement:flatten",
        stack=f"{STACKED}.flatten:Flatten",
        reorders=True,
        source=expression("{0}.flatten(1)"),
    ),
    "add": Op(
        shape=_add_shape,
        build=f"{LAYERS}.merge:add",
        stack=f"{STACKED}.merge:add",
        inputs=(1, None),
        commutative=True,
        source=_add_source,
    ),
    "concat": Op(
        shape=_concat_shape,
        build=f"{LAYERS}.merge:concat",
        stack=f"{STACKED}.merge:concat",
        inputs=(1, None),
        commutative=True,
        reorders=True,
        source=_concat_source,
    ),
    "dropout": Op(
        shape=_dropout_shape,
        build=f"{LAYERS}.dropout:dropout",
        stack=f"{STACKED}.dropout:MemberDropout",
        settings={"rate": Setting(0.5, least=0)},
        draws=True,
        source=_dropout_source,
    ),
}
