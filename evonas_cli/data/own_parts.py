"""Data sets that are computed rather than read in bulk, and that have a training, a validation and a test part."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from evonas_cli.core.errors import UsageError
from evonas_cli.data.arrays import Arrays, Inputs, Labels, checked
from evonas_cli.data.dataset import Source
from evonas_cli.data.preparing import fingerprint_of, prepared, standardised, target_moments, task_of
from evonas_cli.data.splits import Augmentation, Indices, Splits
from evonas_cli.network.task import Task


@dataclass(frozen=True, kw_only=True)
class OwnParts(Source):
    """A data set with all three parts, which `arrays` gives; nothing depends on the run's seed."""

    valid_fraction: float | str | None = field(default=None, init=False)
    test_fraction: float | str | None = field(default=None, init=False)
    limit: int | None = field(default=None, init=False)
    limit_per_class: int | None = field(default=None, init=False)
    memory: str = field(default="auto", init=False)

    @property
    def layout(self) -> str:
        """As Laid."""
        return "vector"

    @abstractmethod
    def arrays(self) -> Arrays:
        """Inputs and targets of the three parts. Raises UsageError for a file that cannot be read."""

    def task(self) -> Task:
        """As Source.task."""
        return task_of(self._checked())

    def prepare(self, seed: int) -> Splits:
        """As Source.prepare."""
        arrays = self._checked()
        return prepared(arrays, _every(arrays), Augmentation(), self.name)

    def test(self, seed: int) -> tuple[Inputs, Labels]:
        """As Source.test."""
        arrays = self._checked()
        assert arrays.x_test is not None and arrays.y_test is not None
        if arrays.kind == "numbers":
            return arrays.x_test, standardised(arrays.y_test, *target_moments(arrays.y_train))
        return arrays.x_test, arrays.y_test

    def fingerprint(self, seed: int) -> str:
        """As Source.fingerprint."""
        arrays = self._checked()
        return fingerprint_of(arrays, _every(arrays))

    def _checked(self) -> Arrays:
        return checked(self.arrays(), self.name)


@dataclass(frozen=True, kw_only=True)
class DrawnParts(OwnParts):
    """A data set that is drawn: `n_train`, `n_valid` and `n_test` examples, each part by itself, from `seed`.

    A part has at least `least` examples. Raises UsageError for values out of range.
    """

    least: ClassVar[int] = 2

    seed: int
    n_train: int
    n_valid: int
    n_test: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.seed) is not int or not 0 <= self.seed < 2**63:
            raise UsageError(f"dataset.seed is {self.seed!r}; it must be an integer from 0 to 2^63 - 1")
        for key in ("n_train", "n_valid", "n_test"):
            value = getattr(self, key)
            if type(value) is not int or value < self.least:
                raise UsageError(f"dataset.{key} is {value!r}; it must be an integer of at least {self.least}")


def _every(arrays: Arrays) -> dict[str, Indices]:
    return {"train": np.arange(len(arrays.y_train), dtype=np.int64)}
