"""Detection of objects as one vector of numbers for each image: where a network answers, and in what order.

There is a location in the middle of each cell of grids with strides of 4, 8 and 16 pixels, the levels of a pyramid. At
each a network gives a score for each class, and four numbers that say how far the sides of the box are away (FCOS:
Tian et al., ICCV 2019). All these numbers are the outputs of the task: first the scores of class 0 at all locations,
level after level and row after row, then those of class 1, at last the four sides. So any network with a last linear
layer is a detector (as in YOLO: Redmon et al., CVPR 2016), and one with a pyramid answers from its maps.
"""

from __future__ import annotations

from math import prod

from evonas_cli.network.op import Shape
from evonas_cli.network.task import Task

STRIDES = (4, 8, 16)
"""Pixels between the locations of each level, the finest one first."""
SIDES = 4
"""Numbers of a box: how far its left, top, right and bottom side are away from the location."""


def grids(inputs: Shape) -> tuple[tuple[int, int], ...]:
    """Rows and columns of locations of each level, for images (C, H, W): `((8, 8), (4, 4), (2, 2))` for 32 x 32 pixels.

    Raises ValueError, with the reason, for inputs that are no images, or whose sides are no multiples of 16 pixels.
    """
    if len(inputs) != 3:
        raise ValueError(f"boxes are found in images (C, H, W), not in inputs of shape {tuple(inputs)}")
    height, width = inputs[1:]
    if height % STRIDES[-1] or width % STRIDES[-1]:
        raise ValueError(f"boxes are found in images whose sides are multiples of {STRIDES[-1]} pixels, not in "
                         f"{width}x{height}")  # fmt: skip
    return tuple([(height // stride, width // stride) for stride in STRIDES])


def locations(inputs: Shape) -> int:
    """How many locations there are, over all levels. Raises ValueError as `grids`."""
    return sum(prod(grid) for grid in grids(inputs))


def outputs(inputs: Shape, classes: int) -> int:
    """How many numbers a network gives for an image. Raises ValueError as `grids`."""
    return (classes + SIDES) * locations(inputs)


def classes_of(task: Task) -> int:
    """How many classes the boxes of a task have."""
    return task.outputs // locations(task.inputs) - SIDES
