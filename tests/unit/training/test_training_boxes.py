"""Detection: which locations answer for which box, the loss, and the metrics, beside plain loops."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from quadrants import trainer
from torch import Tensor

from evonas_cli.data.boxes import padded
from evonas_cli.network.detection import STRIDES, classes_of, grids, locations, outputs
from evonas_cli.network.task import Task
from evonas_cli.nn.detection import LEAST_SCORE, PRIOR, detections, overlaps, places, scores_and_boxes
from evonas_cli.training.criteria import CRITERIA
from evonas_cli.training.detection import Boxes, Seen, assigned, average_precision
from evonas_cli.training.steps import gene_fault

INPUTS = (3, 32, 48)
TASK = Task(INPUTS, outputs(INPUTS, 2), "boxes")
AT = places(32, 48, STRIDES)
CRITERION = Boxes(TASK, torch.device("cpu"))


def targets(*images) -> Tensor:
    return torch.tensor(padded(images))


def answer(y: Tensor, sure: float = 12.0) -> Tensor:
    """Outputs (N, O) that find all boxes of `y` exactly, and nothing else."""
    wanted, positive = assigned(y, AT)
    rows = torch.zeros(len(y), len(AT), 6)
    rows[..., :2] = torch.where((wanted[..., :1] == torch.arange(2)) & positive[..., None], sure, -sure)
    away = torch.cat([AT[:, :2] - wanted[..., 1:3], wanted[..., 3:] - AT[:, :2]], -1) / AT[:, 2:]
    rows[..., 2:] = torch.log(torch.expm1(away.clamp_min(1e-3)))
    return rows.transpose(1, 2).flatten(1)


def test_locations_are_the_middles_of_the_cells_of_each_level():
    assert grids(INPUTS) == ((8, 12), (4, 6), (2, 3)) and locations(INPUTS) == 126 == len(AT)
    assert classes_of(TASK) == 2
    assert AT[[0, 1, 12, -1]].tolist() == [[2, 2, 4], [6, 2, 4], [2, 6, 4], [40, 24, 16]]
    for wrong in ((3, 40, 32), (3, 8)):
        with pytest.raises(ValueError):
            grids(wrong)


def test_boxes_go_to_the_level_of_their_size_and_the_smallest_wins():
    y = targets([(0, 4, 4, 10, 10), (1, 16, 8, 26, 18)], [(0, 0, 0, 32, 32), (1, 6, 6, 8, 8)], [])
    wanted, positive = assigned(y, AT)
    assert AT[positive[0] & (wanted[0, :, 0] == 0)].tolist() == [[6, 6, 4]]
    assert AT[positive[0] & (wanted[0, :, 0] == 1)].tolist() == [[20, 12, 8]]
    assert AT[positive[1] & (wanted[1, :, 0] == 0)].tolist() == [[8, 8, 16], [24, 8, 16], [8, 24, 16], [24, 24, 16]]
    assert AT[positive[1] & (wanted[1, :, 0] == 1)].tolist() == [[6, 6, 4]]
    assert not positive[2].any()
    wanted, _ = assigned(targets([(0, 0, 0, 7, 7), (1, 1, 1, 6, 6)]), AT)
    assert wanted[0, 0, 0] == 1


def test_every_box_has_a_location_of_its_own():
    generator = torch.Generator().manual_seed(3)
    corner = torch.rand(200, 2, generator=generator) * torch.tensor([40.0, 24.0])
    side = 1 + torch.rand(200, 2, generator=generator) * (torch.tensor([47.0, 31.0]) - corner)
    y = torch.cat([torch.zeros(200, 1), corner, corner + side], 1)[:, None]
    assert assigned(y, AT)[1].any(1).all()


def test_the_loss_of_a_location_is_focal_loss_and_generalised_iou():
    y = targets([(1, 4, 4, 8, 8)])
    raw = torch.randn(1, 6, len(AT), generator=torch.Generator().manual_seed(0))
    expected = 0.0
    for place, (x, v, stride) in enumerate(AT.tolist()):
        hit = (x, v, stride) == (6, 6, 4)
        for kind in range(2):
            chance = 1 / (1 + math.exp(PRIOR - float(raw[0, kind, place])))
            right = chance if hit and kind == 1 else 1 - chance
            expected += (0.25 if hit and kind == 1 else 0.75) * (1 - right) ** 2 * -math.log(right)
        if hit:
            away = [stride * math.log1p(math.exp(float(raw[0, side, place]))) for side in range(2, 6)]
            left, top, right, bottom = x - away[0], v - away[1], x + away[2], v + away[3]
            common = (min(right, 8) - max(left, 4)) * (min(bottom, 8) - max(top, 4))
            union = (right - left) * (bottom - top) + 16 - common
            around = (max(right, 8) - min(left, 4)) * (max(bottom, 8) - min(top, 4))
            expected += 1 - (common / union - (around - union) / around)
    found = CRITERION.losses(raw.flatten(1)[None].expand(3, -1, -1), y)
    assert found.shape == (3, 1) and found[0].item() == pytest.approx(expected, rel=1e-5)


def test_images_without_boxes_have_a_loss_and_gradients_are_finite():
    y = targets([], [(0, 2, 2, 30, 30)])
    raw = torch.zeros(1, 2, TASK.outputs, requires_grad=True)
    losses = CRITERION.losses(raw, y)
    losses.sum().backward()
    assert losses.isfinite().all() and raw.grad.isfinite().all() and raw.grad.abs().sum() > 0


def test_perfect_answers_have_perfect_metrics_and_none_have_none():
    y = targets([(0, 4, 4, 10, 10), (1, 16, 8, 26, 18)], [], [(1, 8, 8, 30, 28)])
    meter = CRITERIA["boxes"](TASK, None, torch.ones(0)).meter(2)
    perfect, silent = answer(y), torch.full((3, TASK.outputs), -12.0)
    meter.add(torch.stack([perfect, silent]), y)
    best, worst = meter.measured()
    assert best["map50"] == 1.0 and best["mean_iou"] == pytest.approx(1.0, abs=1e-4) and best["loss"] < 1e-3
    assert worst["map50"] == 0.0 and worst["mean_iou"] == 0.0 and worst["loss"] > 1


def test_doubles_are_suppressed_by_class_and_weak_scores_left_out():
    raw = torch.full((1, 6, len(AT)), -12.0)
    raw[0, 2:] = 0.0
    raw[0, 2:, 1] = torch.tensor([-5.0, 0.0, 5.0, 0.0])  # the second box leaves the first one alone
    raw[0, 0, :2], raw[0, 1, 1] = torch.tensor([8.0, 7.0]), 6.0
    raw[0, 0, 60] = PRIOR + math.log(LEAST_SCORE / (1 - LEAST_SCORE)) - 0.01
    for moved, expected in ((False, [0, 0, 1]), (True, [0, 1])):
        if moved:
            raw[0, 2:, 1] = torch.tensor([1.6, 0.0, -0.6, 0.0])
        scores, kinds, boxes = detections(raw.flatten(1), 32, 48, STRIDES)
        assert (overlaps(boxes[0, :1], boxes[0, 1:2]).item() >= 0.5) is moved
        assert [kind for kind, score in zip(kinds[0].tolist(), scores[0], strict=True) if score > 0] == expected
        assert (boxes >= 0).all() and (boxes[..., 2] <= 48).all() and (boxes[..., 3] <= 32).all()


def test_average_precision_is_the_area_under_the_monotone_curve():
    scores = torch.tensor([0.9, 0.8, 0.7])
    assert average_precision(scores, torch.tensor([True, False, True]), 2) == pytest.approx(5 / 6)
    assert average_precision(torch.tensor([0.7, 0.9]), torch.tensor([True, False]), 4) == pytest.approx(1 / 8)
    assert average_precision(torch.zeros(0), torch.zeros(0, dtype=torch.bool), 3) == 0.0


def test_a_box_is_found_once_and_iou_takes_the_surest_detections_only():
    y = targets([(0, 0, 0, 10, 10), (0, 20, 0, 30, 10)])
    boxes = torch.tensor([[[0.0, 0, 10, 8], [0, 0, 10, 10], [20, 0, 30, 10]]])
    seen = Seen(torch.tensor([[0.9, 0.8, 0.7]]), torch.zeros(1, 3), boxes, y)
    assert seen.mean_precision(2) == pytest.approx(5 / 6)
    assert seen.mean_iou() == pytest.approx(0.5)
    wrong = Seen(torch.tensor([[0.9, 0.8, 0.7]]), torch.ones(1, 3), boxes, y)
    assert wrong.mean_precision(2) == 0.0 and wrong.mean_iou() == pytest.approx(0.5)


def test_outputs_are_scores_then_sides():
    raw = torch.arange(TASK.outputs, dtype=torch.float32)[None] / 1000
    scores, boxes = scores_and_boxes(raw, AT)
    assert scores.shape == (1, 126, 2) and boxes.shape == (1, 126, 4)
    assert scores[0, 1, 1].item() == pytest.approx(0.127 - PRIOR)
    assert boxes[0, 0, 0].item() == pytest.approx(2 - 4 * math.log1p(math.exp(0.252)), rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"loss": "sub(1, p)"}, "is of classes, labels or numbers, and the data has boxes"),
        ({"augmentation": "noise 1.0 0.2, shift 0.5 0.1"}, "moves images, whose boxes would stay"),
        ({"augmentation": "noise 1.0 0.2, contrast 0.5 0.1"}, None),
        ({}, None),
    ],
)
def test_what_detectors_cannot_be_trained_by_is_named(settings: dict[str, Any], reason: str | None) -> None:
    fault = gene_fault(replace(trainer("sgd"), **settings), TASK)
    assert fault is None if reason is None else reason in str(fault)
