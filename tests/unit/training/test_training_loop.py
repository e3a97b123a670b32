"""The training loop: it learns and measures honestly."""

from __future__ import annotations

from math import log

import pytest
import torch
from quadrants import SEED, fit, resident, same_bits, small, small_plan, trainer
from torch import nn

from evonas_cli.training.checkpoint import Checkpoint
from evonas_cli.training.exercise import Diverged
from evonas_cli.training.feed_forward import validate
from evonas_cli.training.steps import memory_format


def test_it_learns():
    metrics = fit(small(), resident(), trainer(epochs=8), SEED, 8, Checkpoint())
    assert metrics["valid_accuracy"] >= 0.95
    assert metrics["valid_loss"] < 0.3
    assert metrics["valid_error"] == 1 - metrics["valid_accuracy"]
    assert metrics["epochs"] == 8
    assert metrics["passes"] == 3 * 8 * 6 * 16


def test_no_network_learns_random_labels():
    metrics = fit(small(), resident(random_labels=True), trainer(epochs=2), SEED, 2, Checkpoint())
    assert metrics["valid_accuracy"] < 0.6
    assert metrics["valid_loss"] > metrics["valid_error"] * log(2)


@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_layout_and_precision_learns(layout, precision):
    settings = trainer(epochs=6, layout=layout, precision=precision)
    network = small()
    assert fit(network, resident(), settings, SEED, 6, Checkpoint())["valid_accuracy"] >= 0.9
    assert network.layers["7_conv"].weight.is_contiguous(memory_format=memory_format(settings))


@pytest.mark.parametrize("schedule", ["cosine", "step", "one_cycle", "constant"])
def test_every_schedule_learns(schedule):
    settings = trainer(epochs=6, schedule=schedule, step_size=2, gamma=0.5, learning_rate=0.05)
    assert fit(small(), resident(), settings, SEED, 6, Checkpoint())["valid_accuracy"] >= 0.9


def test_channels_last_reaches_one_channel_images():
    seen = []
    network = small()
    network.layers["1_conv"].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].stride()))
    fit(network, resident(), trainer(layout="channels_last"), SEED, 1, Checkpoint())
    assert set(seen) == {(64, 1, 8, 1)}


def test_results_do_not_depend_on_torchs_global_generator():
    first, second = small(), small()
    torch.manual_seed(1)
    fit(first, resident(), trainer(), SEED, 2, Checkpoint())
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1))
    torch.manual_seed(2)
    fit(second, resident(), trainer(), SEED, 2, Checkpoint())
    assert same_bits(first, second)


def test_the_run_seed_decides_the_batches():
    first, second = small(), small()
    fit(first, resident(), trainer(), 1, 1, Checkpoint())
    fit(second, resident(), trainer(), 2, 1, Checkpoint())
    assert not same_bits(first, second)


def test_divergence_is_noticed():
    with pytest.raises(Diverged, match="the training loss is (nan|inf) after epoch 1 of 2"):
        fit(small(), resident(), trainer(learning_rate=1e30), SEED, 2, Checkpoint())


def test_infinite_weights_are_noticed_in_validation():
    network = small()
    nn.init.constant_(network.layers["11_linear"].weight, float("inf"))
    found = validate(network, resident(), trainer(), [0])[0]
    assert isinstance(found, Diverged) and str(found) == "the loss over the valid part is nan"


def test_a_batch_that_the_data_cannot_fill_is_the_only_one():
    assert fit(small(), resident(n=10), trainer(), SEED, 2, Checkpoint())["passes"] == 3 * 20
    assert fit(small(), resident(n=35), trainer(), SEED, 2, Checkpoint())["passes"] == 3 * 64


def test_label_smoothing_is_in_the_training_loss_only():
    plain = fit(small(), resident(), trainer(epochs=6), SEED, 6, Checkpoint())
    smooth = fit(small(), resident(), trainer(epochs=6, label_smoothing=0.2), SEED, 6, Checkpoint())
    assert smooth["train_loss"] > plain["train_loss"] + 0.1


class Lookup(nn.Module):
    """Scores that are given, for batches in order."""

    def __init__(self, scores: torch.Tensor) -> None:
        super().__init__()
        self.scores, self.position, self.width = scores, 0, 1
        self.plan = small_plan()

    def forward(self, x):
        rows = self.scores[self.position : self.position + len(x)]
        self.position += len(x)
        return rows[None]


@pytest.mark.parametrize("size", [7, 40, 500])
def test_validation_is_the_mean_over_all_images(size):
    data = resident()
    labels = torch.cat([y for _, y in data.batches("valid", 40)])
    scores = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    found = validate(Lookup(scores), data, trainer(eval_batch_size=size), [0])[0]
    assert found["loss"] == pytest.approx(nn.functional.cross_entropy(scores.double(), labels).item(), rel=1e-6)
    assert found["error"] == pytest.approx((scores.argmax(1) != labels).double().mean().item())


def test_a_loss_below_the_errors_bound_is_a_bug(monkeypatch):
    monkeypatch.setattr(
        "evonas_cli.training.criteria.F.cross_entropy", lambda scores, y, *a, **k: torch.full(y.shape, 0.1)
    )
    with pytest.raises(RuntimeError, match="metric bug"):
        validate(small(), resident(), trainer(), [0])


def test_no_synchronisation_within_an_epoch(monkeypatch):
    calls = []
    for name in ("item", "tolist", "cpu", "__bool__", "__float__"):
        original = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, lambda self, original=original: calls.append(1) or original(self))
    fit(small(), resident(), trainer(epochs=3), SEED, 3, Checkpoint())
    assert len(calls) == 3 + 3, "the loss and the validation of each of three epochs"
