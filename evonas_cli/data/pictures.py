"""Image files as a viewer shows them: the first frame, upright, on white, in eight bits of red, green and blue.

The white of most kinds of file is known: 255, or 65535 for grey levels of 16 bits. Float grey levels and those of 32
bits have no white of their own; theirs is found over all images of a data set, so that brightness stays information.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import reading

SUFFIXES = (".apng", ".avif", ".bmp", ".dib", ".gif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg") + (
    ".pbm",
    ".pcx",
    ".pgm",
    ".png",
    ".pnm",
    ".ppm",
    ".tga",
    ".tif",
    ".tiff",
    ".webp",
)
"""Names of raster images end in one of these, in small or large letters."""
WHITE_16 = 65535
PHOTOMETRIC = 262
"""The TIFF tag that is 0 where white is stored as 0. Pillow heeds it for 8 bits and fewer, not for 16."""
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)
"""The Exif tag of how a camera was held, and the values for upright pictures of a camera on its side."""
WHITES = {"F": (1,), "I": (255, WHITE_16)}
"""The usual whites of grey levels without a fixed one, by Pillow's mode: float and 32 bits."""


@dataclass(frozen=True)
class Picture:
    """One image: (H, W, 3) uint8 where `mode` is RGB; else grey levels (H, W), float32 in mode F and int32 in mode I.

    `lowest` and `highest` are the extreme levels of the file, before it is resized.
    """

    mode: str
    pixels: NDArray[Any]
    lowest: float
    highest: float


def read_picture(path: Path, size: int | None) -> Picture:
    """The image in a file, resized to size x size pixels (bilinear) unless `size` is None.

    Transparent pixels lie on white, as on a page and in most viewers: what is drawn in black on nothing stays visible.
    Raises UsageError for what Pillow cannot read, for more pixels than Pillow takes for harmless, and for levels that
    are not finite.
    """
    with reading(path, "an image", "repair or remove it"), warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path) as file:
            negative = file.mode.startswith("I;16") and getattr(file, "tag_v2", {}).get(PHOTOMETRIC) == 0
            image = _plain(ImageOps.exif_transpose(file))
            image = ImageOps.invert(image) if negative else image
        lowest, highest = _extremes(image, path)
        if size is not None:
            image = image.resize((size, size), Image.Resampling.BILINEAR)
        return Picture(image.mode, np.asarray(image), lowest, highest)


def pixels_of(path: Path) -> tuple[int, int]:
    """Width and height of the image in a file, as it is shown upright, from the file's beginning alone.

    Raises UsageError for what Pillow cannot read.
    """
    with reading(path, "an image", "repair or remove it"), Image.open(path) as file:
        turned = file.getexif().get(ORIENTATION, 1) in SIDEWAYS
        return (file.height, file.width) if turned else (file.width, file.height)


def black_and_white(pictures: Sequence[Picture]) -> dict[str, tuple[float, float]]:
    """For each mode of `WHITES` the levels that become 0 and 255 in all images of a data set.

    Black is 0, and white the least usual one that no level exceeds. Levels that are negative, or above all usual
    whites, are spread from the lowest to the highest one of the data set.
    """
    found = {}
    for mode in WHITES:
        lowest = min((picture.lowest for picture in pictures if picture.mode == mode), default=0.0)
        highest = max((picture.highest for picture in pictures if picture.mode == mode), default=0.0)
        usual = [white for white in WHITES[mode] if highest <= white]
        found[mode] = (0.0, float(usual[0])) if usual and lowest >= 0 else (lowest, highest)
    return found


def in_bytes(picture: Picture, ranges: Mapping[str, tuple[float, float]]) -> NDArray[np.uint8]:
    """The image as (H, W, 3) uint8, by the ranges of `black_and_white`."""
    if picture.mode not in ranges:
        return picture.pixels
    black, white = ranges[picture.mode]
    shares = (picture.pixels.astype(np.float64) - black) / ((white - black) or 1.0)
    return _grey(np.rint(shares * 255))


def _grey(levels: NDArray[Any]) -> NDArray[np.uint8]:
    """(H, W) levels of 0 to 255 as (H, W, 3)."""
    return np.repeat(levels.astype(np.uint8)[:, :, None], 3, axis=2)


def _plain(image: Image.Image) -> Image.Image:
    """The image in mode RGB, or in I or F, whose white is not known here."""
    if image.mode.startswith("I;16"):
        return _from_16_bits(image)
    if image.mode in WHITES:
        return image
    if image.has_transparency_data:
        page = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(page, image.convert("RGBA")).convert("RGB")
    if image.mode == "LAB":
        shown = ImageCms.applyTransform(image, _from_lab())
        assert shown is not None
        return shown
    return image.convert("RGB")


def _from_16_bits(image: Image.Image) -> Image.Image:
    raw = np.asarray(image).astype(np.int64)
    grey = (raw * 255 + WHITE_16 // 2) // WHITE_16
    if "transparency" in image.info:
        grey[raw == image.info["transparency"]] = 255
    return Image.fromarray(_grey(grey))


@cache
def _from_lab() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")


def _extremes(image: Image.Image, path: Path) -> tuple[float, float]:
    if image.mode not in WHITES:
        return 0.0, 255.0
    levels = np.asarray(image)
    if not np.isfinite(levels).all():
        raise UsageError(f"{path} has pixels that are NaN or infinite; repair or remove it")
    return float(levels.min()), float(levels.max())
