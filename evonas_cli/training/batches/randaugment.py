"""RandAugment (Cubuk et al., NeurIPS 2020) on whole batches: n operations an image, drawn evenly, all of one magnitude.

Operations and their ranges are torchvision's, with its kernels for colours, on the images as the source has them. The
images of a batch are sorted by operation, and each operation changes a stretch of them at once. Unlike torchvision,
pixels that come from outside the image get the mean of the training part instead of black.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, radians, sin

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.core.rng import derive
from evonas_cli.data.resident import Resident
from evonas_cli.data.splits import MOST_MAGNITUDE, Augmentation

MOVES = ("shear_x", "shear_y", "translate_x", "translate_y", "rotate")
COLOURS = ("brightness", "colour", "contrast", "sharpness", "posterize", "solarize", "autocontrast", "equalize")
OPERATIONS = (*MOVES, *COLOURS, "identity")
FARTHEST = 150 / 331
"""The largest translation, as a part of the image's side."""


@dataclass(frozen=True)
class Changes:
    """The random numbers of an epoch, of which each operation of each batch has `codes` (n, steps, size), twice the
    operation's position in OPERATIONS, plus one where its effect is reversed. For a batch sorted by code: `sorting`
    (n, steps, size) and its inverse `unsorting`; `counts` (n, steps, codes) says how many images have each code."""

    codes: Tensor
    sorting: Tensor
    unsorting: Tensor
    counts: list[list[list[int]]]

    def to(self, device: torch.device) -> Changes:
        """The same on another device; counts stay on the host, so that nothing waits for the device."""
        return Changes(self.codes.to(device), self.sorting.to(device), self.unsorting.to(device), self.counts)


def draw(how: Augmentation, steps: int, size: int, seed: int, epoch: int) -> Changes:
    """Operations and directions from the run's seed and the epoch, on the CPU."""
    generator = torch.Generator().manual_seed(derive(seed, "randaugment", epoch))
    layers = []
    for _ in range(how.randaugment):
        operations = torch.randint(len(OPERATIONS), (steps, size), generator=generator)
        layers.append(2 * operations + torch.randint(2, (steps, size), generator=generator))
    codes = torch.stack(layers)
    sorting = codes.argsort(dim=2, stable=True)
    kinds = 2 * len(OPERATIONS)
    batches = torch.arange(codes.shape[0] * steps).view(-1, steps, 1)
    counts = torch.bincount((batches * kinds + codes).flatten(), minlength=batches.numel() * kinds)
    return Changes(codes.gather(2, sorting), sorting, sorting.argsort(dim=2), counts.view(-1, steps, kinds).tolist())


def change(images: Tensor, changes: Changes, step: int, magnitude: int, data: Resident) -> Tensor:
    """Images (B, C, H, W) of the source's type and scale, changed by the draws of a batch, at `magnitude` of 30.

    Bytes stay bytes. Floats are brought to [0, 1], from the least to the greatest number of the training part, and
    back.
    """
    x = images.permute(0, 2, 3, 1)
    low, high = data.bounds
    mean = data.mean
    if x.dtype == torch.uint8:
        mean = mean.round()
    elif high > low:
        x, mean = ((x - low) / (high - low)).clamp(0, 1), (mean - low) / (high - low)
    for layer, counts in enumerate(changes.counts):
        x = x.index_select(0, changes.sorting[layer, step])
        x = _operate(x, changes.codes[layer, step], counts[step], magnitude / MOST_MAGNITUDE, mean)
        x = x.index_select(0, changes.unsorting[layer, step])
    if x.dtype != torch.uint8 and high > low:
        x = x * (high - low) + low
    return x.permute(0, 3, 1, 2)


def _operate(x: Tensor, codes: Tensor, counts: list[int], strength: float, mean: Tensor) -> Tensor:
    """Images (B, H, W, C), sorted by code, each by its operation, in place."""
    kernels = _kernels(strength)
    moved = sum(counts[: 2 * len(MOVES)])
    if moved:
        x[:moved] = _move(x[:moved], codes[:moved], strength, mean)
    end = moved
    for code in range(2 * len(MOVES), len(counts)):
        start, end = end, end + counts[code]
        kernel = kernels.get(OPERATIONS[code // 2])
        if end > start and kernel is not None:
            direction = -1.0 if code % 2 else 1.0
            x[start:end] = kernel(x[start:end].permute(0, 3, 1, 2), direction).permute(0, 2, 3, 1)
    return x


def _kernels(strength: float) -> dict[str, Callable[[Tensor, float], Tensor]]:
    """What the operations on colours do to images (B, C, H, W) in a direction, 1 or -1; the last four ignore it."""
    from torchvision.transforms.v2 import functional as V

    def threshold(x: Tensor) -> float:
        return (255.0 if x.dtype == torch.uint8 else 1.0) * (1 - strength)

    return {
        "brightness": lambda x, direction: V.adjust_brightness(x, 1 + 0.9 * strength * direction),
        "colour": lambda x, direction: V.adjust_saturation(x, 1 + 0.9 * strength * direction),
        "contrast": lambda x, direction: V.adjust_contrast(x, 1 + 0.9 * strength * direction),
        "sharpness": lambda x, direction: V.adjust_sharpness(x, 1 + 0.9 * strength * direction),
        "posterize": lambda x, direction: V.posterize(x, 8 - round(4 * strength)),
        "solarize": lambda x, direction: V.solarize(x, threshold(x)),
        "autocontrast": lambda x, direction: V.autocontrast(x),
        "equalize": lambda x, direction: V.equalize(x),
    }


def _move(x: Tensor, codes: Tensor, strength: float, mean: Tensor) -> Tensor:
    """Images (B, H, W, C), sheared about their upper left corner, shifted or turned, to the nearest pixel."""
    n, height, width, channels = x.shape
    matrices = torch.tensor(_matrices(strength, height, width), device=x.device)
    grid = F.affine_grid(matrices[codes], [n, channels, height, width], align_corners=False)
    centred = (x - mean).permute(0, 3, 1, 2)
    moved = F.grid_sample(centred, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    numbers = moved.permute(0, 2, 3, 1) + mean
    return numbers.round().to(x.dtype) if x.dtype == torch.uint8 else numbers


def _matrices(strength: float, height: int, width: int) -> list[list[list[float]]]:
    """For each code of a move, from where the pixels of the result come: (codes, 2, 3), in coordinates that reach from
    -1 to 1 over the image."""
    found = []
    ratio = height / width
    for operation in MOVES:
        for direction in (1, -1):
            shear, angle = 0.3 * strength * direction, radians(30 * strength * direction)
            across = 2 * int(FARTHEST * width * strength) * direction / width
            down = 2 * int(FARTHEST * height * strength) * direction / height
            cosine, sine = cos(angle), sin(angle)
            found.append(
                {
                    "shear_x": [[1.0, shear * ratio, shear * ratio], [0.0, 1.0, 0.0]],
                    "shear_y": [[1.0, 0.0, 0.0], [shear / ratio, 1.0, shear / ratio]],
                    "translate_x": [[1.0, 0.0, across], [0.0, 1.0, 0.0]],
                    "translate_y": [[1.0, 0.0, 0.0], [0.0, 1.0, down]],
                    "rotate": [[cosine, sine * ratio, 0.0], [-sine / ratio, cosine, 0.0]],
                }[operation]
            )
    return found
