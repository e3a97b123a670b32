"""Own data for detection: a JSON file as COCO has it (Lin et al., ECCV 2014), with the images in a folder.

    {"images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 48}],
     "annotations": [{"image_id": 1, "category_id": 3, "bbox": [left, top, width, height]}],
     "categories": [{"id": 3, "name": "cat"}]}

Other members are left out, and so are annotations of crowds (`iscrowd`), which have no box of one object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import check_file, located, reading
from evonas_cli.core.strict_json import parse
from evonas_cli.data.arrays import Arrays
from evonas_cli.data.boxes import Box, padded
from evonas_cli.data.dataset import Dataset
from evonas_cli.data.pictures import black_and_white, in_bytes, pixels_of, read_picture
from evonas_cli.data.targets import Targets
from evonas_cli.network.detection import STRIDES
from evonas_cli.network.task import Kind

REMEDY = "pass dataset.path=ANNOTATIONS.json"
MEND = "mend or remove it"
BEYOND = 1.0
"""Pixels by which a box may stick out of its image, less than which it is cut: what tools round."""


@dataclass(frozen=True)
class Scene:
    """An image with its file, its width and height in pixels, and its boxes in these pixels."""

    path: Path
    size: tuple[int, int]
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Listing:
    """What the file says: the images in its order, the names of the classes, and how many crowds were left out."""

    scenes: tuple[Scene, ...]
    names: tuple[str, ...]
    crowds: int


@dataclass(frozen=True, kw_only=True)
class Coco(Dataset):
    """Images in a folder, and a JSON file of boxes as COCO has it.

    `images` is the folder (null: that of the file). Images are resized to `size` x `size` pixels, and their boxes with
    them; they are not augmented. Raises UsageError for a size that is no multiple of 16; reading does so for a box
    outside of its image or without area, and for whatever else does not fit together.
    """

    known_kind: ClassVar[Kind | None] = "boxes"
    speaks: ClassVar[bool] = True

    path: str
    images: str | None = None
    size: int
    limit_per_class: int | None = field(default=None, init=False)
    crop: int = field(default=0, init=False)
    flip: bool = field(default=False, init=False)
    cutout: int = field(default=0, init=False)
    mixup: float = field(default=0.0, init=False)
    randaugment: int = field(default=0, init=False)
    magnitude: int = field(default=9, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.size) is not int or self.size < STRIDES[-1] or self.size % STRIDES[-1]:
            raise UsageError(f"dataset.size is {self.size!r}; it must be a multiple of {STRIDES[-1]}")

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    def looked_up_outputs(self) -> int:
        """As Source.looked_up_outputs."""
        return len(self._listing().names)

    def looked_up_sizes(self, seed: int) -> dict[str, int]:
        """As Source.looked_up_sizes."""
        listing = self._listing()
        y = padded([scene.boxes for scene in listing.scenes])
        return self.sizes(Targets(y, "boxes", listing.names), {}, seed)

    def check_there(self) -> None:
        """As Source.check_there; the file is read, and no image is opened."""
        for scene in self._listing().scenes:
            check_file(scene.path, f"{self.path} names it; {MEND}")

    def read(self) -> Arrays:
        """As Dataset.read."""
        listing = self._listing()
        pictures = []
        for scene in listing.scenes:
            check_file(scene.path, f"{self.path} names it; {MEND}")
            actual = pixels_of(scene.path)
            if actual != scene.size:
                raise UsageError(f"{scene.path} has {actual[0]}x{actual[1]} pixels, but {self.path} says "
                                 f"{scene.size[0]}x{scene.size[1]}; {MEND}")  # fmt: skip
            pictures.append(read_picture(scene.path, self.size))
        ranges = black_and_white(pictures)
        shown = np.stack([in_bytes(picture, ranges) for picture in pictures])
        return Arrays(
            x_train=np.ascontiguousarray(shown.transpose(0, 3, 1, 2)),
            y_train=padded([self._resized(scene) for scene in listing.scenes]),
            kind="boxes",
            names=listing.names,
            notes=self._notes(listing),
            preparation={
                "form": "pictures",
                "size": self.size,
                "ranges": {mode: list(ends) for mode, ends in ranges.items()},
            },
        )

    def _notes(self, listing: Listing) -> tuple[str, ...]:
        empty = sum(not scene.boxes for scene in listing.scenes)
        notes = [f"{sum(len(scene.boxes) for scene in listing.scenes)} boxes"]
        notes += [f"{empty} images have none"] if empty else []
        notes += [f"left out {listing.crowds} annotations of crowds"] if listing.crowds else []
        return (*notes, f"resized to {self.size}x{self.size} pixels")

    def _resized(self, scene: Scene) -> list[Box]:
        """The boxes in pixels of the resized image."""
        across, down = (self.size / side for side in scene.size)
        return [(kind, left * across, top * down, right * across, bottom * down)
                for kind, left, top, right, bottom in scene.boxes]  # fmt: skip

    def _listing(self) -> Listing:
        """What the file says. Raises UsageError."""
        path = located(self.path, "dataset.path", "ANNOTATIONS.json")
        check_file(path, REMEDY)
        folder = path.parent if self.images is None else located(self.images, "dataset.images", "FOLDER")
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder; pass dataset.images=FOLDER")
        with reading(path, "JSON", "repair it"):
            data = parse(path.read_bytes())
        images, annotations, categories = (_members(data, key, path) for key in ("images", "annotations", "categories"))
        return _listed(images, annotations, categories, folder, path)


def _members(data: Any, key: str, path: Path) -> list[Mapping[str, Any]]:
    """The objects of a list in the file. Raises UsageError."""
    found = data.get(key) if isinstance(data, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise UsageError(f"{path} has no list {key!r} of objects; it must be as COCO's files of boxes are")
    if not found and key != "annotations":
        raise UsageError(f"{path} has no {key}; there is nothing to find")
    return found


def _listed(
    images: Sequence[Mapping[str, Any]],
    annotations: Sequence[Mapping[str, Any]],
    categories: Sequence[Mapping[str, Any]],
    folder: Path,
    path: Path,
) -> Listing:
    names = {_integer(one, "id", f"{path}: a category"): one.get("name") for one in categories}
    if len(names) < len(categories) or len(set(map(str, names.values()))) < len(categories):
        raise UsageError(f"{path} has two categories of one id or name; {MEND}")
    kinds = {id: place for place, id in enumerate(sorted(names))}
    sizes: dict[int, tuple[int, int]] = {}
    boxes: dict[int, list[Box]] = {}
    files: dict[int, Path] = {}
    for one in images:
        id = _integer(one, "id", f"{path}: an image")
        where = f"{path}: image {id}"
        if id in sizes or not isinstance(one.get("file_name"), str):
            raise UsageError(f"{where} {'is there twice' if id in sizes else 'has no file_name'}; {MEND}")
        sizes[id] = (_integer(one, "width", where, 1), _integer(one, "height", where, 1))
        boxes[id], files[id] = [], folder / one["file_name"]
    crowds = 0
    for place, one in enumerate(annotations):
        where = f"{path}: annotation {one.get('id', place)}"
        for key, known in (("image_id", sizes), ("category_id", kinds)):
            if _integer(one, key, where) not in known:
                raise UsageError(f"{where} has the {key} {one[key]}, which is not in the file; {MEND}")
        if one.get("iscrowd"):
            crowds += 1
            continue
        sides = _sides(one.get("bbox"), sizes[one["image_id"]], f"{where} of {files[one['image_id']].name}")
        boxes[one["image_id"]].append((float(kinds[one["category_id"]]), *sides))
    scenes = tuple([Scene(files[id], size, tuple(boxes[id])) for id, size in sizes.items()])
    return Listing(scenes, tuple([str(names[id]) for id in sorted(names)]), crowds)


def _sides(bbox: Any, size: tuple[int, int], where: str) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a box, within the image. Raises UsageError."""
    if not isinstance(bbox, list) or len(bbox) != 4 or any(type(number) not in (int, float) for number in bbox):
        raise UsageError(f"{where} has the bbox {str(bbox)[:60]}, not [left, top, width, height]; {MEND}")
    left, top, width, height = map(float, bbox)
    if not (width > 0 and height > 0):
        raise UsageError(f"{where} has a box of {width:g} x {height:g} pixels, without area; {MEND}")
    right, bottom = left + width, top + height
    if min(left, top) <= -BEYOND or right >= size[0] + BEYOND or bottom >= size[1] + BEYOND:
        raise UsageError(f"{where} has a box from ({left:g}, {top:g}) to ({right:g}, {bottom:g}), outside of the image "
                         f"of {size[0]}x{size[1]} pixels; {MEND}")  # fmt: skip
    sides = (max(left, 0.0), max(top, 0.0), min(right, float(size[0])), min(bottom, float(size[1])))
    if not (sides[2] > sides[0] and sides[3] > sides[1]):
        raise UsageError(f"{where} has a box that lies outside of the image of {size[0]}x{size[1]} pixels; {MEND}")
    return sides


def _integer(one: Mapping[str, Any], key: str, where: str, least: int = 0) -> int:
    value = one.get(key)
    if type(value) is not int or value < least:
        raise UsageError(f"{where} has the {key} {str(value)[:60]}; it must be an integer of at least {least}")
    return value
