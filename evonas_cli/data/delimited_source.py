"""What data sets in a table have in common: the file, the target columns, the split, and the targets' scale."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.files import located
from evonas_cli.core.types import Json
from evonas_cli.data.cells import stripped
from evonas_cli.data.dataset import Source
from evonas_cli.data.delimited import Delimited, check_columns, header, table
from evonas_cli.data.preparing import check_valid, groups_of, imbalance, standardised, target_moments
from evonas_cli.data.splits import Augmentation, Indices, Splits
from evonas_cli.data.target_columns import check_kind, check_present, read_targets, target_names, told
from evonas_cli.data.targets import Targets
from evonas_cli.network.task import Task

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # what was found is shown, though the command shows warnings alone


@dataclass(frozen=True)
class Fitted:
    """What rows become: `arrays` has the inputs of each part that was asked for, `vocabulary` counts token ids or is 0,
    `what` says for people what the inputs are, `notes` what was left out, and `preparation` what `Splits` has of that
    name, but for the targets."""

    arrays: dict[str, NDArray[Any]]
    vocabulary: int
    what: str
    notes: tuple[str, ...]
    preparation: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Parts:
    """A table, its targets, the rows of each part in the file's order, and the inputs fitted to the training rows."""

    table: Delimited
    found: Targets
    rows: dict[str, Indices]
    inputs: Fitted


@dataclass(frozen=True, kw_only=True)
class DelimitedSource(Source):
    """A table with a header in a text file (`data.delimited`).

    `target`: a column, or a list of columns. `kind`: classes, labels or numbers, or auto (`data.target_columns`).
    `missing`: what stands for no value, character by character. `group`: a column whose equal values name a group, such
    as a patient, all of whose rows go to one part; it is no input. None: each row may go to any part.
    """

    path: str | None
    target: list[str] | str
    kind: str
    missing: tuple[str, ...]
    group: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_kind(self.kind)
        target_names(self.target)
        if self.group is not None and (not isinstance(self.group, str) or not self.group):
            raise UsageError(f"dataset.group is {self.group!r}; pass dataset.group=COLUMN, or null")
        if self.group in target_names(self.target):
            raise UsageError(f"dataset.group and dataset.target both name {self.group!r}; name two columns")
        for key in ("valid_fraction", "test_fraction"):
            if getattr(self, key) is None:
                raise UsageError(f"dataset.{key} is null, and a table has no part of its own; pass dataset.{key}=0.2")

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    @property
    def task_kind(self) -> str:
        """As Source.task_kind: the setting."""
        return self.kind

    def looked_up_outputs(self) -> int:
        """As Source.looked_up_outputs."""
        return self._read()[1].outputs

    def looked_up_sizes(self, seed: int) -> dict[str, int]:
        """As Source.looked_up_sizes."""
        return self.sizes(self._read()[1], {}, seed)

    @abstractmethod
    def fit(self, table: Delimited, rows: dict[str, Indices], wanted: tuple[str, ...]) -> Fitted:
        """The inputs of the `wanted` parts, fitted to the rows `train` alone. Raises UsageError for columns that do not
        fit."""

    @abstractmethod
    def check_header(self, names: tuple[str, ...], path: Path) -> None:
        """Raises UsageError for settings that name columns which the table does not have."""

    def resolved(self) -> dict[str, Json]:
        """As Resolving: `kind` and the two fractions."""
        keys = ("kind", "valid_fraction", "test_fraction")
        if not any(getattr(self, key) == "auto" for key in keys):
            return {}
        found = self._read()[1]
        fractions = self.fractions(found, {})
        said = {"kind": found.kind, "valid_fraction": fractions["valid"], "test_fraction": fractions["test"]}
        return {key: said[key] for key in keys if getattr(self, key) == "auto"}

    def check_there(self) -> None:
        """As Source.check_there: looks at the first megabyte, and whether the columns of the settings are there."""
        path = self._path
        names = header(path).names
        check_columns(names, target_names(self.target), path, "dataset.target")
        check_columns(names, [] if self.group is None else [self.group], path, "dataset.group")
        self.check_header(names, path)

    def task(self) -> Task:
        """The task by the split of seed 0: another split may see other words or categories."""
        return self.prepare(0).task

    def prepare(self, seed: int) -> Splits:
        """As Source.prepare; a log line says what was taken for what."""
        parts = self._parts(seed, ("train", "valid"))
        x, found, rows = parts.inputs.arrays, parts.found, parts.rows
        y, mean, std = _scaled(found, rows["train"])
        check_valid(Targets(found.y[rows["valid"]], found.kind, found.names), self.name)
        features = 0 if parts.inputs.vocabulary else x["train"].shape[1]
        splits = Splits(
            x_train=x["train"],
            y_train=y[rows["train"]],
            x_valid=x["valid"],
            y_valid=y[rows["valid"]],
            mean=np.zeros(features),
            std=np.ones(features),
            task=Task(tuple(x["train"].shape[1:]), found.outputs, found.kind, parts.inputs.vocabulary),
            augmentation=Augmentation(),
            fingerprint=_fingerprint(parts.table, rows),
            names=found.names,
            target_mean=mean,
            target_std=std,
            preparation=self._preparation(parts.inputs),
            groups=groups_of(found.groups, rows),
        )
        for line in (self._told(parts), *parts.inputs.notes, imbalance(splits, self.name)):
            if line is not None:
                log.info(line)
        return splits

    def test(self, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """As Source.test."""
        parts = self._parts(seed, ("test",))
        y, _, _ = _scaled(parts.found, parts.rows["train"])
        return parts.inputs.arrays["test"], y[parts.rows["test"]]

    def fingerprint(self, seed: int) -> str:
        """SHA-256 over all cells and the rows of each part, in hexadecimal."""
        read, found = self._read()
        return _fingerprint(read, self.split(found, {}, seed))

    @property
    def _path(self) -> Path:
        return located(self.path, "dataset.path", "FILE.csv")

    def _read(self) -> tuple[Delimited, Targets]:
        self.check_there()
        read = table(self._path)
        found = read_targets(read, target_names(self.target), self.kind, frozenset(self.missing))
        return read, found if self.group is None else replace(found, groups=self._groups(read, self.group))

    def _groups(self, read: Delimited, column: str) -> NDArray[np.int64]:
        """The group of each row, from 0 in the order of the sorted cells."""
        check_present(read, column, frozenset(self.missing), "fill them in (dataset.group)")
        cells = stripped(read.columns[column])
        return np.unique(cells.astype(str), return_inverse=True)[1].astype(np.int64)

    def _parts(self, seed: int, wanted: tuple[str, ...]) -> Parts:
        try:
            read, found = self._read()
            rows = self.split(found, {}, seed)
            return Parts(read, found, rows, self.fit(read, rows, wanted))
        except MemoryError as error:
            raise EnvironmentFailure(
                f"{self.path}: the rows do not fit into memory; use a machine with more of it, or fewer columns or rows"
            ) from error

    def _preparation(self, inputs: Fitted) -> dict[str, Any]:
        """Nothing for a source that does not say how it makes inputs of rows."""
        return {**inputs.preparation, "targets": list(target_names(self.target))} if inputs.preparation else {}

    def _told(self, parts: Parts) -> str:
        sizes = " + ".join(str(len(parts.rows[part])) for part in ("train", "valid", "test"))
        return f"{self.path}: {sizes} rows (training, validation, test), {parts.inputs.what}; {told(parts.found)}"


def _scaled(found: Targets, train: Indices) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64]]:
    """The targets as `Splits` has them, with the mean and deviation of numbers in the rows `train`."""
    if found.kind != "numbers":
        return found.y, np.zeros(0), np.ones(0)
    mean, std = target_moments(found.y[train])
    return standardised(found.y, mean, std), mean, std


def _fingerprint(read: Delimited, rows: dict[str, Indices]) -> str:
    digest = sha256()
    for name, cells in read.columns.items():
        for text in (name, *cells):
            data = text.encode()
            digest.update(len(data).to_bytes(8, "little"))
            digest.update(data)
    for part in sorted(rows):
        digest.update(f"{part} {len(rows[part])}".encode())
        digest.update(np.ascontiguousarray(rows[part], dtype="<i8").data)
    return digest.hexdigest()
