"""What all data sets share: settings, checks and the deterministic stratified split; a source adds only `read`."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from hashlib import sha256
from math import inf

import numpy as np

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.data.arrays import Arrays, Images, Inputs, Labels, checked
from evonas_cli.data.splits import (
    MEMORIES,
    MOST_MAGNITUDE,
    Augmentation,
    Indices,
    Splits,
    moments,
    split_indices,
)
from evonas_cli.data.targets import Targets
from evonas_cli.network.task import Task

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # what a source has found is shown, though the command shows warnings alone


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """What every data set for job=train has.

    `test_fraction` of all examples is set aside for the test where the source has no test part of its own, and
    `valid_fraction` of the others for validation likewise; each is null exactly where the source has that part, and
    `auto` stands for null there and for a fraction elsewhere. `limit`: how many of the examples left after the test is
    set aside are kept (null: all). `memory` says where the inputs are kept while networks are trained
    (`data.resident`); it changes no result.

    Nothing is kept between calls: every method reads the files anew.
    """

    valid_fraction: float | str | None
    test_fraction: float | str | None
    limit: int | None
    memory: str = "auto"

    def __post_init__(self) -> None:
        for key in ("valid_fraction", "test_fraction"):
            value = getattr(self, key)
            if value is not None and value != "auto" and (isinstance(value, bool | str) or not 0 < value < 1):
                raise UsageError(
                    f"dataset.{key} is {value!r}; it must lie between 0 and 1, both excluded, or be null or auto"
                )
        if self.limit is not None and (type(self.limit) is not int or self.limit < 1):
            raise UsageError(f"dataset.limit is {self.limit!r}; it must be an integer of at least 1, or null")
        if self.memory not in MEMORIES:
            raise UsageError(f"dataset.memory is {self.memory!r}; it must be one of {', '.join(MEMORIES)}")

    @property
    def name(self) -> str:
        """How messages call the source."""
        return type(self).__name__

    @property
    def task_kind(self) -> str:
        """The kind of task as far as the settings tell it without any reading: classes, labels, numbers, or auto."""
        return "classes"

    @property
    def known_outputs(self) -> int | None:
        """How many classes, labels or numbers there are, as far as the settings tell it; None: not known unread."""
        return None

    @abstractmethod
    def task(self) -> Task:
        """Shape of one input, number of outputs, and kind. Raises as `prepare`."""

    @abstractmethod
    def prepare(self, seed: int) -> Splits:
        """Training and validation part, split from the run's seed.

        Raises UsageError for bad or missing files, EnvironmentFailure for a download that fails or memory that does not
        suffice.
        """

    @abstractmethod
    def test(self, seed: int) -> tuple[Inputs, Labels]:
        """Inputs and targets of the test part, as `Splits` has them, which a search never sees. Raises as `prepare`."""

    @abstractmethod
    def fingerprint(self, seed: int) -> str:
        """SHA-256 over all data and split indices, in hexadecimal. Raises as `prepare`."""

    def check_there(self) -> None:  # noqa: B027 - a source that carries its data has nothing to look for
        """Looks whether the data is where the settings say, without reading it all; a search does so before it begins.

        Raises UsageError for a path that is missing or of the wrong type. Data that may be downloaded may be missing.
        """


@dataclass(frozen=True, kw_only=True)
class Dataset(Source):
    """A data set of images.

    Its own settings are the augmentation (0, false: none): `crop` and `cutout` in pixels, `mixup` is alpha,
    `randaugment` the number of operations an image, `magnitude` (0 to 30) their strength.
    """

    crop: int
    flip: bool
    cutout: int
    mixup: float = 0.0
    randaugment: int = 0
    magnitude: int = 9

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("crop", "cutout", "randaugment", "magnitude"):
            value = getattr(self, key)
            if type(value) is not int or value < 0:
                raise UsageError(f"dataset.{key} is {value!r}; it must be an integer of at least 0")
        if type(self.flip) is not bool:
            raise UsageError(f"dataset.flip is {self.flip!r}; it must be true or false")
        if type(self.mixup) not in (int, float) or not 0 <= self.mixup < inf:
            raise UsageError(f"dataset.mixup is {self.mixup!r}; it must be a number of at least 0")
        if self.magnitude > MOST_MAGNITUDE:
            raise UsageError(f"dataset.magnitude is {self.magnitude}; it must be at most {MOST_MAGNITUDE}")

    @abstractmethod
    def read(self) -> Arrays:
        """All images of the source. Raises UsageError for bad or missing files, EnvironmentFailure for a download."""

    def task(self) -> Task:
        """Shape (C, H, W) of an image, and the number of classes."""
        arrays = self._checked()
        return Task(inputs=tuple(arrays.x_train.shape[1:]), outputs=arrays.classes)

    def prepare(self, seed: int) -> Splits:
        """Training and validation part, split from the run's seed, with a log line for each note of the source.

        Raises as `read`; UsageError for an empty part.
        """
        arrays = self._checked()
        for note in arrays.notes:
            log.info(note)
        indices = self._indices(arrays, seed)
        x_train, y_train = arrays.x_train[indices["train"]], arrays.y_train[indices["train"]]
        x_valid, y_valid = arrays.x_valid, arrays.y_valid
        if x_valid is None or y_valid is None:
            x_valid, y_valid = arrays.x_train[indices["valid"]], arrays.y_train[indices["valid"]]
        mean, std = moments(x_train)
        return Splits(
            x_train=x_train,
            y_train=y_train,
            x_valid=x_valid,
            y_valid=y_valid,
            mean=mean,
            std=std,
            task=Task(inputs=tuple(x_train.shape[1:]), outputs=arrays.classes),
            augmentation=Augmentation(**{field.name: getattr(self, field.name) for field in fields(Augmentation)}),
            fingerprint=_fingerprint(arrays, indices),
        )

    def test(self, seed: int) -> tuple[Images, Labels]:
        """Images and labels of the test part, which a search never sees. Raises as `prepare`."""
        arrays = self._checked()
        if arrays.x_test is not None and arrays.y_test is not None:
            self._indices(arrays, seed)
            return arrays.x_test, arrays.y_test
        chosen = self._indices(arrays, seed)["test"]
        return arrays.x_train[chosen], arrays.y_train[chosen]

    def fingerprint(self, seed: int) -> str:
        """SHA-256 over all images, labels and split indices, in hexadecimal."""
        arrays = self._checked()
        return _fingerprint(arrays, self._indices(arrays, seed))

    def _checked(self) -> Arrays:
        """All images in their final types. Raises EnvironmentFailure where the memory does not hold them."""
        try:
            return checked(self.read(), self.name)
        except MemoryError as error:
            raise EnvironmentFailure(
                f"{self.name}: the images do not fit into memory; use a machine with more of it, or fewer images"
            ) from error

    def _indices(self, arrays: Arrays, seed: int) -> dict[str, Indices]:
        """Positions in x_train that go to each part. The test part does not depend on `limit`."""
        for part, own in (("test", arrays.y_test), ("valid", arrays.y_valid)):
            self._check_fraction(part, own, getattr(self, f"{part}_fraction"))
        names = tuple(map(str, range(arrays.classes)))
        found = Targets(arrays.y_train, "classes", names)
        return split_indices(found, self.valid_fraction, self.test_fraction, self.limit, seed, self.name)  # type: ignore[arg-type]

    def _check_fraction(self, part: str, own: Labels | None, fraction: float | str | None) -> None:
        if own is None and fraction is None:
            raise UsageError(f"{self.name} has no {part} images of its own; pass dataset.{part}_fraction=0.2, say")
        if own is not None and fraction is not None:
            raise UsageError(
                f"{self.name} has {len(own)} {part} images of its own and dataset.{part}_fraction is {fraction}; "
                f"pass dataset.{part}_fraction=null"
            )


def _fingerprint(arrays: Arrays, indices: dict[str, Indices]) -> str:
    digest = sha256()
    arrays.update(digest)
    for part in sorted(indices):
        digest.update(f"{part} {len(indices[part])}".encode())
        digest.update(np.ascontiguousarray(indices[part], dtype="<i8").data)
    return digest.hexdigest()
