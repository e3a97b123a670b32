"""Operations on sequences of shape (channels, length), and on token ids of shape (length,).

Token ids are whole numbers, of which 0 is padding. `embedding` gives each id a column of learned numbers, and padding
zeros. `mask` sets the columns of padding to zero. `mean_time`, `max_time` and `last_time` reduce a sequence to one
column; with the token ids as a second input they take no notice of padding, and a sequence of padding alone gives
zeros. `lstm` and `gru` read from the first column to the last one; with `bidirectional` a second
one reads backwards, and its channels come after those of the first. `same` pads a convolution as for maps. `join` puts
sequences of equally many channels one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evonas_cli.network.op import FLAG, CountRule, Op, Setting, Settings, Shape, ShapeRule, SourceRule
from evonas_cli.network.shape_rules import POOL, check_groups, convolution_counts, pooled, slide
from evonas_cli.network.source import Source, arguments, avg_pooled, masked, max_pooled

LAYERS = "evonas_cli.nn.layers"
STACKED = "evonas_cli.nn.stacked"


def conv1d_padding(settings: Settings) -> int:
    """Columns added on each side: odd kernels keep the length at stride 1, and even ones lose a column."""
    return int(settings["dilation"] * settings["same"] * (settings["kernel"] - 1) // 2)


def sequence(shapes: Sequence[Shape]) -> tuple[int, int]:
    """Channels and length of the first input, whose token ids a second input may be."""
    if len(shapes[0]) != 2:
        raise ValueError("it needs a sequence of shape (channels, length)")
    channels, length = shapes[0]
    if len(shapes) == 2 and shapes[1] != (length,):
        raise ValueError(f"the second input must be the token ids of the sequence, of shape {(length,)}")
    return channels, length


def _conv_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels, length = sequence(shapes)
    check_groups(channels, settings)
    window = settings["dilation"] * (settings["kernel"] - 1) + 1
    return settings["channels"], slide(length, window, settings["stride"], conv1d_padding(settings))


def _pool_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels, length = sequence(shapes)
    return channels, *pooled((length,), settings)


def _join_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    channels = [sequence([shape])[0] for shape in shapes]
    if len(set(channels)) > 1:
        raise ValueError("all inputs must have the same number of channels")
    return channels[0], sum(shape[1] for shape in shapes)


def _join_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    return Source(call=f"torch.cat([{', '.join(f'{{{place}}}' for place in range(len(shapes)))}], 2)")


def _embedding_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if len(shapes[0]) != 1:
        raise ValueError("it needs token ids of shape (length,)")
    return settings["width"], shapes[0][0]


def _recurrent_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    return settings["hidden"] * (1 + settings["bidirectional"]), sequence(shapes)[1]


def _recurrent_counts(gates: int) -> tuple[CountRule, CountRule]:
    """Parameters, with two biases a gate as in torch, and multiply-adds of recurrent layers with so many gates."""

    def weights(shapes: Sequence[Shape], settings: Settings) -> int:
        hidden = settings["hidden"]
        return int(gates * hidden * (shapes[0][0] + hidden) * (1 + settings["bidirectional"]))

    def parameters(shapes: Sequence[Shape], settings: Settings) -> int:
        return weights(shapes, settings) + int(2 * gates * settings["hidden"] * (1 + settings["bidirectional"]))

    return parameters, lambda shapes, settings: weights(shapes, settings) * shapes[0][1]


def _conv_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    channels, made, kernel = shapes[0][0], settings["channels"], settings["kernel"]
    words = arguments(
        (channels, made, kernel),
        stride=(settings["stride"], 1),
        padding=(conv1d_padding(settings), 0),
        dilation=(settings["dilation"], 1),
        groups=(settings["groups"], 1),
        bias=(bool(settings["bias"]), True),
    )
    return Source(layer=f"nn.Conv1d({words})", shapes={"weight": (made, channels // settings["groups"], kernel)})


def _embedding_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    words = arguments((settings["vocabulary"], settings["width"]), padding_idx=(0, None))
    return Source(layer=f"nn.Embedding({words})", call="{layer}({0}).transpose(1, 2)")


def _recurrent_source(name: str) -> SourceRule:
    def rule(shapes: Sequence[Shape], settings: Settings) -> Source:
        both = (bool(settings["bidirectional"]), False)
        words = arguments((shapes[0][0], settings["hidden"]), batch_first=(True, False), bidirectional=both)
        call = "{layer}({0}.transpose(1, 2))[0].transpose(1, 2)"
        return Source(layer=f"nn.{name}({words})", call=call, prefix="layer.")

    return rule


def _recurrent(name: str, gates: int, layer: str) -> Op:
    parameters, multiply_adds = _recurrent_counts(gates)
    return Op(
        shape=_recurrent_shape,
        build=f"{LAYERS}.recurrent:{name}",
        stack=None,
        settings={"hidden": Setting(), "bidirectional": FLAG},
        parameters=parameters,
        multiply_adds=multiply_adds,
        keeps_zero=False,
        source=_recurrent_source(layer),
    )


def _one_column(shapes: Sequence[Shape], settings: Settings) -> Shape:
    return sequence(shapes)[:1]


def _time_pool(name: str, layer: str, plain: str) -> Op:
    source = masked(layer, f"{LAYERS}.time_pooling", plain)
    return _masked(name, _one_column, f"{STACKED}.time_pooling:Reduced", (1, 2), source)


def _masked(name: str, shape: ShapeRule, stack: str, inputs: tuple[int, int], source: SourceRule) -> Op:
    return Op(shape=shape, build=f"{LAYERS}.time_pooling:{name}", stack=stack, inputs=inputs, source=source)


CONV1D = {
    "channels": Setting(),
    "kernel": Setting(),
    "stride": Setting(1),
    "dilation": Setting(1),
    "groups": Setting(1),
    "bias": FLAG,
    "gain": Setting(1.0, least=0),
    "same": Setting(1, least=0, most=1),
}
_CONV_PARAMETERS, _CONV_MULTIPLY_ADDS = convolution_counts(_conv_shape, "kernel")

SEQUENCE_OPS: Mapping[str, Op] = {
    "conv1d": Op(
        shape=_conv_shape,
        build=f"{LAYERS}.convolution:conv1d",
        stack=f"{STACKED}.convolution:Conv1d",
        settings=CONV1D,
        parameters=_CONV_PARAMETERS,
        multiply_adds=_CONV_MULTIPLY_ADDS,
        source=_conv_source,
    ),
    "max_pool1d": Op(
        shape=_pool_shape,
        build=f"{LAYERS}.pooling:max_pool1d",
        stack="same",
        settings=POOL,
        source=max_pooled("F.max_pool1d"),
    ),
    "avg_pool1d": Op(
        shape=_pool_shape,
        build=f"{LAYERS}.pooling:avg_pool1d",
        stack="same",
        settings=POOL,
        source=avg_pooled("F.avg_pool1d"),
    ),
    "embedding": Op(
        shape=_embedding_shape,
        build=f"{LAYERS}.embedding:embedding",
        stack=f"{STACKED}.embedding:Embedding",
        settings={"vocabulary": Setting(least=2), "width": Setting()},
        parameters=lambda shapes, settings: int(settings["vocabulary"] * settings["width"]),
        source=_embedding_source,
    ),
    "join": Op(
        shape=_join_shape,
        build=f"{LAYERS}.merge:join",
        stack=f"{STACKED}.merge:join",
        inputs=(1, None),
        reorders=True,
        source=_join_source,
    ),
    "lstm": _recurrent("lstm", gates=4, layer="LSTM"),
    "gru": _recurrent("gru", gates=3, layer="GRU"),
    "mask": _masked(
        "mask",
        lambda shapes, settings: sequence(shapes),
        f"{STACKED}.time_pooling:masked",
        (2, 2),
        masked("Mask", f"{LAYERS}.time_pooling", "{0}"),
    ),
    "mean_time": _time_pool("mean_time", "MeanTime", "{0}.mean(2)"),
    "max_time": _time_pool("max_time", "MaxTime", "{0}.amax(2)"),
    "last_time": _time_pool("last_time", "LastTime", "{0}[:, :, -1]"),
}
