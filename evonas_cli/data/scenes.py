"""Synthetic scenes for detection, drawn from a seed: one to three shapes on a noisy ground, each with its box.

    image: size x size pixels of red, green and blue -> boxes: square, disc or triangle, of 4 pixels up to half the side

Shapes are brighter than the ground and have a colour and a size of their own, sizes uniform in their logarithm, so that
small ones are as frequent as large ones; no two boxes overlap by more than a tenth of the smaller one. All is cheap
enough for a CPU, and needs maps of several resolutions: a small shape is lost in a coarse map, and a large one is more
than a location of a fine map sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log
from random import Random
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import derive, stream
from evonas_cli.data.arrays import Arrays
from evonas_cli.data.boxes import Box, padded
from evonas_cli.data.own_parts import DrawnParts
from evonas_cli.network.detection import STRIDES
from evonas_cli.network.task import Kind

SHAPES = ("square", "disc", "triangle")
SMALLEST = 4
"""The least side of a shape's box in pixels."""
DARK, BRIGHT = (0.0, 96.0), (128.0, 255.0)
"""Levels of red, green and blue, of 255, of the ground and of shapes."""
OVERLAP = 0.1
"""The largest share of the smaller box that two boxes have in common."""
TRIES = 100
"""Places that are tried for a shape; where none has room the scene has one shape less."""


@dataclass(frozen=True, kw_only=True)
class Scenes(DrawnParts):
    """Drawn scenes with one to `most` shapes, and their boxes in three classes: squares, discs and triangles.

    `n_train`, `n_valid` and `n_test` images of `size` x `size` pixels are drawn from `seed`, each part by itself;
    `noise` is the standard deviation of the grey levels, of 255, that are added to each pixel. Raises UsageError for
    values out of range.
    """

    known_kind: ClassVar[Kind | None] = "boxes"
    known_outputs: ClassVar[int | None] = len(SHAPES)

    size: int
    most: int
    noise: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.size) is not int or self.size < STRIDES[-1] or self.size % STRIDES[-1]:
            raise UsageError(f"dataset.size is {self.size!r}; it must be a multiple of {STRIDES[-1]}")
        if type(self.noise) not in (int, float) or not 0 <= self.noise < inf:
            raise UsageError(f"dataset.noise is {self.noise!r}; it must be a number of at least 0")
        if type(self.most) is not int or self.most < 1:
            raise UsageError(f"dataset.most is {self.most!r}; it must be an integer of at least 1")

    @property
    def name(self) -> str:
        """The kind of images and their size."""
        return f"scenes of {self.size}x{self.size} pixels"

    @property
    def layout(self) -> str:
        """As Laid."""
        return "image"

    def looked_up_sizes(self, seed: int) -> dict[str, int]:
        """As Source.looked_up_sizes."""
        return {"train": self.n_train, "valid": self.n_valid, "test": self.n_test}

    def arrays(self) -> Arrays:
        """As OwnParts.arrays: bytes (N, 3, size, size), and boxes (N, most, 5)."""
        parts = {}
        for place, part in enumerate(("train", "valid", "test")):
            parts[part] = self._part(getattr(self, f"n_{part}"), place)
        (x_train, y_train), (x_valid, y_valid), (x_test, y_test) = parts.values()
        return Arrays(
            x_train=x_train,
            y_train=y_train,
            x_valid=x_valid,
            y_valid=y_valid,
            x_test=x_test,
            y_test=y_test,
            kind="boxes",
            names=SHAPES,
        )

    def _part(self, count: int, place: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        rng = stream(self.seed, "scenes", place)
        noise = np.random.Generator(np.random.PCG64(derive(self.seed, "scene noise", place)))
        images = np.empty((count, 3, self.size, self.size), dtype=np.uint8)
        boxes = []
        for image in images:
            canvas, own = self._scene(rng)
            canvas += noise.normal(0.0, self.noise, canvas.shape)
            image[:] = np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
            boxes.append(own)
        return images, padded(boxes, self.most)

    def _scene(self, rng: Random) -> tuple[NDArray[np.float64], list[Box]]:
        """Levels (3, size, size) without noise, and the boxes of the shapes."""
        ground = [rng.uniform(*DARK) for _ in range(3)]
        canvas = np.broadcast_to(np.array(ground)[:, None, None], (3, self.size, self.size)).copy()
        boxes: list[Box] = []
        for _ in range(rng.randint(1, self.most)):
            box = self._placed(rng, boxes)
            if box is None:
                continue
            colour = [rng.uniform(*BRIGHT) for _ in range(3)]
            canvas[:, inside(box, self.size)] = np.array(colour)[:, None]
            boxes.append(box)
        return canvas, boxes

    def _placed(self, rng: Random, others: list[Box]) -> Box | None:
        """A shape where there is room beside the others; None where TRIES places had none."""
        label = rng.randrange(len(SHAPES))
        for _ in range(TRIES):
            side = round(exp(rng.uniform(log(SMALLEST), log(self.size / 2))))
            left, top = rng.randint(0, self.size - side), rng.randint(0, self.size - side)
            box = (float(label), float(left), float(top), float(left + side), float(top + side))
            if all(_common(box, other) <= OVERLAP for other in others):
                return box
        return None


def _common(first: Box, second: Box) -> float:
    """The share of the smaller box that both have in common."""
    width = min(first[3], second[3]) - max(first[1], second[1])
    height = min(first[4], second[4]) - max(first[2], second[2])
    smaller = min((box[3] - box[1]) * (box[4] - box[2]) for box in (first, second))
    return max(0.0, width) * max(0.0, height) / smaller


def inside(box: Box, size: int) -> NDArray[np.bool_]:
    """(size, size): which pixels the shape in a box covers."""
    label, left, top, right, bottom = box
    y, x = np.mgrid[0:size, 0:size] + 0.5
    u, v = (x - left) / (right - left), (y - top) / (bottom - top)
    within = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)
    if SHAPES[int(label)] == "disc":
        within &= (u - 0.5) ** 2 + (v - 0.5) ** 2 <= 0.25
    elif SHAPES[int(label)] == "triangle":
        within &= np.abs(u - 0.5) <= v / 2
    found: NDArray[np.bool_] = within
    return found
