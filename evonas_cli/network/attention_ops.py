"""Operations of transformers (Vaswani et al., NeurIPS 2017) on sequences of shape (channels, length).

`attention` has queries, keys and values from one linear layer, `heads` heads, and a linear layer on what all heads have
seen. With `window` a position sees so many positions on each side (local attention), with `linear` the softmax is
replaced by feature maps (Katharopoulos et al., ICML 2020), with `rotary` queries and keys are rotated by an angle that
grows with the position (Su et al., 2021). With the token ids as a second input no position sees padding, and padding
gives zeros. `sinusoidal_positions` adds sines and cosines of the position, `learned_positions` a learned column for
each position. `map_to_sequence` makes the pixels of a map positions, row after row.

Local attention is computed as full attention of which all but the window is masked, so that it takes as long, and its
multiply-adds are counted so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evonas_cli.network.op import FLAG, Op, Setting, Settings, Shape
from evonas_cli.network.sequence_ops import sequence
from evonas_cli.network.source import PADDING, Source, arguments, expression

LAYERS = "evonas_cli.nn.layers"
STACKED = "evonas_cli.nn.stacked"


def _attention_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels, length = sequence(shapes)
    heads = settings["heads"]
    if channels % heads:
        raise ValueError(f"{channels} channels do not divide by {heads} heads")
    if settings["rotary"] and channels // heads % 2:
        raise ValueError(f"{heads} heads of {channels} channels have an odd width each, which rotary=1 cannot rotate")
    if settings["linear"] and settings["window"]:
        raise ValueError("linear attention has no window; set linear=0 or window=0")
    return channels, length


def _attention_multiply_adds(shapes: Sequence[Shape], settings: Settings) -> int:
    channels, length = shapes[0]
    seen = channels // settings["heads"] if settings["linear"] else length
    return int(4 * length * channels**2 + 2 * length * seen * channels)


def _attention_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    channels = shapes[0][0]
    words = arguments(
        (),
        heads=(settings["heads"], None),
        window=(settings["window"], 0),
        linear=(bool(settings["linear"]), False),
        rotary=(bool(settings["rotary"]), False),
    )
    return Source(
        layer=f"Attention(nn.Linear({channels}, {3 * channels}), nn.Linear({channels}, {channels}), {words})",
        call="{layer}({0})" if len(shapes) == 1 else "{layer}({0}, {1})",
        classes=(f"{LAYERS}.attention:rotated", f"{LAYERS}.attention:Attention"),
        lines=("from math import sqrt", PADDING),
    )


def _pixels(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if len(shapes[0]) != 3:
        raise ValueError("it needs a map of shape (channels, height, width)")
    channels, height, width = shapes[0]
    return channels, height * width


def _sinusoidal_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    classes = (f"{LAYERS}.positions:sinusoids", f"{LAYERS}.positions:SinusoidalPositions")
    return Source(layer=f"SinusoidalPositions({shapes[0][0]}, {shapes[0][1]})", classes=classes)


def _learned_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    table = f"torch.empty({shapes[0][0]}, {shapes[0][1]})"
    return Source(layer=f"LearnedPositions({table})", classes=(f"{LAYERS}.positions:LearnedPositions",))


ATTENTION_OPS: Mapping[str, Op] = {
    "attention": Op(
        shape=_attention_shape,
        build=f"{LAYERS}.attention:attention",
        stack=f"{STACKED}.attention:Attention",
        settings={"heads": Setting(), "window": Setting(0, least=0), "linear": FLAG, "rotary": FLAG},
        parameters=lambda shapes, settings: 4 * shapes[0][0] * (shapes[0][0] + 1),
        multiply_adds=_attention_multiply_adds,
        inputs=(1, 2),
        keeps_zero=False,
        source=_attention_source,
    ),
    "sinusoidal_positions": Op(
        shape=lambda shapes, settings: sequence(shapes),
        build=f"{LAYERS}.positions:sinusoidal_positions",
        stack=f"{STACKED}.positions:SinusoidalPositions",
        buffers=lambda shapes, settings: shapes[0][0] * shapes[0][1],
        keeps_zero=False,
        source=_sinusoidal_source,
    ),
    "learned_positions": Op(
        shape=lambda shapes, settings: sequence(shapes),
        build=f"{LAYERS}.positions:learned_positions",
        stack=f"{STACKED}.positions:LearnedPositions",
        parameters=lambda shapes, settings: shapes[0][0] * shapes[0][1],
        keeps_zero=False,
        source=_learned_source,
    ),
    "map_to_sequence": Op(
        shape=_pixels,
        build=f"{LAYERS}.movement:map_to_sequence",
        stack="same",
        reorders=True,
        source=expression("{0}.flatten(2)"),
    ),
}
