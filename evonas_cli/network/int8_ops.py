"""Layers with int8 weights, which post-training quantisation puts in the place of trained ones; nothing trains them.

A weight is a whole number of -127 to 127 times a scale of its output (Jacob et al., "Quantization and Training of
Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018; here symmetric and for each output apart).
Biases and scales are float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evonas_cli.network.map_ops import MAP_OPS, conv_padding
from evonas_cli.network.op import CountRule, Op, Settings, Shape
from evonas_cli.network.source import Source, arguments, side
from evonas_cli.network.vector_ops import VECTOR_OPS

LAYERS = "evonas_cli.nn.layers.int8"


def _levels(op: Op, outputs: str) -> CountRule:
    """The weights of a layer: its parameters without the biases."""

    def rule(shapes: Sequence[Shape], settings: Settings) -> int:
        assert op.parameters is not None
        return op.parameters(shapes, settings) - int(settings["bias"] * settings[outputs])

    return rule


def _linear_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    words = arguments((shapes[0][0], settings["features"]), bias=(bool(settings["bias"]), True))
    return Source(layer=f"Int8Linear({words})", classes=(f"{LAYERS}:Int8Linear",))


def _conv_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    words = arguments(
        (shapes[0][0], settings["channels"], (settings["kernel_h"], settings["kernel_w"])),
        stride=(side(settings["stride_h"], settings["stride_w"]), 1),
        padding=(side(*conv_padding(settings)), 0),
        dilation=(settings["dilation"], 1),
        groups=(settings["groups"], 1),
        bias=(bool(settings["bias"]), True),
    )
    return Source(layer=f"Int8Conv2d({words})", classes=(f"{LAYERS}:Int8Conv2d",))


_LINEAR, _CONV = VECTOR_OPS["linear"], MAP_OPS["conv"]

INT8_OPS: Mapping[str, Op] = {
    "linear_int8": Op(
        shape=_LINEAR.shape,
        build=f"{LAYERS}:linear_int8",
        stack=None,
        settings=_LINEAR.settings,
        parameters=_LINEAR.parameters,
        buffers=lambda shapes, settings: int(settings["features"]),
        int8=_levels(_LINEAR, "features"),
        multiply_adds=_LINEAR.multiply_adds,
        source=_linear_source,
    ),
    "conv_int8": Op(
        shape=_CONV.shape,
        build=f"{LAYERS}:conv_int8",
        stack=None,
        settings=_CONV.settings,
        short=_CONV.short,
        parameters=_CONV.parameters,
        buffers=lambda shapes, settings: int(settings["channels"]),
        int8=_levels(_CONV, "channels"),
        multiply_adds=_CONV.multiply_adds,
        source=_conv_source,
    ),
}
