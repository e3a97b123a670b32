"""bf16 is compared with fp32 by final validation losses, pair by pair, against what lies between seeds."""

from __future__ import annotations

from math import inf, nan

import pytest
from quadrants import network, resident, trainer

from evonas_cli.training.tuning import parity


@pytest.mark.parametrize(
    ("coarse", "difference"),
    [
        ([1.0, 1.2, 1.4], 0.0),
        ([1.2, 1.0, 1.4], 0.0),  # differences that cancel are no bias
        ([1.1, 1.3, 1.5], 0.5),
        ([1.4, 1.6, 1.8], 2.0),
        ([0.6, 0.8, 1.0], 2.0),
        ([1.0, inf, 1.4], inf),
    ],
)
def test_the_mean_difference_is_a_share_of_the_deviation_between_seeds(coarse, difference, monkeypatch):
    losses = {"fp32": [1.0, 1.2, 1.4], "bf16": coarse}
    monkeypatch.setattr(parity, "_final_losses", lambda plan, settings, data: losses[settings.precision])
    assert parity.loss_difference(network(0).plan, trainer(), resident()) == pytest.approx(difference)


def test_there_is_nothing_to_compare_where_fp32_diverges(monkeypatch):
    monkeypatch.setattr(parity, "_final_losses", lambda plan, settings, data: [1.0, inf, nan])
    assert parity.loss_difference(network(0).plan, trainer(), resident()) == 0.0


def test_both_precisions_train_every_seed(monkeypatch):
    seen = {}

    def noted(plan, settings, data):
        seen[settings.precision] = original(plan, settings, data)
        return seen[settings.precision]

    original = parity._final_losses
    monkeypatch.setattr(parity, "_final_losses", noted)
    settings = trainer(learning_rate=0.0005)  # with a larger one all losses end at 0
    assert parity.loss_difference(network(0).plan, settings, resident()) < inf
    assert all(len(set(losses)) == parity.SEEDS for losses in seen.values())
    assert max(abs(a - b) for a, b in zip(*seen.values(), strict=True)) < 0.1 < max(seen["fp32"])


def test_a_training_that_diverges_has_an_infinite_loss():
    settings = trainer(learning_rate=1e30, precision="fp32")
    assert parity._final_losses(network(0).plan, settings, resident()) == [inf] * parity.SEEDS
