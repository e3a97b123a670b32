"""Operations of networks that say in words what an image shows (`network/captions.py`).

Such a network reads one vector: the numbers of an image (channels, height, width), then as many token ids as a caption
has steps. `picture` gives the image, `words` the ids, which are whole numbers, 0 being padding. `repeat` gives a vector
as each column of a sequence, and `later` leaves the first columns of a sequence out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from evonas_cli.network.op import Op, Setting, Settings, Shape
from evonas_cli.network.source import Source

LAYERS = "evonas_cli.nn.layers.captions"
SIDES = ("channels", "height", "width")


def _vector(shape: Shape) -> int:
    if len(shape) != 1:
        raise ValueError("it needs a vector of shape (numbers,)")
    return shape[0]


def _picture_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    found = tuple([int(settings[side]) for side in SIDES])
    if prod(found) > _vector(shapes[0]):
        raise ValueError(f"an image {found} has {prod(found)} numbers, more than there are")
    return found


def _words_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if settings["length"] > _vector(shapes[0]):
        raise ValueError(f"{settings['length']} token ids are more numbers than there are")
    return (int(settings["length"]),)


def _later_shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if len(shapes[0]) != 2:
        raise ValueError("it needs a sequence of shape (channels, length)")
    if settings["skipped"] >= shapes[0][1]:
        raise ValueError(f"nothing would be left of {shapes[0][1]} columns")
    return shapes[0][0], shapes[0][1] - int(settings["skipped"])


def _picture_source(shapes: Sequence[Shape], settings: Settings) -> Source:
    sides = [int(settings[side]) for side in SIDES]
    return Source(call=f"{{0}}[:, :{prod(sides)}].reshape(-1, {', '.join(map(str, sides))})")


CAPTION_OPS: Mapping[str, Op] = {
    "picture": Op(
        shape=_picture_shape,
        build=f"{LAYERS}:picture",
        stack=None,
        settings={side: Setting() for side in SIDES},
        reorders=True,
        source=_picture_source,
    ),
    "words": Op(
        shape=_words_shape,
        build=f"{LAYERS}:words",
        stack=None,
        settings={"length": Setting()},
        reorders=True,
        source=lambda shapes, settings: Source(call=f"{{0}}[:, -{settings['length']}:].round().long()"),
    ),
    "repeat": Op(
        shape=lambda shapes, settings: (_vector(shapes[0]), int(settings["length"])),
        build=f"{LAYERS}:repeat",
        stack=None,
        settings={"length": Setting()},
        reorders=True,
        source=lambda shapes, settings: Source(call=f"{{0}}.unsqueeze(2).repeat(1, 1, {settings['length']})"),
    ),
    "later": Op(
        shape=_later_shape,
        build=f"{LAYERS}:later",
        stack=None,
        settings={"skipped": Setting()},
        reorders=True,
        source=lambda shapes, settings: Source(call=f"{{0}}[:, :, {settings['skipped']}:]"),
    ),
}
"""The operations by name."""
