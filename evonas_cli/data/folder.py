"""Own data from a folder of images, one sub-folder a class (torchvision's ImageFolder layout)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import located
from evonas_cli.data.arrays import Arrays, Images
from evonas_cli.data.class_folders import Listing, check_apart, listed, summary
from evonas_cli.data.dataset import Dataset
from evonas_cli.data.pictures import black_and_white, in_bytes, read_picture

PARTS = {"train": ("train",), "test": ("test",), "valid": ("val", "valid", "validation")}
"""Each part with the folders that it may lie in."""


@dataclass(frozen=True, kw_only=True)
class Folder(Dataset):
    """A folder of image files, one subfolder a class.

    `<root>/train/<class>/*`, and optionally `<root>/test` and `<root>/val` (or `valid`, `validation`) with the same
    classes.

    Images become RGB of eight bits, as a viewer shows them (`data/pictures.py`). `size`: they are resized to
    size x size pixels, bilinear; null: they must all be equal in size.
    """

    root: str | None
    size: int | None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size is not None and (type(self.size) is not int or self.size < 1):
            raise UsageError(f"dataset.size is {self.size!r}; it must be an integer of at least 1, or null")

    def read(self) -> Arrays:
        """As Dataset.read."""
        listings = self._listings()
        arrays: dict[str, Any] = self._images(listings)
        for part, listing in listings.items():
            arrays[f"y_{part}"] = np.array([image.label for image in listing.images], dtype=np.int64)
        return Arrays(**arrays, notes=(summary(self._root, list(listings.values())),))

    def check_there(self) -> None:
        """As Dataset.check_there; all files are listed, none is opened."""
        self._listings()

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.root)

    @property
    def _root(self) -> Path:
        return located(self.root, "dataset.root", "FOLDER")

    def _listings(self) -> dict[str, Listing]:
        """The files of each part that there is. Raises UsageError."""
        listings = {}
        for part, names in PARTS.items():
            folders = [self._root / name for name in names if part == "train" or os.path.lexists(self._root / name)]
            if len(folders) > 1:
                raise UsageError(f"{folders[0]} and {folders[1]} both mean the validation part; keep one of them")
            if folders:
                listings[part] = listed(folders[0])
        train = listings["train"]
        for listing in listings.values():
            if listing.classes != train.classes:
                different = sorted(set(listing.classes) ^ set(train.classes))
                raise UsageError(f"{listing.folder} and {train.folder} differ in the classes {', '.join(different)}")
        check_apart(list(listings.values()))
        return listings

    def _images(self, listings: Mapping[str, Listing]) -> dict[str, Images]:
        """Images (N, 3, H, W) of each part, all with one black and one white."""
        pictures = {
            part: [read_picture(image.path, self.size) for image in listing.images]
            for part, listing in listings.items()
        }
        ranges = black_and_white([picture for part in pictures.values() for picture in part])
        images = {}
        for part, listing in listings.items():
            shapes = sorted({picture.pixels.shape[:2] for picture in pictures[part]})
            if len(shapes) > 1:
                raise UsageError(
                    f"{listing.folder} has images of {len(shapes)} sizes, {shapes[0][1]}x{shapes[0][0]} among them; "
                    "pass dataset.size=32, say, to resize them"
                )
            shown = [in_bytes(picture, ranges) for picture in pictures.pop(part)]
            images[f"x_{part}"] = np.ascontiguousarray(np.stack(shown).transpose(0, 3, 1, 2))
        return images
