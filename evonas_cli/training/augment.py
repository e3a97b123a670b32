"""Augmentation of whole batches on the device: shift with zero padding, flip, cutout (DeVries & Taylor, 2017)."""

from __future__ import annotations

import torch
from torch import Tensor

from evonas_cli.core.rng import derive
from evonas_cli.data.splits import Augmentation


def draw(settings: Augmentation, n: int, height: int, width: int, seed: int, epoch: int) -> Tensor:
    """The random numbers of an epoch, (5, n) int64 on the CPU: shift down and right in [0, 2 crop], flip in {0, 1}, row
    and column of the cutout's centre.

    They are a function of the run's seed and the epoch, the same on every device and for every candidate; which of the
    augmentations are in use does not change the others' numbers.
    """
    generator = torch.Generator().manual_seed(derive(seed, "augment", epoch))
    highs = (2 * settings.crop + 1, 2 * settings.crop + 1, 2, height, width)
    return torch.stack([torch.randint(high, (n,), generator=generator) for high in highs])


def augment(x: Tensor, draws: Tensor, settings: Augmentation) -> Tensor:
    """Normalised images (B, C, H, W), shifted, flipped, then cut out by the draws (5, B); blanks get 0, the mean.

    The result has channels_last strides where images were shifted or flipped. Where nothing is active it is `x`.
    """
    down, right, mirrored, centre_row, centre_column = draws
    height, width = x.shape[2:]
    rows = torch.arange(height, device=x.device).expand(len(x), -1)
    columns = torch.arange(width, device=x.device).expand(len(x), -1)
    blank = _square(rows, centre_row, columns, centre_column, settings.cutout)
    if settings.flip:
        columns = torch.where(mirrored[:, None].bool(), width - 1 - columns, columns)
    if settings.crop:
        x = torch.nn.functional.pad(x, [settings.crop] * 4)
        rows, columns = rows + down[:, None], columns + right[:, None]
    if settings.crop or settings.flip:
        images = torch.arange(len(x), device=x.device)
        x = x[images[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return x.masked_fill(blank, 0.0) if settings.cutout else x


def _square(rows: Tensor, centre_row: Tensor, columns: Tensor, centre_column: Tensor, side: int) -> Tensor:
    """Mask (B, 1, H, W) of the squares, cut at the image's edge."""
    in_rows = _within(rows, centre_row[:, None] - side // 2, side)
    in_columns = _within(columns, centre_column[:, None] - side // 2, side)
    return (in_rows[:, :, None] & in_columns[:, None, :])[:, None]


def _within(position: Tensor, start: Tensor, length: int) -> Tensor:
    return (position >= start) & (position < start + length)
