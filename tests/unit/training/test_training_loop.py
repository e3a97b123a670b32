"""The training loop: it learns, measures honestly, and resumes and continues bit for bit."""

from __future__ import annotations

import logging
from math import log
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from torch import nn

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.types import Task
from evonas_cli.data.resident import Resident
from evonas_cli.data.splits import Augmentation, Splits, moments
from evonas_cli.training.checkpoint import CHECKPOINT, STATE, Checkpoint
from evonas_cli.training.loop import Diverged, fit, memory_format, validate
from evonas_cli.training.trainer import Trainer

CONF = Path(__file__).parents[3] / "conf/trainer"
SEED = 11


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def trainer(name: str = "sgd", **changes) -> Trainer:
    loaded = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml"))
    del loaded["_target_"]
    return Trainer(
        **{**loaded, "epochs": 4, "batch_size": 16, "checkpoint_seconds": 0, "learning_rate": 0.02, **changes}
    )


def resident(n: int = 100, augmentation: Augmentation | None = None, random_labels: bool = False) -> Resident:
    """Images whose class is the quadrant that is bright."""
    rng = np.random.default_rng(0)
    y = np.arange(n + 40) % 4
    x = rng.integers(0, 100, (n + 40, 1, 8, 8), np.uint8)
    for image, label in zip(x, y, strict=True):
        row, column = divmod(int(label), 2)
        image[0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 120
    if random_labels:
        y = rng.permutation(y)
    mean, std = moments(x[:n])
    splits = Splits(
        x_train=x[:n],
        y_train=y[:n],
        x_valid=x[n:],
        y_valid=y[n:],
        mean=mean,
        std=std,
        task=Task(shape=(1, 8, 8), classes=4),
        augmentation=augmentation or Augmentation(crop=1, cutout=2),
        fingerprint="",
    )
    return Resident(splits, torch.device("cpu"))


class Small(nn.Module):
    """Everything that makes resuming hard: batch normalisation's buffers, dropout's noise, an unused layer."""

    def __init__(self, seed: int = 0, width: int = 6) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.first = nn.Conv2d(1, width, 3, padding=1, bias=False)
            self.norm = nn.BatchNorm2d(width)
            self.second = nn.Conv2d(width, 8, 3, stride=2, padding=1)
            self.drop = nn.Dropout(0.1)
            self.last = nn.Linear(8 * 16, 4)
            self.unused = nn.Linear(2, 2)

    def forward(self, x):
        x = torch.relu(self.second(torch.relu(self.norm(self.first(x)))))
        return self.last(self.drop(x.flatten(1)))


class Interrupted(Exception):
    """Stands for a kill."""


class InterruptedAfter(Checkpoint):
    """A checkpoint whose process dies once epoch `last` is saved."""

    def __init__(self, last: int, folder: Path, **settings) -> None:
        super().__init__(folder, 0, **settings)
        self.last = last

    def save(self, network, optimizer, progress) -> None:
        super().save(network, optimizer, progress)
        if progress.epoch == self.last:
            raise Interrupted


def same_bits(a: nn.Module, b: nn.Module) -> bool:
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def without_times(metrics: dict[str, float]) -> dict[str, float]:
    return {key: value for key, value in metrics.items() if not key.endswith("_seconds")}


def test_it_learns():
    metrics = fit(Small(), resident(), trainer(epochs=8), SEED, 8, Checkpoint())
    assert metrics["valid_accuracy"] >= 0.95
    assert metrics["valid_loss"] < 0.3
    assert metrics["valid_error"] == 1 - metrics["valid_accuracy"]
    assert metrics["epochs"] == 8
    assert metrics["images"] == 8 * 6 * 16
    assert metrics["train_seconds"] > 0


def test_no_network_learns_random_labels():
    metrics = fit(Small(), resident(random_labels=True), trainer(epochs=2), SEED, 2, Checkpoint())
    assert metrics["valid_accuracy"] < 0.6
    assert metrics["valid_loss"] > metrics["valid_error"] * log(2)


@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_layout_and_precision_learns(layout, precision):
    settings = trainer(epochs=6, layout=layout, precision=precision)
    network = Small()
    assert fit(network, resident(), settings, SEED, 6, Checkpoint())["valid_accuracy"] >= 0.9
    assert network.second.weight.is_contiguous(memory_format=memory_format(settings))


@pytest.mark.parametrize("schedule", ["cosine", "step", "one_cycle", "constant"])
def test_every_schedule_learns(schedule):
    settings = trainer(epochs=6, schedule=schedule, step_size=2, gamma=0.5, learning_rate=0.05)
    assert fit(Small(), resident(), settings, SEED, 6, Checkpoint())["valid_accuracy"] >= 0.9


def test_channels_last_reaches_one_channel_images():
    seen = []
    network = Small()
    network.first.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].stride()))
    fit(network, resident(), trainer(layout="channels_last"), SEED, 1, Checkpoint())
    assert set(seen) == {(64, 1, 8, 1)}


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("last", [1, 2, 4])
def test_an_interrupted_training_resumes_bit_for_bit(tmp_path, optimizer, last):
    settings = trainer(optimizer, clip_norm=1.0, warmup=1.0)
    whole = Small()
    expected = fit(whole, resident(), settings, SEED, 4, Checkpoint())
    with pytest.raises(Interrupted):
        fit(Small(), resident(), settings, SEED, 4, InterruptedAfter(last, tmp_path))
    resumed = Small(seed=99)
    torch.rand(7)
    found = fit(resumed, resident(), settings, SEED, 4, Checkpoint(tmp_path, 0))
    assert same_bits(whole, resumed)
    assert without_times(found) == without_times(expected)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_continued_training_is_the_whole_one(tmp_path, optimizer):
    settings = trainer(optimizer, schedule="constant")
    folders = [tmp_path / name for name in ("whole", "parent", "child")]
    for folder in folders:
        folder.mkdir()
    whole, child = Small(), Small(seed=99)
    expected = fit(whole, resident(), settings, SEED, 4, Checkpoint())
    fit(Small(), resident(), settings, SEED, 2, Checkpoint(folders[1], 0, keep=True))
    assert [path.name for path in folders[1].iterdir()] == [STATE]
    with pytest.raises(Interrupted):
        fit(Small(), resident(), settings, SEED, 4, InterruptedAfter(3, folders[2], parent=folders[1]))
    found = fit(child, resident(), settings, SEED, 4, Checkpoint(folders[2], 0, parent=folders[1]))
    assert same_bits(whole, child)
    assert found["images"] == expected["images"] / 2
    assert found["epochs"] == 4
    assert found["valid_loss"] == expected["valid_loss"]


def test_continuing_without_further_epochs_only_validates(tmp_path):
    parent = fit(Small(), resident(), trainer(), SEED, 2, Checkpoint(tmp_path, 0, keep=True))
    child = fit(Small(seed=9), resident(), trainer(), SEED, 2, Checkpoint(parent=tmp_path))
    assert child["images"] == 0
    assert {**without_times(child), "images": parent["images"]} == without_times(parent)
    with pytest.raises(ValueError, match="continues a training of 2 epochs but has only 1 itself"):
        fit(Small(), resident(), trainer(), SEED, 1, Checkpoint(parent=tmp_path))


def test_a_continued_training_takes_its_own_settings(tmp_path):
    fit(Small(), resident(), trainer(), SEED, 1, Checkpoint(tmp_path, 0, keep=True))
    slow, fast = Small(), Small()
    fit(slow, resident(), trainer(momentum=0.5), SEED, 2, Checkpoint(parent=tmp_path))
    fit(fast, resident(), trainer(momentum=0.9), SEED, 2, Checkpoint(parent=tmp_path))
    assert not same_bits(slow, fast)


def test_what_does_not_fit_is_not_continued(tmp_path):
    fit(Small(), resident(), trainer(), SEED, 1, Checkpoint(tmp_path, 0, keep=True))
    with pytest.raises(ValueError, match="the saved weights are those of a different network"):
        fit(Small(width=5), resident(), trainer(), SEED, 2, Checkpoint(parent=tmp_path))
    with pytest.raises(ValueError, match="the saved training used SGD, this one AdamW"):
        fit(Small(), resident(), trainer("adamw"), SEED, 2, Checkpoint(parent=tmp_path))


def test_a_missing_or_damaged_parent_is_the_machines_fault(tmp_path):
    with pytest.raises(EnvironmentFailure, match=r"state.pt is missing.*trainer.save_state=true"):
        fit(Small(), resident(), trainer(), SEED, 2, Checkpoint(parent=tmp_path))
    (tmp_path / STATE).write_bytes(b"PK nonsense")
    with pytest.raises(EnvironmentFailure, match=r"state.pt, from which a candidate continues, is damaged"):
        fit(Small(), resident(), trainer(), SEED, 2, Checkpoint(parent=tmp_path))


@pytest.mark.parametrize("damage", ["truncated", "empty", "nonsense", "flipped", "other network"])
def test_a_damaged_checkpoint_is_discarded_with_a_warning(tmp_path, caplog, damage):
    whole, resumed = Small(), Small()
    expected = fit(whole, resident(), trainer(), SEED, 4, Checkpoint())
    with pytest.raises(Interrupted):
        network = Small(width=5) if damage == "other network" else Small()
        fit(network, resident(), trainer(), SEED, 4, InterruptedAfter(2, tmp_path))
    path = tmp_path / CHECKPOINT
    data = bytearray(path.read_bytes())
    weights = torch.load(path, weights_only=True)["model"]["last.weight"].numpy().tobytes()
    data[data.index(weights) + 100] ^= 0xFF
    path.write_bytes(
        {
            "truncated": path.read_bytes()[: len(data) // 2],
            "empty": b"",
            "nonsense": b"nonsense",
            "flipped": bytes(data),
            "other network": path.read_bytes(),
        }[damage]
    )
    with caplog.at_level(logging.WARNING):
        found = fit(resumed, resident(), trainer(), SEED, 4, Checkpoint(tmp_path, 0))
    assert "checkpoint.pt discarded, the training starts again" in caplog.text
    assert same_bits(whole, resumed)
    assert without_times(found) == without_times(expected)


def test_checkpoints_wait_for_their_time(tmp_path):
    with pytest.raises(Interrupted):
        checkpoint = InterruptedAfter(3, tmp_path)
        checkpoint._seconds = 3600
        fit(Small(), resident(), trainer(), SEED, 4, checkpoint)
    assert not (tmp_path / CHECKPOINT).exists()


def test_results_do_not_depend_on_torchs_global_generator():
    first, second = Small(), Small()
    torch.manual_seed(1)
    fit(first, resident(), trainer(), SEED, 2, Checkpoint())
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1))
    torch.manual_seed(2)
    fit(second, resident(), trainer(), SEED, 2, Checkpoint())
    assert same_bits(first, second)


def test_the_run_seed_decides_the_batches():
    first, second = Small(), Small()
    fit(first, resident(), trainer(), 1, 1, Checkpoint())
    fit(second, resident(), trainer(), 2, 1, Checkpoint())
    assert not same_bits(first, second)


def test_divergence_is_noticed():
    with pytest.raises(Diverged, match="the training loss is (nan|inf) after epoch 1 of 2"):
        fit(Small(), resident(), trainer(learning_rate=1e30), SEED, 2, Checkpoint())


def test_infinite_weights_are_noticed_in_validation():
    network = Small()
    nn.init.constant_(network.last.weight, float("inf"))
    with pytest.raises(Diverged, match="the validation loss is nan"):
        validate(network, resident(), trainer())


def test_a_batch_that_the_data_cannot_fill_is_the_only_one():
    assert fit(Small(), resident(n=10), trainer(), SEED, 2, Checkpoint())["images"] == 20
    assert fit(Small(), resident(n=35), trainer(), SEED, 2, Checkpoint())["images"] == 64


def test_label_smoothing_is_in_the_training_loss_only():
    plain = fit(Small(), resident(), trainer(epochs=6), SEED, 6, Checkpoint())
    smooth = fit(Small(), resident(), trainer(epochs=6, label_smoothing=0.2), SEED, 6, Checkpoint())
    assert smooth["train_loss"] > plain["train_loss"] + 0.1


class Lookup(nn.Module):
    """Scores that are given, for batches in order."""

    def __init__(self, scores: torch.Tensor) -> None:
        super().__init__()
        self.scores, self.position = scores, 0

    def forward(self, x):
        rows = self.scores[self.position : self.position + len(x)]
        self.position += len(x)
        return rows


@pytest.mark.parametrize("size", [7, 40, 500])
def test_validation_is_the_mean_over_all_images(size):
    data = resident()
    labels = torch.cat([y for _, y in data.valid_batches(40)])
    scores = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    loss, error = validate(Lookup(scores), data, trainer(eval_batch_size=size))
    assert loss == pytest.approx(nn.functional.cross_entropy(scores.double(), labels).item(), rel=1e-6)
    assert error == pytest.approx((scores.argmax(1) != labels).double().mean().item())


def test_a_loss_below_the_errors_bound_is_a_bug(monkeypatch):
    monkeypatch.setattr("evonas_cli.training.loop.F.cross_entropy", lambda *a, **k: torch.tensor(0.1))
    with pytest.raises(RuntimeError, match="metric bug"):
        validate(Small(), resident(), trainer())


def test_no_synchronisation_within_an_epoch(monkeypatch):
    calls = []
    item = torch.Tensor.item
    monkeypatch.setattr(torch.Tensor, "item", lambda self: calls.append(1) or item(self))
    fit(Small(), resident(), trainer(epochs=3), SEED, 3, Checkpoint())
    assert len(calls) == 3
