"""A grey image as a task for compositional pattern-producing networks (CPPNs: Stanley, 2007).

    example: a pixel's x, y and radius -> target: the pixel's brightness, from 0 (black) to 1 (white)

x runs from -1 at the left to 1 at the right edge of the image, y from -1 at the top to 1 at the bottom, and the radius
is sqrt(x^2 + y^2). The bias, the fourth input of a CPPN, is one of every graph of neurons. Stanley lets people choose
among images; here a network is to reproduce one image, by the squared error over its pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import check_file, located
from evonas_cli.data.arrays import Arrays
from evonas_cli.data.own_parts import OwnParts
from evonas_cli.data.pictures import SUFFIXES, black_and_white, in_bytes, read_picture
from evonas_cli.network.task import Kind

DRAWN = ("ring", "checkered")
"""Targets that need no file."""
INNER, OUTER = 0.4, 0.8
"""Radii between which a ring is white."""
FIELDS = 4
"""Fields on a side of the chequered target."""
LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in the brightness of a pixel (ITU-R BT.601)."""
REMEDY = "pass dataset.target=ring, dataset.target=checkered, or the path of an image"


@dataclass(frozen=True, kw_only=True)
class Pattern(OwnParts):
    """The pixels of one grey image: vectors (x, y, radius), and the brightness as the number to be predicted.

    `target` is ring, checkered, or the path of an image file, which is resized to `side` x `side` pixels (bilinear).
    Training, validation and test part are the same pixels: an image to be reproduced, not to be generalised from. The
    job standardises numbers, so that a loss of 1 is that of the image's mean brightness everywhere. Raises UsageError
    for a side below 2 and for a target that is neither.
    """

    known_outputs: ClassVar[int | None] = 1
    known_kind: ClassVar[Kind | None] = "numbers"

    target: str
    side: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.side) is not int or self.side < 2:
            raise UsageError(f"dataset.side is {self.side!r}; it must be an integer of at least 2")
        if self.target not in DRAWN and self._path.suffix.lower() not in SUFFIXES:
            raise UsageError(f"dataset.target is {self.target!r}, no name of an image file; {REMEDY}")

    @property
    def name(self) -> str:
        """The target and its size."""
        return f"{self.target} of {self.side} x {self.side} pixels"

    def check_there(self) -> None:
        """As Source.check_there."""
        if self.target not in DRAWN:
            check_file(self._path, REMEDY)

    def arrays(self) -> Arrays:
        """As OwnParts.arrays: (side^2, 3) and (side^2,), row by row."""
        self.check_there()
        x, y = grid(self.side), self._brightness().reshape(-1)
        return Arrays(x_train=x, y_train=y, x_valid=x, y_valid=y, x_test=x, y_test=y, kind="numbers")

    @property
    def _path(self) -> Path:
        return located(self.target, "dataset.target", "ring")

    def _brightness(self) -> NDArray[np.float64]:
        """(side, side), from 0 to 1."""
        if self.target == "ring":
            radius = grid(self.side)[:, 2].reshape(self.side, self.side)
            return ((radius >= INNER) & (radius <= OUTER)).astype(np.float64)
        if self.target == "checkered":
            field = np.arange(self.side) * min(FIELDS, self.side) // self.side
            return ((field[:, None] + field) % 2).astype(np.float64)
        picture = read_picture(self._path, self.side)
        colours = in_bytes(picture, black_and_white([picture])).astype(np.float64)
        return np.asarray(colours @ np.array(LUMA) / 255.0)


def grid(side: int) -> NDArray[Any]:
    """x, y and radius of the pixels of a square image, (side^2, 3) float32, row by row.

    Opposite pixels have coordinates of exactly opposite signs, so that a network of even functions of x alone makes an
    exactly symmetric image.
    """
    steps = (2 * np.arange(side) - (side - 1)) / (side - 1)
    y, x = np.meshgrid(steps, steps, indexing="ij")
    return np.stack([x, y, np.hypot(x, y)], axis=-1).reshape(-1, 3).astype(np.float32)
