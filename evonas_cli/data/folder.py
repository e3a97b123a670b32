"""Own data from a folder of images, one sub-folder a class (torchvision's ImageFolder layout)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evonas_cli.core.errors import UsageError
from evonas_cli.data.arrays import Arrays, Images, Labels
from evonas_cli.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Folder(Dataset):
    """A folder of image files, one subfolder a class.

    `<root>/train/<class>/*`, and optionally `<root>/test` and `<root>/val` with the same classes.

    Images become RGB. `size`: they are resized to size x size pixels, bilinear; null: they must all be equal in size.
    """

    root: str | None
    size: int | None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size is not None and (type(self.size) is not int or self.size < 1):
            raise UsageError(f"dataset.size is {self.size!r}; it must be an integer of at least 1, or null")

    def read(self) -> Arrays:
        """As Dataset.read."""
        if not self.root:
            raise UsageError("dataset.root is not set; pass dataset.root=FOLDER")
        root = Path(self.root).expanduser()
        train = _listing(root / "train")
        parts: dict[str, Any] = {}
        for part, folder in (("train", "train"), ("test", "test"), ("valid", "val")):
            if folder != "train" and not (root / folder).is_dir():
                continue
            listing = _listing(root / folder)
            if listing.classes != train.classes:
                different = sorted(set(listing.classes) ^ set(train.classes))
                raise UsageError(f"{root / folder} and {root / 'train'} differ in the classes {', '.join(different)}")
            parts[f"x_{part}"], parts[f"y_{part}"] = self._load(listing, root / folder)
        return Arrays(**parts)

    def _load(self, listing: Any, folder: Path) -> tuple[Images, Labels]:
        """Images (N, 3, H, W) and labels (N,)."""
        images = [self._image(path) for path, _ in listing.samples]
        shapes = sorted({image.shape[:2] for image in images})
        if len(shapes) > 1:
            raise UsageError(
                f"{folder} has images of {len(shapes)} sizes, {shapes[0][1]}x{shapes[0][0]} among them; "
                "pass dataset.size=32, say, to resize them"
            )
        labels = np.array([label for _, label in listing.samples], dtype=np.int64)
        return np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2)), labels

    def _image(self, path: str) -> Images:
        from PIL import Image

        try:
            with Image.open(path) as file:
                image = file.convert("RGB")
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} is no readable image ({type(error).__name__}); repair or remove it") from error
        if self.size is not None:
            image = image.resize((self.size, self.size), Image.Resampling.BILINEAR)
        return np.asarray(image)


def _listing(folder: Path) -> Any:
    """torchvision's listing: `classes` (names, sorted) and `samples` (path, label), sorted."""
    from torchvision.datasets import ImageFolder

    if not folder.is_dir():
        raise UsageError(f"{folder} not found; put the images into {folder}/<class>/, or pass dataset.root=FOLDER")
    try:
        return ImageFolder(str(folder))
    except FileNotFoundError as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"{folder} is no folder of <class>/<image> files ({reason})") from error
