"""From the outputs of a detector to boxes, with scores and without doubles; plain torch, which exported files hold.

Boxes are (left, top, right, bottom) in pixels. All sorts are stable, so that equal outputs give equal detections.
"""

from __future__ import annotations

from torch import Tensor, arange, cat, stack, tensor, zeros
from torch.nn import functional as F

PRIOR = 2.94
"""What is taken off each class score, so that an untrained network finds a box with probability 0.05 at a location: the
bias of Lin et al. (RetinaNet, ICCV 2017, section 4.1), which need not be learned then."""
CANDIDATES = 50
"""Pairs of a location and a class, those with the highest scores, that are looked at in an image."""
LEAST_SCORE = 0.05
"""Detections with a lower score are left out."""
SURE = 0.3
"""Detections with a lower score are not told to people; metrics take them all."""
SUPPRESSED = 0.5
"""The IoU with a surer detection of its class from which on a detection is taken for the same object."""


def places(height: int, width: int, strides: tuple[int, ...]) -> Tensor:
    """Middles of the cells of each level's grid and their stride: (L, 3) of x, y and stride."""
    rows = []
    for stride in strides:
        y = (arange(height // stride) + 0.5) * stride
        x = (arange(width // stride) + 0.5) * stride
        grid = stack([x.repeat(len(y)), y.repeat_interleave(len(x))], 1)
        rows.append(cat([grid, zeros(len(grid), 1) + stride], 1))
    return cat(rows)


def scores_and_boxes(outputs: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """Scores of the classes before the logistic function, (..., L, classes), and boxes (..., L, 4), from outputs
    (..., (classes + 4) x L) and `places`. A side is softplus(output) strides away."""
    rows = outputs.reshape(*outputs.shape[:-1], -1, len(at)).transpose(-1, -2)
    away = F.softplus(rows[..., -4:]) * at[:, 2:]
    boxes = cat([at[:, :2] - away[..., :2], at[:, :2] + away[..., 2:]], -1)
    return rows[..., :-4] - PRIOR, boxes


def overlaps(first: Tensor, second: Tensor) -> Tensor:
    """Intersection over union, (..., A, B), of boxes (..., A, 4) and (..., B, 4)."""
    low, high = first[..., :, None, :], second[..., None, :, :]
    sides = (low[..., 2:].minimum(high[..., 2:]) - low[..., :2].maximum(high[..., :2])).clamp_min(0)
    common = sides[..., 0] * sides[..., 1]
    areas = [(box[..., 2] - box[..., 0]) * (box[..., 3] - box[..., 1]) for box in (low, high)]
    return common / (areas[0] + areas[1] - common).clamp_min(1e-9)


def detections(outputs: Tensor, height: int, width: int, strides: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """What is found in each image, the surest first: scores (N, M), classes (N, M) and boxes (N, M, 4).

    Scores of what is left out are 0: of pairs below LEAST_SCORE, and of doubles (greedy suppression by class).
    """
    scores, boxes = scores_and_boxes(outputs, places(height, width, strides).to(outputs))
    classes = scores.shape[-1]
    chances, order = scores.sigmoid().flatten(1).sort(dim=1, descending=True, stable=True)
    chances, order = chances[:, :CANDIDATES], order[:, :CANDIDATES]
    kinds, where = order % classes, (order // classes)[..., None].expand(-1, -1, 4)
    found = boxes.gather(1, where).clamp_min(0).minimum(tensor([width, height] * 2).to(boxes))
    alike = (overlaps(found, found) >= SUPPRESSED) & (kinds[:, :, None] == kinds[:, None])
    keep = chances >= LEAST_SCORE
    for place in range(keep.shape[1] - 1):
        keep[:, place + 1 :] &= ~(alike[:, place, place + 1 :] & keep[:, place, None])
    return chances * keep, kinds, found
