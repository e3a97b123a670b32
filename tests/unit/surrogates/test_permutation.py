"""Permutation importance finds the features that losses were made of, and admits noise."""

from __future__ import annotations

import numpy as np
import pytest

from evonas_cli.core.rng import stream
from evonas_cli.evolution.ranking import spearman
from evonas_cli.surrogates.permutation import importance


def test_it_finds_what_the_losses_were_made_of() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 4))
    losses = 2 * features[:, 0] + features[:, 2] + rng.normal(size=60) * 0.1
    groups = {"first": [0], "none": [1], "third": [2, 3]}
    found = importance(features, losses, groups, stream(0, "test"))
    assert found.shares["first"] > found.shares["third"] > 10 * abs(found.shares["none"])
    # shuffling a feature of weight w and unit variance adds 2 w^2 to the squared error
    assert found.shares["first"] == pytest.approx(2 * 4 / 5, rel=0.3)
    assert (spearman(found.predicted.tolist(), losses.tolist()) or 0) > 0.95
    again = importance(features, losses, groups, stream(0, "test"))
    assert again.shares == found.shares


def test_noise_predicts_nothing_and_too_little_is_refused() -> None:
    rng = np.random.default_rng(1)
    found = importance(rng.normal(size=(50, 3)), rng.normal(size=50), {"a": [0], "b": [1, 2]}, stream(0, "test"))
    assert max(found.shares.values()) < 0.2
    with pytest.raises(ValueError, match="5 rows"):
        importance(rng.normal(size=(5, 3)), rng.normal(size=5), {"a": [0]}, stream(0, "test"))
    with pytest.raises(ValueError, match="are equal"):
        importance(rng.normal(size=(20, 3)), np.ones(20), {"a": [0]}, stream(0, "test"))
