"""A network whose answer depends on one corner: both maps find it, and the test of maps sees the difference."""

from __future__ import annotations

import numpy as np
import torch

from evonas_cli.explain.sensitivity import deletion, occlusion, saliency, squares
from evonas_cli.export.outgoing import Outgoing
from evonas_cli.network.plan import Graph
from evonas_cli.network.signature import Signature
from evonas_cli.network.task import Task

TASK = Task((1, 7, 7), 2)
MEAN = np.zeros((1, 1, 1), dtype=np.float32)


def looking_at(row: int, column: int) -> Outgoing:
    graph = Graph(TASK.inputs)
    plan = graph.plan(graph.add("linear", graph.add("flatten", graph.input), features=2))
    weight = torch.zeros(2, 49)
    weight[1, row * 7 + column] = 4.0
    weights = {"layers.2_linear.weight": weight, "layers.2_linear.bias": torch.tensor([0.0, 0.0])}
    return Outgoing("", plan, Signature(TASK, (0.0,), (1.0,)), weights)


def test_both_maps_find_what_the_answer_depends_on() -> None:
    model, image, cells = looking_at(0, 6).deployed, np.ones((1, 7, 7), dtype=np.float32), squares(7, 7)
    falls = occlusion(model, image, 1, MEAN, cells)
    assert len(falls) == 49 and falls.argmax() == 6
    assert falls[6] == np.float32(1 / (1 + np.exp(-4)) - 0.5) or abs(falls[6] - 0.482) < 1e-3
    assert np.abs(np.delete(falls, 6)).max() < 1e-6
    slopes = saliency(model, image, 1)
    assert (slopes > 0).sum() == 1 and slopes[0, 6] == 4.0


def test_deleting_what_the_map_marks_matters_more_than_chance() -> None:
    model, images = looking_at(2, 2).deployed, np.ones((4, 1, 7, 7), dtype=np.float32)
    right = np.zeros(49)
    right[2 * 7 + 2] = 1.0
    answers = np.ones(4, dtype=np.int64)
    found = deletion(model, images, answers, MEAN, [right] * 4)
    assert found["wins"] == 1.0 and found["mapped"] > 2 * found["random"]
    blind = deletion(model, images, answers, MEAN, [-right] * 4)
    assert abs(blind["mapped"]) < 1e-6


def test_squares_cover_every_pixel_once() -> None:
    cells = squares(28, 20)
    assert cells.shape == (28, 20) and cells.max() + 1 == 7 * 5
    assert (np.bincount(cells.ravel()) == 16).all()
    assert squares(3, 3).max() + 1 == 9
