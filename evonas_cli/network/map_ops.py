"""Operations on feature maps of shape (channels, height, width).

`gain` multiplies a convolution's initial weights, `same` pads the map (0: not). `pad` brings a map to a height and
width with zeros below and to the right, `resize` by taking the nearest pixel. Average pools do not count padding.
`shift` moves the map by one pixel, out[h, w] = in[h+1, w+1], with zeros in the last row and column. `zero` with a
stride keeps every stride-th pixel, all zero. `upsample` repeats each pixel `factor` times in both directions.
`global_max` is a map of one pixel, the greatest of each channel, and `multiply` multiplies a map by such a pixel,
channel by channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evonas_cli.network.op import FLAG, Op, Setting, Settings, Shape
from evonas_cli.network.shape_rules import POOL, check_groups, convolution_counts, pooled, slide
from evonas_cli.network.source import Source, arguments, avg_pooled, expression, max_pooled, side

LAYERS = "evonas_cli.nn.layers"
STACKED = "evonas_cli.nn.stacked"


def conv_padding(settings: Settings) -> tuple[int, int]:
    """Rows and columns added on each side.

    With `same` odd kernels keep the map's size at stride 1, and even ones lose a pixel; without it there are none.
    """
    span = settings["dilation"] * settings["same"]
    return span * (settings["kernel_h"] - 1) // 2, span * (settings["kernel_w"] - 1) // 2


def _map(shape: Shape) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ValueError("it needs a map of shape (channels, height, width)")
    return shape[0], shape[1], shape[2]


def _same_map(shapes: Sequence[Shape], settings: Settings) -> Shape:
    return _map(shapes[0])


def _conv_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels, *sizes = _map(shapes[0])
    check_groups(channels, settings)
    height, width = (
        slide(size, settings["dilation"] * (kernel - 1) + 1, stride, padding)
        for size, kernel, stride, padding in zip(
            sizes,
            (settings["kernel_h"], settings["kernel_w"]),
            (settings["stride_h"], settings["stride_w"]),
            conv_padding(settings),
            strict=True,
        )
    )
    return settings["channels"], height, width


def _pool_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels, *sizes = _map(shapes[0])
    return channels, *pooled(sizes, settings)


def _zero_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if settings["stride"] == 1:
        return shapes[0]
    channels, height, width = _map(shapes[0])
    return channels, slide(height, 1, settings["stride"], 0), slide(width, 1, settings["stride"], 0)


def _pad_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels, height, width = _map(shapes[0])
    if height > settings["height"] or width > settings["width"]:
        raise ValueError("it cannot make a map smaller")
    return channels, settings["height"], settings["width"]


def _resize_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels, height, width = _map(shapes[0])
    if height > settings["height"] or width > settings["width"]:
        raise ValueError("it cannot make a map smaller")
    return channels, settings["height"], settings["width"]


def _upsample_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels, height, width = _map(shapes[0])
    return channels, settings["factor"] * height, settings["factor"] * width


def _multiply_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels, height, width = _map(shapes[0])
    if shapes[1] != (channels, 1, 1):
        raise ValueError(f"the second input must be one pixel of as many channels, of shape {(channels, 1, 1)}")
    return channels, height, width


def _upsample_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    factor = settings["factor"]
    return Source(call=f"{{0}}.repeat_interleave({factor}, 2).repeat_interleave({factor}, 3)")


def _conv_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    words = arguments(
        (shapes[0][0], settings["channels"], side(settings["kernel_h"], settings["kernel_w"])),
        stride=(side(settings["stride_h"], settings["stride_w"]), 1),
        padding=(side(*conv_padding(settings)), 0),
        dilation=(settings["dilation"], 1),
        groups=(settings["groups"], 1),
        bias=(bool(settings["bias"]), True),
    )
    return Source(layer=f"nn.Conv2d({words})")


def _zero_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    stride = settings["stride"]
    kept = "{0}" if stride == 1 else f"{{0}}[:, :, ::{stride}, ::{stride}]"
    return Source(call=f"torch.zeros_like({kept})")


def _pad_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    _, height, width = shapes[0]
    return Source(call=f"F.pad({{0}}, (0, {settings['width'] - width}, 0, {settings['height'] - height}))")


def _resize_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    return Source(call=f"F.interpolate({{0}}, ({settings['height']}, {settings['width']}))")


CONV = {
    "channels": Setting(),
    "kernel_h": Setting(),
    "kernel_w": Setting(),
    "stride_h": Setting(1),
    "stride_w": Setting(1),
    "dilation": Setting(1),
    "groups": Setting(1),
    "bias": FLAG,
    "gain": Setting(1.0, least=0),
    "same": Setting(1, least=0, most=1),
}
_CONV_PARAMETERS, _CONV_MULTIPLY_ADDS = convolution_counts(_conv_shape, "kernel_h", "kernel_w")

MAP_OPS: Mapping[str, Op] = {
    "conv": Op(
        shape=_conv_shape,
        build=f"{LAYERS}.convolution:conv",
        stack=f"{STACKED}.convolution:Conv",
        settings=CONV,
        short={"kernel": ("kernel_h", "kernel_w"), "stride": ("stride_h", "stride_w")},
        parameters=_CONV_PARAMETERS,
        multiply_adds=_CONV_MULTIPLY_ADDS,
        source=_conv_source,
    ),
    "max_pool": Op(
        shape=_pool_shape,
        build=f"{LAYERS}.pooling:max_pool",
        stack="evonas_cli.nn.kernels.pooling:MaxPool",
        settings=POOL,
        source=max_pooled("F.max_pool2d"),
    ),
    "avg_pool": Op(
        shape=_pool_shape,
        build=f"{LAYERS}.pooling:avg_pool",
        stack="evonas_cli.nn.kernels.pooling:AvgPool",
        settings=POOL,
        source=avg_pooled("F.avg_pool2d"),
    ),
    "global_avg_pool": Op(
        shape=lambda shapes, settings: _map(shapes[0])[:1],
        build=f"{LAYERS}.pooling:global_avg_pool",
        stack=f"{STACKED}.global_avg_pool:GlobalAvgPool",
        reorders=True,
        source=expression("{0}.mean((2, 3))"),
    ),
    "zero": Op(
        shape=_zero_shape,
        build=f"{LAYERS}.movement:zero",
        stack="same",
        settings={"stride": Setting(1)},
        reorders=True,
        source=_zero_source,
    ),
    "shift": Op(
        shape=_same_map,
        build=f"{LAYERS}.movement:shift",
        stack="same",
        reorders=True,
        source=expression("F.pad({0}[:, :, 1:, 1:], (0, 1, 0, 1))"),
    ),
    "pad": Op(
        shape=_pad_shape,
        build=f"{LAYERS}.movement:pad_map",
        stack="same",
        settings={"height": Setting(), "width": Setting()},
        reorders=True,
        source=_pad_source,
    ),
    "resize": Op(
        shape=_resize_shape,
        build=f"{LAYERS}.movement:resize",
        stack="same",
        settings={"height": Setting(), "width": Setting()},
        reorders=True,
        source=_resize_source,
    ),
    "upsample": Op(
        shape=_upsample_shape,
        build=f"{LAYERS}.movement:upsample",
        stack="same",
        settings={"factor": Setting(2)},
        reorders=True,
        source=_upsample_source,
    ),
    "global_max": Op(
        shape=lambda shapes, settings: (_map(shapes[0])[0], 1, 1),
        build=f"{LAYERS}.pooling:global_max",
        stack="same",
        reorders=True,
        source=expression("{0}.amax((2, 3), keepdim=True)"),
    ),
    "multiply": Op(
        shape=_multiply_shape,
        build=f"{LAYERS}.merge:multiply",
        stack=f"{STACKED}.merge:multiply",
        inputs=(2, 2),
        source=expression("{0} * {1}"),
    ),
}
