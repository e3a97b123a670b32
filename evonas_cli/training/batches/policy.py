"""Searched policies of augmentation (network/augmentation_policies.py) on batches of normalised images.

Random numbers are a function of the run's seed, the epoch, the step and the place of an operation in the policy, drawn
on the CPU: the same on every device, and for every candidate with as many operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import radians

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.core.rng import derive
from evonas_cli.network.augmentation_policies import MOVES, Step

FARTHEST, ANGLE, SHEAR, OCTAVES, CONTRAST_OCTAVES, NOISE, HOLE = 0.25, radians(30), 0.5, 0.5, 1.0, 0.5, 0.5
"""What strength 1 is: share of a side, radians, shear, powers of two of size and of contrast, standard deviation, and
the share of a side that is erased."""


def changed(x: Tensor, policy: Sequence[Step], seed: int, epoch: int, step: int) -> Tensor:
    """Images (B, C, H, W), normalised so that 0 is the mean, changed by the operations one after the other."""
    for place, operation in enumerate(policy):
        generator = torch.Generator().manual_seed(derive(seed, "policy", epoch, step, place))
        x = _applied(x, operation, generator)
    return x


def _applied(x: Tensor, step: Step, generator: torch.Generator) -> Tensor:
    """The images of which the operation changes a share of `probability`."""
    draws = torch.rand((4, len(x)), generator=generator).to(x.device)
    on = draws[0] < step.probability
    first, second = (step.strength * (2 * draws[index] - 1) for index in (1, 2))
    if step.operation in MOVES:
        return _moved(x, step.operation, first * on, second * on)
    if step.operation == "contrast":
        return x * torch.exp2(CONTRAST_OCTAVES * first * on)[:, None, None, None]
    if step.operation == "noise":
        noise = torch.randn(x.shape, generator=generator).to(x.device)
        return x + noise * (NOISE * step.strength * draws[1] * on)[:, None, None, None]
    return _erased(x, HOLE * step.strength * on, draws[2], draws[3])


def _moved(x: Tensor, operation: str, first: Tensor, second: Tensor) -> Tensor:
    """Images seen through an affine map, between pixels bilinearly; what comes from outside is 0, the mean.

    `first` and `second` are in [-1, 1]; 0 leaves an image as it is, up to rounding.
    """
    one, none = torch.ones_like(first), torch.zeros_like(first)
    if operation == "shift":
        rows = one, none, 2 * FARTHEST * first, none, one, 2 * FARTHEST * second
    elif operation == "shear":
        rows = one, SHEAR * first, none, SHEAR * second, one, none
    elif operation == "scale":
        size = torch.exp2(OCTAVES * first)
        rows = size, none, none, none, size, none
    else:
        ratio = x.shape[2] / x.shape[3]
        cosine, sine = torch.cos(ANGLE * first), torch.sin(ANGLE * first)
        rows = cosine, sine * ratio, none, -sine / ratio, cosine, none
    grid = F.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _erased(x: Tensor, side: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Images with a square, of a share `side` of the image's sides, set to 0; where it lies is drawn from [0, 1)."""
    holes = []
    for size, start in ((x.shape[2], down), (x.shape[3], right)):
        centre = (torch.arange(size, device=x.device) + 0.5) / size
        first = (start * (1 - side))[:, None]
        holes.append((centre >= first) & (centre < first + side[:, None]))
    return x.masked_fill((holes[0][:, :, None] & holes[1][:, None, :])[:, None], 0.0)
