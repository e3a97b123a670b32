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

    The result has channels_last strides where anything was changed. Where nothing is active it is `x`.
    """
    down, right, mirrored, centre_row, centre_column = draws
    if settings.crop or settings.flip:
        x = _moved(x, down, right, mirrored, settings)
    if settings.cutout:
        x = _cut(x, centre_row, centre_column, settings.cutout)
    return x


def _moved(x: Tensor, down: Tensor, right: Tensor, mirrored: Tensor, settings: Augmentation) -> Tensor:
    """Shifted and flipped. The padded images stand beside their mirror images, so that every row of the result is a run
    of numbers in memory, and one gather of runs does it."""
    n, channels, height, width = x.shape
    edge = settings.crop
    tall, wide = height + 2 * edge, width + 2 * edge
    sides = 2 if settings.flip else 1
    beside = x.new_zeros((n, tall, sides * wide, channels)) if edge else x.new_empty((n, tall, sides * wide, channels))
    image = x.permute(0, 2, 3, 1)
    beside[:, edge : edge + height, edge : edge + width] = image
    columns = right
    if settings.flip:
        beside[:, edge : edge + height, wide + edge : wide + edge + width] = image.flip(2)
        columns = torch.where(mirrored.bool(), 2 * wide - width - right, right)
    first = torch.arange(n, device=x.device) * tall + down
    rows = first[:, None] + torch.arange(height, device=x.device)
    starts = rows * (sides * wide) + columns[:, None]
    runs = beside.as_strided((n * tall * sides * wide - width + 1, width * channels), (channels, 1))
    return runs.index_select(0, starts.flatten()).view(n, height, width, channels).permute(0, 3, 1, 2)


def _cut(x: Tensor, centre_row: Tensor, centre_column: Tensor, side: int) -> Tensor:
    """Squares blanked, cut at the image's edge. The mask has all channels, so that it lies in memory as the images."""
    n, channels, height, width = x.shape
    rows, columns = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
    in_rows = _within(rows, centre_row[:, None] - side // 2, side)
    in_columns = _within(columns, centre_column[:, None] - side // 2, side).repeat_interleave(channels, dim=1)
    blank = in_rows[:, :, None] & in_columns[:, None, :]
    flat = x.permute(0, 2, 3, 1).reshape(n, height, width * channels)
    return flat.masked_fill(blank, 0.0).view(n, height, width, channels).permute(0, 3, 1, 2)


def _within(position: Tensor, start: Tensor, length: int) -> Tensor:
    return (position >= start) & (position < start + length)
