"""What all data sets for job=train share: settings, checks and the deterministic split; a source adds only `read`."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from typing import ClassVar

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.sources import Resolving
from evonas_cli.data.arrays import NOUNS, Arrays, Inputs, Labels, checked
from evonas_cli.data.preparing import (
    check_part,
    fingerprint_of,
    imbalance,
    part_of,
    prepared,
    standardised,
    summary,
    target_moments,
    task_of,
)
from evonas_cli.data.splits import (
    MEMORIES,
    MOST_MAGNITUDE,
    Augmentation,
    Indices,
    Splits,
    auto_fraction,
    split_indices,
)
from evonas_cli.data.targets import Targets
from evonas_cli.network.ops import Shape
from evonas_cli.network.task import Kind, Task

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # what a source has found is shown, though the command shows warnings alone


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """What every data set for job=train has.

    `test_fraction` of all examples is set aside for the test where the source has no test part of its own, and
    `valid_fraction` of the others for validation likewise; each is null exactly where the source has that part, and
    `auto` stands for null there and for a fraction elsewhere. `limit`: how many of the examples left after the test is
    set aside are kept (null: all), `limit_per_class`: how many training examples of each class (null: all). `memory`
    says where the inputs are kept while networks are trained (`data.resident`); it changes no result.

    Nothing is kept between calls: every method reads the files anew.
    """

    known_outputs: ClassVar[int | None] = None
    """How many classes, labels or numbers the source has; None: that has to be read."""
    known_kind: ClassVar[Kind | None] = None
    """The kind of the targets, where it is the same whatever the settings; None elsewhere."""

    valid_fraction: float | str | None
    test_fraction: float | str | None
    limit: int | None
    memory: str = "auto"
    limit_per_class: int | None = None

    def __post_init__(self) -> None:
        for key in ("valid_fraction", "test_fraction"):
            value = getattr(self, key)
            if value is not None and value != "auto" and (isinstance(value, bool | str) or not 0 < value < 1):
                raise UsageError(
                    f"dataset.{key} is {value!r}; it must lie between 0 and 1, both excluded, or be null or auto"
                )
            if value == "auto" and not isinstance(self, Resolving):
                raise UsageError(f"dataset.{key} is auto, which {self.name} has not; give a number, or null")
        for key in ("limit", "limit_per_class"):
            value = getattr(self, key)
            if value is not None and (type(value) is not int or value < 1):
                raise UsageError(f"dataset.{key} is {value!r}; it must be an integer of at least 1, or null")
        if self.memory not in MEMORIES:
            raise UsageError(f"dataset.memory is {self.memory!r}; it must be one of {', '.join(MEMORIES)}")

    @property
    def name(self) -> str:
        """How messages call the source."""
        return type(self).__name__

    @property
    def layout(self) -> str:
        """As Laid: what an example is, as far as the settings tell it."""
        return "image"

    @property
    def task_kind(self) -> str:
        """The kind of task as far as the settings tell it without any reading: classes, labels, numbers, boxes, or
        auto."""
        return self.known_kind or "classes"

    @property
    def tasks(self) -> int:
        """How many tasks one network learns at once; 0: the data set is a single task."""
        return 0

    def looked_up_outputs(self) -> int | None:
        """How many classes, labels or numbers there are, where a look at the targets alone tells it; None elsewhere.

        Raises as `prepare`.
        """
        return self.known_outputs

    def looked_up_sizes(self, seed: int) -> dict[str, int] | None:
        """How many examples `train`, `valid` and `test` have, where a look at the targets alone tells it; else None.

        Raises as `prepare`.
        """
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

    def fractions(self, found: Targets, own: Mapping[str, int]) -> dict[str, float | None]:
        """`test_fraction` and `valid_fraction`, by `test` and `valid`, with `auto` as what it stands for.

        `found` are the targets of the training part before the others are drawn from it, `own` counts the examples of
        the parts that the source has itself. Raises UsageError for a fraction of a part that the source has, and for
        none of one that it has not.
        """
        fractions: dict[str, float | None] = {}
        left = len(found)
        for part in ("test", "valid"):
            given = getattr(self, f"{part}_fraction")
            if part not in own and given is None:
                raise UsageError(f"{self.name} has no {part} part of its own; pass dataset.{part}_fraction=0.2, say")
            if part in own and given not in (None, "auto"):
                raise UsageError(
                    f"{self.name} has {own[part]} {part} examples of its own and dataset.{part}_fraction is {given}; "
                    f"pass dataset.{part}_fraction=null"
                )
            if part == "valid" and self.limit is not None:
                left = min(left, self.limit)
            if given == "auto":
                given = None if part in own else auto_fraction(part, left, found)
            left -= round((given or 0) * left)
            fractions[part] = given
        return fractions

    def split(self, found: Targets, own: Mapping[str, int], seed: int) -> dict[str, Indices]:
        """`split_indices` by the settings; `found` and `own` as for `fractions`. Raises as both."""
        fraction = self.fractions(found, own)
        return split_indices(
            found, fraction["valid"], fraction["test"], self.limit, seed, self.name, self.limit_per_class
        )

    def sizes(self, found: Targets, own: Mapping[str, int], seed: int) -> dict[str, int]:
        """The number of examples of each part; `found` and `own` as for `fractions`. Raises as `split`."""
        return {**own, **{part: len(indices) for part, indices in self.split(found, own, seed).items()}}

    def check_there(self) -> None:  # noqa: B027 - a source that carries its data has nothing to look for
        """Looks whether the data is where the settings say, without reading it all; a search does so before it begins.

        Raises UsageError for a path that is missing or of the wrong type. Data that may be downloaded may be missing.
        """


@dataclass(frozen=True, kw_only=True)
class Dataset(Source):
    """A data set of arrays: images, vectors or series.

    Its own settings are the augmentation (0, false: none): `crop` and `cutout` in pixels, `mixup` is alpha,
    `randaugment` the number of operations an image, `magnitude` (0 to 30) their strength.
    """

    speaks: ClassVar[bool] = False
    """Whether a line says what was found in the source, before a search begins."""
    known_kind: ClassVar[Kind | None] = "classes"

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
        """All data of the source. Raises UsageError for bad or missing files, EnvironmentFailure for a download."""

    def task(self) -> Task:
        """As Source.task."""
        return task_of(self._checked())

    def prepare(self, seed: int) -> Splits:
        """As Source.prepare, with log lines on what was found; raises as `read`, and UsageError for an empty part."""
        arrays = self._checked()
        indices = self._indices(arrays, seed)
        augmentation = Augmentation(**{field.name: getattr(self, field.name) for field in fields(Augmentation)})
        splits = prepared(arrays, indices, augmentation, self.name)
        if self.speaks or arrays.notes:
            n_test = len(part_of(arrays, indices, "test")[1])
            log.info(summary(splits, n_test, self.name, "".join(f"; {note}" for note in arrays.notes)))
        unbalanced = imbalance(splits, self.name)
        if unbalanced is not None:
            log.warning(unbalanced)
        return splits

    def test(self, seed: int) -> tuple[Inputs, Labels]:
        """As Source.test."""
        arrays = self._checked()
        indices = self._indices(arrays, seed)
        x, y = part_of(arrays, indices, "test")
        if arrays.kind == "numbers":
            y = standardised(y, *target_moments(part_of(arrays, indices, "train")[1]))
        if arrays.kind == "boxes":
            check_part(Targets(y, "boxes", arrays.names), "test", self.name)
        return x, y

    def fingerprint(self, seed: int) -> str:
        """As Source.fingerprint."""
        arrays = self._checked()
        return fingerprint_of(arrays, self._indices(arrays, seed))

    def check_augmentation(self, inputs: Shape, kind: str) -> None:
        """Raises UsageError for an augmentation that inputs of this shape, or targets of this kind, do not have."""
        for key in ("crop", "flip", "cutout", "randaugment", "mixup"):
            value = getattr(self, key)
            if value and len(inputs) != 3:
                raise UsageError(
                    f"dataset.{key}={plainly(value)} changes images, but {self.name} has {NOUNS[len(inputs) + 1]}; "
                    f"set dataset.{key}={'false' if key == 'flip' else 0}"
                )
        if self.mixup and kind != "classes":
            raise UsageError(
                f"dataset.mixup={self.mixup:g} blends classes, but {self.name} has {kind}; set dataset.mixup=0"
            )

    def _checked(self) -> Arrays:
        """All data in its final types. Raises EnvironmentFailure where the memory does not hold it."""
        try:
            arrays = checked(self.read(), self.name)
        except MemoryError as error:
            raise EnvironmentFailure(
                f"{self.name}: the data does not fit into memory; use a machine with more of it, or less data"
            ) from error
        self.check_augmentation(tuple(arrays.x_train.shape[1:]), arrays.kind)
        return arrays

    def _indices(self, arrays: Arrays, seed: int) -> dict[str, Indices]:
        """Positions in x_train that go to each part. The test part does not depend on `limit`."""
        return self.split(_found(arrays), arrays.own(), seed)

    def _sizes(self, arrays: Arrays, seed: int) -> dict[str, int]:
        """The number of examples of each part of checked arrays."""
        return self.sizes(_found(arrays), arrays.own(), seed)


def _found(arrays: Arrays) -> Targets:
    """The targets of the training part of checked arrays, before other parts are drawn from it."""
    return Targets(arrays.y_train, task_of(arrays).kind, arrays.names, arrays.groups)


def plainly(value: bool | float) -> str:
    """A setting as a command line has it."""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"
