"""Calibration by hand, and what a calibrated network shows."""

from __future__ import annotations

import numpy as np
import pytest

from evonas_cli.explain.calibration import calibration, softmax


def test_the_error_is_that_of_bins_by_hand() -> None:
    confidence = np.array([0.55, 0.58, 0.95, 0.91, 1.0])
    right = np.array([True, False, True, True, False])
    found = calibration(confidence, right, bins=10)
    low, high = found["bins"]
    assert (low["count"], low["accuracy"], low["confidence"]) == (2, 0.5, pytest.approx(0.565))
    assert (high["count"], high["low"], high["high"]) == (3, 0.9, 1.0)
    by_hand = 2 / 5 * abs(0.5 - 0.565) + 3 / 5 * abs(2 / 3 - (0.95 + 0.91 + 1.0) / 3)
    assert found["ece"] == pytest.approx(by_hand)
    assert (found["accuracy"], found["confidence"]) == (0.6, pytest.approx(confidence.mean()))


def test_ends_of_bins_belong_to_the_lower_one_and_zero_to_the_first() -> None:
    found = calibration(np.array([0.0, 0.2, 0.4]), np.array([False, False, True]), bins=5)
    assert [(one["low"], one["count"]) for one in found["bins"]] == [(0.0, 2), (0.2, 1)]
    with pytest.raises(ValueError, match="no answer"):
        calibration(np.array([]), np.array([], dtype=bool))


def test_chance_covers_a_calibrated_network_and_not_an_overconfident_one() -> None:
    rng = np.random.default_rng(3)
    confidence = rng.uniform(0.3, 1.0, 400)
    right = rng.random(400) < confidence
    honest = calibration(confidence, right)
    boastful = calibration(confidence**0.3, right)
    assert 0 < honest["ece"] < honest["chance"] < 0.12
    assert boastful["ece"] > boastful["chance"]


def test_softmax_bears_large_scores() -> None:
    assert softmax(np.array([[1000.0, 1000.0], [0.0, -1000.0]])).tolist() == [[0.5, 0.5], [1.0, 0.0]]
