"""How the outputs of a detector become losses in training, and metrics in validation.

Training follows FCOS (Tian et al., ICCV 2019): a location is positive for the box around it, of several the smallest,
where the box belongs to the level of the location, or where the middle of the box lies in the location's cell. A box
belongs to the level whose stride is at least half the square root of its area and at most that root, by equation 1 of
Lin et al. (FPN, CVPR 2017); larger and smaller boxes to the last and first level. The loss of an image is the focal
loss of all scores (alpha 0.25, gamma 2: Lin et al., RetinaNet, ICCV 2017) and 1 - the generalised IoU of the positive
locations (Rezatofighi et al., CVPR 2019), divided by their number. Deviations from FCOS: no centre-ness, and each image
is divided by its own number of positives.

Average precision is that of PASCAL VOC (Everingham et al., IJCV 2010) with all points of the curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.network.detection import STRIDES, classes_of
from evonas_cli.network.task import Task
from evonas_cli.nn.detection import detections, overlaps, places, scores_and_boxes

ALPHA, GAMMA = 0.25, 2.0
ENOUGH = 0.5
"""The IoU from which on a detection is right."""


class Boxes:
    """Focal loss and generalised IoU; targets are (B, K, 5), class and sides, with -1 for no box, on `device`."""

    def __init__(self, task: Task, device: torch.device) -> None:
        self._task, self._classes = task, classes_of(task)
        self._size = (task.inputs[1], task.inputs[2])
        self._at = places(*self._size, STRIDES).to(device)

    def losses(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """(P, B) from outputs (P, B, O); smoothing has no meaning here and changes nothing."""
        scores, boxes = scores_and_boxes(outputs, self._at)
        wanted, positive = assigned(targets, self._at)
        kinds = torch.arange(self._classes, device=targets.device)
        actual = ((wanted[..., :1] == kinds) & positive[..., None]).to(scores.dtype).expand_as(scores)
        focal = _focal(scores, actual).sum((2, 3))
        apart = (1 - _generalised(boxes, wanted[..., 1:].to(boxes.dtype).expand_as(boxes))) * positive
        return (focal + apart.sum(2)) / positive.sum(1).clamp_min(1)

    def meter(self, width: int) -> Meter:
        """Loss, mean average precision and mean IoU."""
        return Meter(self, self._classes, self._size)


def assigned(targets: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """For each location the box that it is to find, (B, L, 5), and whether there is one, (B, L).

    `targets` are (B, K, 5), `at` is what `places` gives. A location without a box has one of the image's rows.
    """
    sides = targets[:, None, :, 1:]
    x, y, stride = (at[:, place, None] for place in range(3))
    width, height = sides[..., 2] - sides[..., 0], sides[..., 3] - sides[..., 1]
    within = (x > sides[..., 0]) & (x < sides[..., 2]) & (y > sides[..., 1]) & (y < sides[..., 3])
    from_x, from_y = (sides[..., 0] + sides[..., 2]) / 2 - x, (sides[..., 1] + sides[..., 3]) / 2 - y
    middle = (from_x >= -stride / 2) & (from_x < stride / 2) & (from_y >= -stride / 2) & (from_y < stride / 2)
    area = (width * height).clamp_min(0)
    root = area.sqrt()
    own = ((root >= stride) | (stride == STRIDES[0])) & ((root < 2 * stride) | (stride == STRIDES[-1]))
    fits = (within | middle) & own & (targets[:, None, :, 0] >= 0)
    left = torch.where(fits, area, torch.inf)
    smallest, numbers = left.amin(2), torch.arange(left.shape[2], device=left.device)
    which = torch.where(left == smallest[..., None], numbers, len(numbers)).amin(2)  # the first of equals, anywhere
    return targets.gather(1, which[..., None].expand(-1, -1, 5)), smallest.isfinite()


def _focal(scores: Tensor, actual: Tensor) -> Tensor:
    """Of each score, with its target 0 or 1."""
    entropy = F.binary_cross_entropy_with_logits(scores, actual, reduction="none")
    chance = scores.sigmoid()
    missed = actual * (1 - chance) + (1 - actual) * chance
    return (ALPHA * actual + (1 - ALPHA) * (1 - actual)) * missed**GAMMA * entropy


def _generalised(first: Tensor, second: Tensor) -> Tensor:
    """Generalised IoU of boxes (..., 4), pair by pair, in [-1, 1]."""
    low, high = first[..., :2].maximum(second[..., :2]), first[..., 2:].minimum(second[..., 2:])
    common = (high - low).clamp_min(0).prod(-1)
    union = _area(first) + _area(second) - common
    around = (first[..., 2:].maximum(second[..., 2:]) - first[..., :2].minimum(second[..., :2])).prod(-1)
    return common / union.clamp_min(1e-6) - (around - union) / around.clamp_min(1e-6)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


class Meter:
    """Sums over the batches of a part, for all members."""

    def __init__(self, criterion: Boxes, classes: int, size: tuple[int, int]) -> None:
        self._criterion, self._classes, self._size = criterion, classes, size
        self._losses: list[Tensor] = []
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        """As `training.criteria.Meter.add`."""
        self._losses.append(self._criterion.losses(outputs, targets).double().cpu())
        self._outputs.append(outputs.cpu())
        self._targets.append(targets.cpu())

    def measured(self) -> list[dict[str, float]]:
        """As `training.criteria.Meter.measured`: `map50`, `mean_iou` and `loss`."""
        losses, targets = torch.cat(self._losses, 1).mean(1).tolist(), torch.cat(self._targets)
        found = []
        for loss, outputs in zip(losses, torch.cat(self._outputs, 1), strict=True):
            seen = Seen(*detections(outputs, *self._size, STRIDES), targets)
            found.append({"map50": seen.mean_precision(self._classes), "mean_iou": seen.mean_iou(), "loss": loss})
        return found


@dataclass(frozen=True)
class Seen:
    """Detections of N images, the surest first, as `nn.detection.detections` gives them, and what there is to see:
    `targets` (N, K, 5)."""

    scores: Tensor
    kinds: Tensor
    boxes: Tensor
    targets: Tensor

    def mean_precision(self, classes: int) -> float:
        """The mean of the average precisions of the classes that have boxes. Raises ValueError where none has."""
        right, found = self._right(), []
        for kind in range(classes):
            count = int((self.targets[..., 0] == kind).sum())
            if count:
                chosen = (self.kinds == kind) & (self.scores > 0)
                found.append(average_precision(self.scores[chosen], right[chosen], count))
        if not found:
            raise ValueError("average precision needs boxes")
        return sum(found) / len(found)

    def mean_iou(self) -> float:
        """The mean over the boxes of the greatest IoU with a detection; an image with n boxes has its n surest."""
        there = self.targets[..., 0] >= 0
        kept = self.scores > 0
        among = kept & (kept.cumsum(1) <= there.sum(1, keepdim=True))
        best = (overlaps(self.targets[..., 1:], self.boxes) * among[:, None]).amax(2)
        return float((best * there).double().sum() / there.sum())

    def _right(self) -> Tensor:
        """(N, M): whether a detection finds a box of its class that no surer one has found; the nearest of several."""
        near = overlaps(self.boxes, self.targets[..., 1:])
        near = near * (self.kinds[..., None] == self.targets[:, None, :, 0])
        near = near * (self.scores > 0)[..., None]
        free = torch.ones(self.targets.shape[:2], dtype=torch.bool)
        right = torch.zeros(self.scores.shape, dtype=torch.bool)
        rows = torch.arange(len(free))
        for place in range(self.scores.shape[1]):
            best, which = (near[:, place] * free).max(1)
            right[:, place] = best >= ENOUGH
            free[rows, which] &= ~right[:, place]
        return right


def average_precision(scores: Tensor, right: Tensor, count: int) -> float:
    """The area under the curve of precision over recall, made monotone, of detections (D,) of `count` objects.

    >>> average_precision(torch.tensor([0.9, 0.8, 0.7]), torch.tensor([True, False, True]), 2)
    0.8333333333333333
    """
    order = scores.sort(descending=True, stable=True).indices
    hits = right[order].double().cumsum(0)
    precision = hits / torch.arange(1, len(hits) + 1, dtype=torch.float64)
    best = precision.flip(0).cummax(0).values.flip(0)
    return float((best * right[order]).sum() / count)
