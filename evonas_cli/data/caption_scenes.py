"""Synthetic scenes with captions, drawn from a seed: two shapes on a noisy ground, and what is where.

    image: size x size pixels of red, green and blue -> "a small red square is above a large disc"

A shape is a square, disc or triangle, small or large, in one of four colours; the one is above the other, or left of
it. A caption names both shapes and how they lie, from either side, in words of a small grammar that may leave size and
colour out and has two ways to say most things, so that an image has several reference captions:

    caption  := thing ["is"] relation thing
    thing    := "a" [small | little | large | big] [red | green | blue | yellow] (square | disc | triangle)
    relation := above | over | below | under | left of | to the left of | right of | to the right of
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from random import Random
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import derive, stream
from evonas_cli.data.captions import Caption, CaptionCorpus, Captioned, fingerprint
from evonas_cli.data.counts import check_counts
from evonas_cli.data.scenes import SHAPES, inside
from evonas_cli.network.task import Kind

COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0)}
"""Which of red, green and blue are bright."""
SIZES = (("small", "little"), ("large", "big"))
RELATIONS = ((("above",), ("over",)), (("left", "of"), ("to", "the", "left", "of")))
CONVERSE = ((("below",), ("under",)), (("right", "of"), ("to", "the", "right", "of")))
"""How the first shape lies to the second one, above it or left of it, and the second to the first."""
GROUND, DIM, BRIGHT = (0.0, 64.0), (0.0, 64.0), (176.0, 255.0)
"""Levels, of 255, of the ground and of a shape's dim and bright colours."""
LEAST = {"size": 16, "references": 1, "n_train": 1, "n_valid": 2, "n_test": 2}
NAMED_SIZE, NAMED_COLOUR, IS = 0.5, 0.8, 0.5
"""Probabilities that a caption names a size and a colour, and has the word "is"."""
TRIES = 200
"""Draws of a caption that is not there yet before an image goes with fewer."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A shape of a scene: its place in SHAPES, whether it is large, its colour, and its box in pixels: left, top, right
    and bottom."""

    shape: int
    large: bool
    colour: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class CaptionScenes:
    """Drawn scenes of two shapes, and up to `references` different captions of each.

    `n_train`, `n_valid` and `n_test` images of `size` x `size` pixels are drawn from `seed`, each part by itself;
    `noise` is the standard deviation of the levels, of 255, that are added to each pixel. Raises UsageError for values
    out of range.
    """

    known_kind: ClassVar[Kind | None] = "captions"

    size: int
    noise: float
    references: int
    seed: int
    n_train: int
    n_valid: int
    n_test: int

    def __post_init__(self) -> None:
        check_counts(self, LEAST)
        if type(self.noise) not in (int, float) or not 0 <= self.noise < inf:
            raise UsageError(f"dataset.noise is {self.noise!r}; it must be a number of at least 0")
        if type(self.seed) is not int or not 0 <= self.seed < 2**63:
            raise UsageError(f"dataset.seed is {self.seed!r}; it must be an integer from 0 to 2^63 - 1")

    def captions(self, seed: int) -> CaptionCorpus:
        """As CaptionDataset.captions; nothing depends on the run's seed."""
        train, valid = self._part(self.n_train, 0), self._part(self.n_valid, 1)
        return CaptionCorpus(train=train, valid=valid, fingerprint=fingerprint(train, valid))

    def test_captions(self, seed: int) -> Captioned:
        """As CaptionDataset.test_captions."""
        return self._part(self.n_test, 2)

    def _part(self, count: int, place: int) -> Captioned:
        rng = stream(self.seed, "caption scenes", place)
        noise = np.random.Generator(np.random.PCG64(derive(self.seed, "caption scene noise", place)))
        images = np.empty((count, 3, self.size, self.size), dtype=np.uint8)
        references = []
        for image in images:
            first, second, axis = self._scene(rng)
            canvas = self._drawn(rng, (first, second))
            canvas += noise.normal(0.0, self.noise, canvas.shape)
            image[:] = np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
            references.append(described(rng, first, second, axis, self.references))
        return Captioned(images=images, references=tuple(references))

    def _scene(self, rng: Random) -> tuple[Thing, Thing, int]:
        """Two shapes and the axis on which they lie apart: 0, the first one above the second, or 1, left of it."""
        axis, half = rng.randrange(2), self.size // 2
        cross = rng.randint(half - 1, half + 1)
        things = []
        for place in range(2):
            large = rng.random() < 0.5
            side = rng.randint(half - half // 4, half - 1) if large else rng.randint(half // 3 + 1, half // 2)
            along = place * half + rng.randint(0, half - side)
            across = min(max(0, cross - side // 2), self.size - side)
            left, top = (across, along) if axis == 0 else (along, across)
            box = (float(left), float(top), float(left + side), float(top + side))
            things.append(Thing(rng.randrange(len(SHAPES)), large, rng.choice(list(COLOURS)), box))
        return things[0], things[1], axis

    def _drawn(self, rng: Random, things: tuple[Thing, Thing]) -> NDArray[np.float64]:
        """Levels (3, size, size) without noise."""
        ground = [rng.uniform(*GROUND) for _ in range(3)]
        canvas = np.broadcast_to(np.array(ground)[:, None, None], (3, self.size, self.size)).copy()
        for thing in things:
            levels = [rng.uniform(*(BRIGHT if bright else DIM)) for bright in COLOURS[thing.colour]]
            canvas[:, inside((float(thing.shape), *thing.box), self.size)] = np.array(levels)[:, None]
        return canvas


def described(rng: Random, first: Thing, second: Thing, axis: int, count: int) -> tuple[Caption, ...]:
    """Up to `count` different captions of a scene in which the first thing lies above the second one (axis 0) or left
    of it (axis 1)."""
    found: dict[Caption, None] = {}
    for _ in range(TRIES):
        if len(found) == count:
            break
        turned = rng.random() < 0.5
        one, other = (second, first) if turned else (first, second)
        middle = rng.choice((CONVERSE if turned else RELATIONS)[axis])
        copula = ("is",) if rng.random() < IS else ()
        found[(*_named(rng, one), *copula, *middle, *_named(rng, other))] = None
    return tuple(found)


def _named(rng: Random, thing: Thing) -> Caption:
    size = (rng.choice(SIZES[thing.large]),) if rng.random() < NAMED_SIZE else ()
    colour = (thing.colour,) if rng.random() < NAMED_COLOUR else ()
    return ("a", *size, *colour, SHAPES[thing.shape])
