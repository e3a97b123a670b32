"""Classifications of handwritten digits that are related to each other, as members of `dataset=tasks`.

The stand-in of evonas for the related tasks of Meyerson and Miikkulainen (Beyond Shared Hierarchies, ICLR 2018): one
set of images with the digits in other groups, or turned by other angles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.data.arrays import Arrays
from evonas_cli.data.digits import Digits
from evonas_cli.data.splits import Indices
from evonas_cli.data.targets import Targets

GROUPS: Mapping[str, tuple[tuple[str, ...], Callable[[NDArray[Any]], NDArray[Any]]]] = {
    "digit": (tuple(map(str, range(10))), lambda y: y),
    "parity": (("even", "odd"), lambda y: y % 2),
    "below_five": (("below five", "five or more"), lambda y: y // 5),
    "mod_three": (("0, 3, 6, 9", "1, 4, 7", "2, 5, 8"), lambda y: y % 3),
    "loop": (("no loop", "a loop"), lambda y: np.isin(y, (0, 6, 8, 9)).astype(np.int64)),
}
"""By name the classes and what makes them of the digits; 0, 6, 8 and 9 have a closed loop."""
ANGLES = (0, 90, 180, 270)


@dataclass(frozen=True, kw_only=True)
class DigitTask(Digits):
    """The 1,797 digits in other classes, or turned: a member of `tasks`.

    `labels` is one of GROUPS; `rotation` turns the images counterclockwise by so many degrees. Whatever they are, the
    same images go to the training, the validation and the test part, so that no task sees in training what another one
    is validated or tested on; `limit_per_class` counts images of a digit. Raises UsageError for other values.
    """

    known_outputs: ClassVar[int | None] = None

    labels: str = "digit"
    rotation: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.labels not in GROUPS:
            raise UsageError(f"dataset.labels is {self.labels!r}; it must be one of {', '.join(GROUPS)}")
        if self.rotation not in ANGLES:
            raise UsageError(f"dataset.rotation is {self.rotation!r}; it must be one of {', '.join(map(str, ANGLES))}")

    @property
    def name(self) -> str:
        """The labels, and the angle where there is one."""
        return f"{self.labels} turned by {self.rotation}" if self.rotation else self.labels

    def looked_up_outputs(self) -> int:
        """As Source.looked_up_outputs."""
        return len(GROUPS[self.labels][0])

    def read(self) -> Arrays:
        """As Dataset.read; never fails."""
        digits = super().read()
        names, grouped = GROUPS[self.labels]
        turned = np.rot90(digits.x_train, self.rotation // 90, axes=(2, 3))
        return replace(digits, x_train=np.ascontiguousarray(turned), y_train=grouped(digits.y_train), names=names)

    def _indices(self, arrays: Arrays, seed: int) -> dict[str, Indices]:
        """Drawn with the digits in proportion, not the classes."""
        return self.split(_by_digit(super().read()), arrays.own(), seed)

    def _sizes(self, arrays: Arrays, seed: int) -> dict[str, int]:
        return self.sizes(_by_digit(super().read()), arrays.own(), seed)


def _by_digit(digits: Arrays) -> Targets:
    return Targets(digits.y_train, "classes", GROUPS["digit"][0])
