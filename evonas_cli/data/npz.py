"""Own data from one .npz file of numpy arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import check_file, located, reading
from evonas_cli.data.arrays import Arrays, Images
from evonas_cli.data.dataset import Dataset

CHANNELS = (1, 3)
ZIP, NPY = b"PK", b"\x93NUMPY"
"""How a file of named arrays begins, and one of a single array."""
REMEDY = "save it with numpy.savez and named keys"
KEYS = ("x_train", "y_train", "x_test", "y_test", "x_valid", "y_valid")


@dataclass(frozen=True, kw_only=True)
class Npz(Dataset):
    """A NumPy .npz file of images and labels.

    Keys x_train, y_train and, each pair optional, x_test, y_test and x_valid, y_valid.

    Images are grey or colour, (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1 or 3, uint8 or any number type; labels
    are the integers 0 to K - 1.
    """

    path: str | None

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    def read(self) -> Arrays:
        """As Dataset.read."""
        path = self._checked_path()
        names, found = _load(path)
        missing = [key for key in ("x_train", "y_train") if key not in found]
        for part in ("test", "valid"):
            pair = {f"x_{part}", f"y_{part}"}
            missing += sorted(pair - found.keys()) if pair & found.keys() else []
        if missing:
            raise UsageError(f"{path} has no {', '.join(missing)}; it has {', '.join(names) or 'nothing'}")
        images = {key: channels_first(found[key], f"{path}: {key}") for key in found if key.startswith("x_")}
        arrays: dict[str, Any] = {**found, **images}
        return Arrays(**arrays)

    def check_there(self) -> None:
        """As Dataset.check_there."""
        self._checked_path()

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


def _load(path: Path) -> tuple[list[str], dict[str, NDArray[Any]]]:
    """The names of all arrays in the file, and those of the six known ones that it has."""
    with reading(path, "an .npz file of plain arrays", REMEDY), np.load(path, allow_pickle=False) as file:
        return sorted(file.files), {key: file[key] for key in file.files if key in KEYS}


def channels_first(x: NDArray[Any], where: str) -> Images:
    """Images as (N, C, H, W). Raises UsageError when the shape fits no layout, or two."""
    if x.ndim == 3:
        return x[:, None]
    if x.ndim != 4:
        raise UsageError(f"{where} has shape {x.shape}; images are (N, H, W), (N, H, W, C) or (N, C, H, W)")
    first, last = x.shape[1] in CHANNELS, x.shape[3] in CHANNELS
    if first == last:
        problem = "could have its channels first or last" if first else "has no axis of 1 or 3 channels"
        raise UsageError(f"{where} has shape {x.shape}, which {problem}; save it as (N, C, H, W) with C 1 or 3")
    return x if first else np.ascontiguousarray(x.transpose(0, 3, 1, 2))
