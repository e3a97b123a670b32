"""Own data from one .npz file of numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import check_file, located, reading
from evonas_cli.core.types import Json
from evonas_cli.data.arrays import Arrays, all_targets, numbered
from evonas_cli.data.dataset import Dataset
from evonas_cli.data.layouts import AXES, LAYOUTS, laid_out, layout_of
from evonas_cli.data.targets import GIVEN_KINDS, Targets

ZIP, NPY = b"PK", b"\x93NUMPY"
"""How a file of named arrays begins, and one of a single array."""
REMEDY = "save it with numpy.savez and named keys"
GROUPS = "groups"
KEYS = ("x_train", "y_train", "x_test", "y_test", "x_valid", "y_valid", GROUPS)
PARTS = ("train", "valid", "test")


@dataclass(frozen=True, kw_only=True)
class Npz(Dataset):
    """A NumPy .npz file of inputs and targets.

    Keys x_train, y_train and, each pair optional, x_test, y_test and x_valid, y_valid. An array `groups`, words or
    integers (N,), says to which group each training example belongs, such as to which patient: all examples of a group
    go to one part. `layout` says what the inputs are (`data.layouts`), `kind` what the targets are (`data.targets`);
    `auto` asks the arrays.
    """

    speaks: ClassVar[bool] = True

    path: str | None
    kind: str = "classes"
    layout: str = "image"

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, known in (("kind", GIVEN_KINDS), ("layout", LAYOUTS)):
            if getattr(self, key) not in known:
                raise UsageError(f"dataset.{key} is {getattr(self, key)!r}; it must be one of {', '.join(known)}")
        self._check_augmentation(self.layout, self.kind)

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    @property
    def task_kind(self) -> str:
        """As Source.task_kind."""
        return self.kind

    def read(self) -> Arrays:
        """As Dataset.read."""
        path = self._checked_path()
        names, found = _load(path, KEYS)
        _check_keys(path, names)
        inputs = {key: laid_out(found[key], self.layout, f"{path}: {key}") for key in found if key.startswith("x_")}
        arrays: dict[str, Any] = {**found, **inputs}
        return Arrays(**arrays, kind=self.kind)

    def resolved(self) -> dict[str, Json]:
        """As Resolving: kind, layout and fractions, from the targets and the shape of the inputs."""
        if "auto" not in (self.kind, self.layout, self.valid_fraction, self.test_fraction):
            return {}
        path, found = self._checked_path(), self._targets()
        train, own = _apart(found)
        shape, kind = _header(path, "x_train")
        layout = layout_of(shape, kind, f"{path}: x_train") if self.layout == "auto" else self.layout
        self._check_augmentation(layout, train.kind)
        self.split(train, own, 0)
        fractions = self.fractions(train, own)
        values: dict[str, Json] = {"kind": train.kind, "layout": layout}
        values |= {f"{part}_fraction": fraction for part, fraction in fractions.items()}
        return {key: value for key, value in values.items() if getattr(self, key) == "auto"}

    def check_there(self) -> None:
        """As Dataset.check_there."""
        self._checked_path()

    def looked_up_outputs(self) -> int:
        """As Source.looked_up_outputs."""
        return self._targets()["train"].outputs

    def looked_up_sizes(self, seed: int) -> dict[str, int]:
        """As Source.looked_up_sizes."""
        return self.sizes(*_apart(self._targets()), seed)

    def _targets(self) -> dict[str, Targets]:
        """The targets of each part; the inputs are not read."""
        path = self._checked_path()
        names, given = _load(path, [*(f"y_{part}" for part in PARTS), GROUPS])
        _check_keys(path, names)
        parts = {part: given[f"y_{part}"] for part in PARTS if f"y_{part}" in given}
        found = all_targets(parts, self.kind, self.name)
        if GROUPS in given:
            groups = numbered(given[GROUPS], len(found["train"]), f"{self.name}: {GROUPS}")
            found["train"] = replace(found["train"], groups=groups)
        return found

    def _check_augmentation(self, layout: str, kind: str) -> None:
        """As check_augmentation; what is still auto passes."""
        axes = AXES.get(layout, AXES["image"])
        self.check_augmentation((1,) * axes, "classes" if kind == "auto" else kind)

    def _checked_path(self) -> Path:
        """The file, which begins as an .npz file does. Raises UsageError."""
        path = located(self.path, "dataset.path", "FILE.npz")
        check_file(path, "pass dataset.path=FILE.npz")
        with reading(path, "an .npz file", REMEDY), path.open("rb") as file:
            start = file.read(len(NPY))
        if start == NPY:
            raise UsageError(f"{path} holds a single array; {REMEDY}")
        if not start.startswith(ZIP):
            raise UsageError(f"{path} is no .npz file, it begins with {start!r}; {REMEDY}")
        return path


def _apart(found: Mapping[str, Targets]) -> tuple[Targets, dict[str, int]]:
    """The targets of the training part, and the sizes of the others."""
    return found["train"], {part: len(targets) for part, targets in found.items() if part != "train"}


def _load(path: Path, keys: Any) -> tuple[list[str], dict[str, NDArray[Any]]]:
    """The names of all arrays in the file, and those of `keys` that it has."""
    with reading(path, "an .npz file of plain arrays", REMEDY), np.load(path, allow_pickle=False) as file:
        return sorted(file.files), {key: file[key] for key in file.files if key in keys}


def _header(path: Path, key: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array in the file, of which the data is not read."""
    with (
        reading(path, "an .npz file of plain arrays", REMEDY),
        ZipFile(path) as file,
        file.open(f"{key}.npy") as member,
    ):
        wide = np.lib.format.read_magic(member) > (1, 0)
        read = np.lib.format.read_array_header_2_0 if wide else np.lib.format.read_array_header_1_0
        shape, _, kind = read(member)
    return shape, kind


def _check_keys(path: Path, names: list[str]) -> None:
    """Raises UsageError for arrays that lack, or lack their partner."""
    missing = [key for key in ("x_train", "y_train") if key not in names]
    for part in ("test", "valid"):
        pair = {f"x_{part}", f"y_{part}"}
        missing += sorted(pair - set(names)) if pair & set(names) else []
    if missing:
        raise UsageError(f"{path} has no {', '.join(missing)}; it has {', '.join(names) or 'nothing'}")
