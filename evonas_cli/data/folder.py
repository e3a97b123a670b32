"""Own data from a folder of images, one sub-folder a class (torchvision's ImageFolder layout)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import located
from evonas_cli.core.types import Json
from evonas_cli.data.arrays import Arrays, Images
from evonas_cli.data.class_folders import ImageFile, Listing, check_apart, left_out, listed
from evonas_cli.data.dataset import Dataset
from evonas_cli.data.pictures import Picture, black_and_white, in_bytes, pixels_of, read_picture
from evonas_cli.data.preparing import listed_names
from evonas_cli.data.targets import Targets

PARTS = {"train": ("train",), "test": ("test",), "valid": ("val", "valid", "validation")}
"""Each part with the folders that it may lie in."""
MOST_PIXELS = 64
"""The longest side that images have where nothing else was asked for."""


@dataclass(frozen=True, kw_only=True)
class Folder(Dataset):
    """A folder of image files, one subfolder a class.

    `<path>/<class>/*`; or `<path>/train/<class>/*`, and optionally `<path>/test` and `<path>/val` (or `valid`,
    `validation`) with the same classes. `root` is another name of `path`. `nested`: folders in a class folder are
    classes of their own, named by their path.

    Images become RGB of eight bits, as a viewer shows them (`data/pictures.py`). `size`: they are resized to
    size x size pixels, bilinear; null: they must all be equal in size; auto: null where they are, and not larger than
    64 x 64, else the commonest size, at most 64. `unreadable`: a file that is no readable image is an error, or with
    skip it is left out.
    """

    speaks: ClassVar[bool] = True

    path: str | None = None
    root: str | None = None
    size: int | str | None
    nested: bool = False
    unreadable: str = "error"

    def __post_init__(self) -> None:
        super().__post_init__()
        fits = self.size in (None, "auto") or (type(self.size) is int and self.size >= 1)
        if not fits:
            raise UsageError(f"dataset.size is {self.size!r}; it must be an integer of at least 1, or auto, or null")
        if self.unreadable not in ("error", "skip"):
            raise UsageError(f"dataset.unreadable is {self.unreadable!r}; it must be error or skip")
        if type(self.nested) is not bool:
            raise UsageError(f"dataset.nested is {self.nested!r}; it must be true or false")
        if self.path is not None and self.root is not None:
            raise UsageError("dataset.path and dataset.root are two names of one setting; give dataset.path alone")

    def read(self) -> Arrays:
        """As Dataset.read."""
        listings = self._listings()
        pixels = self._size(listings)
        pictures, unreadable = self._pictures(listings, pixels)
        ranges = black_and_white([picture for part in pictures.values() for _, picture in part])
        arrays: dict[str, Any] = {}
        for part, listing in listings.items():
            found = pictures.pop(part)
            arrays[f"y_{part}"] = np.array([image.label for image, _ in found], dtype=np.int64)
            arrays[f"x_{part}"] = _stacked([picture for _, picture in found], ranges, listing)
        notes = [*left_out(list(listings.values())), *_unreadable(unreadable), *self._beside()]
        preparation = {
            "form": "pictures",
            "size": pixels,
            "ranges": {mode: list(ends) for mode, ends in ranges.items()},
        }
        if pixels is not None:
            notes.append(f"resized to {pixels}x{pixels} pixels")
        return Arrays(**arrays, names=listings["train"].classes, notes=tuple(notes), preparation=preparation)

    def resolved(self) -> dict[str, Json]:
        """As Resolving: the size, from the beginnings of the files, and the fractions, from their number."""
        if "auto" not in (self.size, self.valid_fraction, self.test_fraction):
            return {}
        listings = self._listings()
        fractions = self.fractions(*_counted(listings))
        values: dict[str, Json] = {f"{part}_fraction": fraction for part, fraction in fractions.items()}
        values["size"] = self._size(listings)
        return {key: value for key, value in values.items() if getattr(self, key) == "auto"}

    def check_there(self) -> None:
        """As Dataset.check_there; all files are listed, none is opened."""
        self.split(*_counted(self._listings()), 0)

    def looked_up_outputs(self) -> int:
        """As Source.looked_up_outputs."""
        return len(self._listings()["train"].classes)

    def looked_up_sizes(self, seed: int) -> dict[str, int]:
        """As Source.looked_up_sizes; images that cannot be read are counted."""
        return self.sizes(*_counted(self._listings()), seed)

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.path if self.root is None else self.root)

    @property
    def _root(self) -> Path:
        return located(self.path if self.root is None else self.root, "dataset.path", "FOLDER")

    def _folders(self) -> dict[str, list[Path]]:
        """The folders of each part: those with the names of parts, or the whole folder to train on."""
        root = self._root
        if not root.is_dir():
            raise UsageError(
                f"{root} {'is no folder' if os.path.lexists(root) else 'not found'}; put the images into "
                f"{root}/<class>/, or pass dataset.path=FOLDER"
            )
        named = {part: [root / name for name in names] for part, names in PARTS.items()}
        there = {part: [path for path in paths if os.path.lexists(path)] for part, paths in named.items()}
        found = {part: paths for part, paths in there.items() if paths}
        if "train" in found:
            return found
        parts = [path for paths in found.values() for path in paths if _holds_folders(path)]
        if parts:
            raise UsageError(
                f"{root} has {listed_names(tuple(path.name for path in parts))}, but no train; put the images to train "
                f"on into {root}/train/<class>/"
            )
        return {"train": [root]}

    def _listings(self) -> dict[str, Listing]:
        """The files of each part that there is. Raises UsageError."""
        listings = {}
        for part, folders in self._folders().items():
            if len(folders) > 1:
                raise UsageError(f"{folders[0]} and {folders[1]} both mean the validation part; keep one of them")
            listings[part] = listed(folders[0], self.nested)
        train = listings["train"]
        for listing in listings.values():
            if listing.classes != train.classes:
                different = sorted(set(listing.classes) ^ set(train.classes))
                raise UsageError(f"{listing.folder} and {train.folder} differ in the classes {', '.join(different)}")
        if len(train.classes) == 1:
            raise UsageError(
                f"{train.folder} holds one class, {train.classes[0]}; there is nothing to tell apart, so give two "
                "folders of classes or more"
            )
        check_apart(list(listings.values()))
        return listings

    def _beside(self) -> list[str]:
        """A few words on folders beside those of the parts."""
        root, known = self._root, {name for names in PARTS.values() for name in names}
        if not (root / "train").is_dir():
            return []
        others = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and entry.name not in known)
        others = [name for name in others if not name.startswith(".")]
        return [f"folders beside the parts are left out: {listed_names(tuple(others))}"] if others else []

    def _size(self, listings: Mapping[str, Listing]) -> int | None:
        """`size`, with auto as what it stands for."""
        if not isinstance(self.size, str):
            return self.size
        sizes: Counter[tuple[int, int]] = Counter()
        for listing in listings.values():
            for image in listing.images:
                try:
                    sizes[pixels_of(image.path)] += 1
                except UsageError:  # counted and told when the images are read
                    if self.unreadable == "error":
                        raise
        if not sizes:
            raise UsageError(f"{self.name}: no image can be read; repair the files")
        width, height = min(sizes, key=lambda size: (-sizes[size], size))
        if len(sizes) == 1 and max(width, height) <= MOST_PIXELS:
            return None
        return min(MOST_PIXELS, (width + height + 1) // 2)

    def _pictures(
        self, listings: Mapping[str, Listing], size: int | None
    ) -> tuple[dict[str, list[tuple[ImageFile, Picture]]], list[Path]]:
        """The images of each part that can be read, and the files of the others, which are an error unless skipped."""
        pictures: dict[str, list[tuple[ImageFile, Picture]]] = {}
        unreadable = []
        for part, listing in listings.items():
            pictures[part] = []
            for image in listing.images:
                try:
                    pictures[part].append((image, read_picture(image.path, size)))
                except UsageError:
                    if self.unreadable == "error":
                        raise
                    unreadable.append(image.path)
            lost = set(range(len(listing.classes))) - {image.label for image, _ in pictures[part]}
            if lost:
                name = listing.classes[min(lost)]
                raise UsageError(f"{listing.folder / name}: none of its images can be read; repair or remove it")
        return pictures, unreadable


def _holds_folders(path: Path) -> bool:
    return path.is_dir() and any(entry.is_dir() for entry in path.iterdir() if not entry.name.startswith("."))


def _counted(listings: Mapping[str, Listing]) -> tuple[Targets, dict[str, int]]:
    """The targets of the training part, and the sizes of the others."""
    train = listings["train"]
    labels = np.array([image.label for image in train.images], dtype=np.int64)
    own = {part: len(listing.images) for part, listing in listings.items() if part != "train"}
    return Targets(labels, "classes", train.classes), own


def _unreadable(paths: list[Path]) -> list[str]:
    if not paths:
        return []
    return [f"left out {len(paths)} that cannot be read: {listed_names(tuple(map(str, paths)))}"]


def _stacked(pictures: list[Picture], ranges: Mapping[str, tuple[float, float]], listing: Listing) -> Images:
    """Images (N, 3, H, W), all with one black and one white."""
    shapes = sorted({picture.pixels.shape[:2] for picture in pictures})
    if len(shapes) > 1:
        raise UsageError(
            f"{listing.folder} has images of {len(shapes)} sizes, {shapes[0][1]}x{shapes[0][0]} among them; "
            "pass dataset.size=32, say, to resize them"
        )
    shown = [in_bytes(picture, ranges) for picture in pictures]
    return np.ascontiguousarray(np.stack(shown).transpose(0, 3, 1, 2))
