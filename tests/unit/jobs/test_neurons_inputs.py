"""What the neurons job reads, images among it, and the plane of two inputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from neurons_jobs import LINEAR, POINTS, job, result, vectors

from evonas_cli.config.folders import conf_root, read
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.data.digits import Digits
from evonas_cli.data.npz import Npz
from evonas_cli.network.neurons import Neurons
from evonas_cli.network.plane import BANDS, Charting


def digits(**changes: Any) -> Digits:
    none = {"valid_fraction": 0.25, "test_fraction": 0.2, "limit": None, "crop": 0, "flip": False, "cutout": 0}
    return Digits(**{**none, **changes})


def test_images_are_vectors_of_their_pixels_row_by_row() -> None:
    """A network that reads one pixel, 3 rows down and 4 columns right, as evidence for class 0."""
    data, pixel = digits(limit=400), 3 * 8 + 4
    graph = Neurons(64, 10, ("add",) * 10, ((pixel, 65),), (0.01,))
    made = job(data, weights="evolved")
    found = result(made, graph)
    splits = data.prepare(0)
    logits = np.zeros((len(splits.y_valid), 10))
    logits[:, 0] = 0.01 * splits.x_valid[:, 0, 3, 4]
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(logits)), splits.y_valid]
    assert found.metrics["valid_loss"] == pytest.approx(losses.mean(), rel=1e-5)
    standard = (0.01 * (splits.x_valid[:, 0, 3, 4] - splits.mean[0]) / splits.std[0])[:, None] * np.eye(10)[0]
    losses = np.log(np.exp(standard).sum(1)) - standard[np.arange(len(logits)), splits.y_valid]
    found = result(job(data, weights="evolved", standardise=True), graph)
    assert found.metrics["valid_loss"] == pytest.approx(losses.mean(), rel=1e-5)


def test_images_are_not_augmented() -> None:
    with pytest.raises(UsageError, match="job=neurons changes no images; set dataset.crop, cutout, mixup, randaugment"):
        job(digits(crop=1)).open(Place()).environment()


def test_data_of_another_shape_is_refused(tmp_path: Path) -> None:
    node = read(conf_root() / "dataset/npz.yaml")
    given = {key: value for key, value in node.items() if key != "_target_"}
    np.savez(
        tmp_path / "series.npz", x_train=np.random.default_rng(0).normal(size=(40, 2, 6)), y_train=np.arange(40) % 2
    )
    series = Npz(**{**given, "path": str(tmp_path / "series.npz"), "kind": "classes", "layout": "series"})
    series = replace(series, valid_fraction=0.25, test_fraction=0.25)
    with pytest.raises(UsageError, match="neurons read vectors or images; the task has series 2x6; pass"):
        job(series).open(Place()).environment()
    x = np.arange(20).reshape(10, 2)
    with pytest.raises(UsageError, match="job=neurons tells classes or numbers, not labels; use job=train"):
        job(vectors(tmp_path, x, np.eye(10, 3), "labels"))


@pytest.mark.parametrize("standardise", [False, True])
def test_a_plane_has_the_classes_that_the_network_tells(standardise: bool) -> None:
    """A line: what lies on one side of it is of one class, whatever the inputs are scaled by."""
    made, splits = job(standardise=standardise), POINTS.prepare(0)
    assert isinstance(made, Charting)
    found = made.plane(LINEAR, 20)
    mean, std = (splits.mean, splits.std) if standardise else (np.zeros(2), np.ones(2))
    for row, bands in enumerate(found.bands):
        for column, band in enumerate(bands):
            cell = [
                low + (place + 0.5) / 20 * (high - low) for place, (low, high) in ((column, found.x), (row, found.y))
            ]
            output = ((np.array(cell) - mean) / std) @ np.array([0.5, 0.25]) - 1.0
            assert abs(output) < 1e-5 or (band >= BANDS // 2) == (output > 0)
    assert [sum(point.part == part for point in found.points) for part in ("train", "valid")] == [40, 30]
    assert found.fingerprint == splits.fingerprint


def test_a_plane_needs_two_inputs(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(40, 3))
    made = job(dataset=vectors(tmp_path, x, np.arange(40) % 2, "classes"))
    with pytest.raises(UsageError, match="decision regions are drawn of two inputs"):
        made.plane(Neurons(3, 1, ("add",), ((0, 4),), (1.0,)), 5)
