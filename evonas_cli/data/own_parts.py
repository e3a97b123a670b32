"""Data sets that are computed rather than read in bulk, and that have a training, a validation and a test part."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np

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


def _every(arrays: Arrays) -> dict[str, Indices]:
    return {"train": np.arange(len(arrays.y_train), dtype=np.int64)}
