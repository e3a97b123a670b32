"""Trainings that were interrupted resume bit for bit; later candidates continue them, or start from their weights."""

from __future__ import annotations

import logging

import pytest
import torch
from quadrants import (
    SEED,
    Interrupted,
    InterruptedAfter,
    fit,
    fit_all,
    interrupt,
    network,
    resident,
    same_bits,
    small,
    source,
    trainer,
    without_times,
)

from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.checkpoint import CHECKPOINT, KEPT, Checkpoint
from evonas_cli.training.loop import Member


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("last", [1, 2, 4])
def test_an_interrupted_training_resumes_bit_for_bit(tmp_path, optimizer, last):
    settings = trainer(optimizer, clip_norm=1.0, warmup=1.0)
    whole = small()
    expected = fit(whole, resident(), settings, SEED, 4, Checkpoint())
    interrupt(small(), settings, 4, InterruptedAfter(last, tmp_path))
    resumed = small(seed=99)
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
    whole, child = small(), small(seed=99)
    expected = fit(whole, resident(), settings, SEED, 4, Checkpoint())
    fit(small(), resident(), settings, SEED, 2, Checkpoint(folders[1], 0, keep=True))
    assert [path.name for path in folders[1].iterdir()] == [KEPT]
    interrupt(small(), settings, 4, InterruptedAfter(3, folders[2], source=source(folders[1])))
    found = fit(child, resident(), settings, SEED, 4, Checkpoint(folders[2], 0, source=source(folders[1])))
    assert same_bits(whole, child)
    assert found["passes"] == expected["passes"] / 2
    assert found["epochs"] == 4
    assert found["valid_loss"] == expected["valid_loss"]


def test_continuing_without_further_epochs_only_validates(tmp_path):
    parent = fit(small(), resident(), trainer(), SEED, 2, Checkpoint(tmp_path, 0, keep=True))
    child = fit(small(seed=9), resident(), trainer(), SEED, 2, Checkpoint(source=source(tmp_path)))
    assert child["passes"] == 0
    assert {**without_times(child), "passes": parent["passes"]} == without_times(parent)
    with pytest.raises(ValueError, match="continues a training of 2 epochs but has only 1 itself"):
        fit(small(), resident(), trainer(), SEED, 1, Checkpoint(source=source(tmp_path)))


def test_a_continued_training_takes_its_own_settings(tmp_path):
    fit(small(), resident(), trainer(), SEED, 1, Checkpoint(tmp_path, 0, keep=True))
    slow, fast = small(), small()
    fit(slow, resident(), trainer(momentum=0.5), SEED, 2, Checkpoint(source=source(tmp_path)))
    fit(fast, resident(), trainer(momentum=0.9), SEED, 2, Checkpoint(source=source(tmp_path)))
    assert not same_bits(slow, fast)


def test_what_does_not_fit_is_not_continued(tmp_path):
    fit(small(), resident(), trainer(), SEED, 1, Checkpoint(tmp_path, 0, keep=True))
    with pytest.raises(ValueError, match="the saved weights are those of a different network"):
        fit(small(width=5), resident(), trainer(), SEED, 2, Checkpoint(source=source(tmp_path)))
    with pytest.raises(ValueError, match="the saved training used SGD, this one AdamW"):
        fit(small(), resident(), trainer("adamw"), SEED, 2, Checkpoint(source=source(tmp_path)))


@pytest.mark.parametrize("damage", ["truncated", "empty", "nonsense", "flipped", "other network"])
def test_a_damaged_checkpoint_is_discarded_with_a_warning(tmp_path, caplog, damage):
    whole, resumed = small(), small()
    expected = fit(whole, resident(), trainer(), SEED, 4, Checkpoint())
    width = 5 if damage == "other network" else 6
    interrupt(small(width=width), trainer(), 4, InterruptedAfter(2, tmp_path))
    path = tmp_path / CHECKPOINT
    data = bytearray(path.read_bytes())
    weights = torch.load(path, weights_only=True)["model"]["layers.11_linear.weight"].numpy().tobytes()
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


def test_a_checkpoint_of_a_wider_program_is_discarded(tmp_path, caplog):
    """Its bits are others: what is trained further from it would be no training of this program."""
    settings, alone, resumed = trainer(), small(), small()
    expected = fit(alone, resident(), settings, SEED, 4, Checkpoint())
    wide = Population([network(seed) for seed in range(3)])
    checkpoints = [InterruptedAfter(2, tmp_path), Checkpoint(), Checkpoint()]
    with pytest.raises(Interrupted):
        members = [Member(settings, 4, checkpoint, place) for place, checkpoint in enumerate(checkpoints)]
        fit_all(wide, members, resident(), SEED)
    with caplog.at_level(logging.WARNING):
        found = fit(resumed, resident(), settings, SEED, 4, Checkpoint(tmp_path, 0))
    assert "made at another place of a program, in one of another width, or in other batches" in caplog.text
    assert same_bits(alone, resumed) and without_times(found) == without_times(expected)


def test_checkpoints_wait_for_their_time(tmp_path):
    checkpoint = InterruptedAfter(3, tmp_path)
    checkpoint._seconds = 3600
    interrupt(small(), trainer(), 4, checkpoint)
    assert not (tmp_path / CHECKPOINT).exists()


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_starting_from_weights_is_a_new_training_of_a_trained_network(tmp_path, optimizer):
    folders = [tmp_path / name for name in ("parent", "child")]
    for folder in folders:
        folder.mkdir()
    start, child = small(), small(seed=99)
    fit(start, resident(), trainer(), SEED, 2, Checkpoint(folders[0], 0, keep=True))
    expected = fit(start, resident(), trainer(optimizer), SEED, 3, Checkpoint())
    interrupt(small(), trainer(optimizer), 3, InterruptedAfter(2, folders[1], source=source(folders[0], True)))
    found = fit(
        child, resident(), trainer(optimizer), SEED, 3, Checkpoint(folders[1], 0, source=source(folders[0], True))
    )
    assert same_bits(start, child)
    assert without_times(found) == without_times(expected)
    assert (found["epochs"], found["passes"]) == (3, expected["passes"])


def test_weights_of_another_network_start_nothing(tmp_path):
    fit(small(), resident(), trainer(), SEED, 1, Checkpoint(tmp_path, 0, keep=True))
    with pytest.raises(ValueError, match="the saved weights are those of a different network"):
        fit(small(width=5), resident(), trainer(), SEED, 2, Checkpoint(source=source(tmp_path, True)))
