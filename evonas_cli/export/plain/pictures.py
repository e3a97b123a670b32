"""Image files as inputs: upright, on white, in eight bits of red, green and blue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

SIZE: int | None
RANGES: dict[str, tuple[float, float]]
SUFFIXES: tuple[str, ...]


def inputs(words: list[str]) -> tuple[list[str], Tensor]:
    """Names and pixels, (N, 3, height, width) of 0 to 255, of image files and of those in folders, at any depth."""
    paths: list[Path] = []
    for path in map(Path, words):
        inner = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        paths += inner
    return [str(path) for path in paths], torch.stack([picture(path) for path in paths])


def picture(path: Path) -> Tensor:
    """The pixels of one file, (3, height, width), from 0 to 255."""
    with Image.open(path) as file:
        image = ImageOps.exif_transpose(file)
    if image.mode.startswith("I;16"):
        levels = (np.asarray(image).astype(np.int64) * 255 + 32767) // 65535
        image = Image.fromarray(np.repeat(levels.astype(np.uint8)[:, :, None], 3, axis=2))
    elif image.mode not in RANGES:
        if image.has_transparency_data:
            page = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(page, image.convert("RGBA"))
        image = image.convert("RGB")
    if SIZE is not None:
        image = image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    pixels = np.asarray(image).astype(np.float64)
    if image.mode in RANGES:
        black, white = RANGES[image.mode]
        pixels = np.rint((pixels - black) / ((white - black) or 1.0) * 255).astype(np.uint8)
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)
