"""Confusions, worst examples, labels, residuals and pictures, each against numbers made by hand."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest

from evonas_cli.explain.confusion import confusion, worst
from evonas_cli.explain.images import HOT, overlaid, picture
from evonas_cli.explain.labels import labels
from evonas_cli.explain.residuals import residuals

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.6, 0.1, 0.3], [0.1, 0.2, 0.7], [0.45, 0.44, 0.11]])
Y = np.array([0, 1, 2, 2, 1])


def test_confusions_are_counted_by_true_class_and_answer() -> None:
    found = confusion(PROBABILITIES, Y)
    assert found["matrix"] == [[1, 0, 0], [2, 0, 0], [1, 0, 1]]
    assert found["recall"] == [1.0, 0.0, 0.5]
    assert found["precision"] == [0.25, None, 1.0]
    assert found["pairs"] == [
        {"true": 1, "answer": 0, "count": 2, "share": 1.0},
        {"true": 2, "answer": 0, "count": 1, "share": 0.5},
    ]


def test_the_worst_is_the_wrong_answer_with_the_least_probability_of_the_truth() -> None:
    found = worst(PROBABILITIES, Y, 2)
    assert [(one["place"], one["true"], one["answer"], one["probability"]) for one in found] == [
        (2, 2, 0, 0.3),
        (1, 1, 0, 0.4),
    ]
    assert worst(PROBABILITIES, PROBABILITIES.argmax(axis=1), 3) == []


def test_labels_are_counted_each_by_itself() -> None:
    scores, y = np.array([[2.0, -1.0], [-3.0, 1.0], [1.0, 1.0]]), np.array([[1, 0], [1, 0], [0, 1]])
    found = labels(scores, y)
    names = ("true_positive", "false_positive", "false_negative", "true_negative")
    assert [tuple(one[name] for name in names) for one in found["counts"]] == [(1, 1, 1, 0), (1, 1, 0, 1)]
    assert found["calibration"]["accuracy"] == 0.5


def test_residuals_are_predicted_less_true() -> None:
    y = np.array([[1.0], [2.0], [3.0], [4.0]])
    [found] = residuals(y + np.array([[0.5], [-0.5], [0.5], [1.5]]), y, 1)
    assert (found["bias"], found["mae"], found["rmse"]) == (0.5, 0.75, pytest.approx(0.75**0.5))
    assert found["worst"] == [{"place": 3, "true": 4.0, "answer": 5.5}]
    assert found["points"][0] == [1.0, 1.5] and len(found["points"]) == 4
    assert residuals(y + 1, y, 1)[0]["correlation"] is None
    [alternating] = residuals(y + np.array([[1.0], [-1.0], [1.0], [-1.0]]), y, 1)
    assert alternating["mae"] == 1 and alternating["correlation"] is None


def test_pictures_are_png_files_of_their_pixels() -> None:
    image = np.array([[[0, 128], [255, 64]]], dtype=np.uint8)
    data = base64.b64decode(picture(image, (0.0, 255.0)).removeprefix("data:image/png;base64,"))
    assert data.startswith(b"\x89PNG\r\n\x1a\n") and data.endswith(b"IEND\xaeB`\x82")
    start = data.index(b"IDAT") + 4
    raw = zlib.decompress(data[start : data.index(b"IEND") - 8])
    assert raw == bytes([0, 0, 0, 0, 128, 128, 128, 0, 255, 255, 255, 64, 64, 64])
    hot = base64.b64decode(overlaid(image, (0.0, 255.0), np.array([[1.0, 0], [0, 0]])).partition(",")[2])
    start = hot.index(b"IDAT") + 4
    assert tuple(zlib.decompress(hot[start : hot.index(b"IEND") - 8])[1:4]) == HOT
