"""A training's state says whose it is and has a checksum; what is another one's, or another one, is not continued."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from quadrants import SEED, InterruptedAfter, fit, interrupt, resident, same_bits, small, trainer, without_times

from evonas_cli.core.types import Origin
from evonas_cli.training.checkpoint import KEPT, Checkpoint, Lost, Source
from evonas_cli.training.state import Owner, checksum, parse

OWNER = Owner(SEED, 3, 77)


def kept(folder: Path, owner: Owner = OWNER, epochs: int = 2, seed: int = 0) -> str:
    """A training whose state is kept; its checksum."""
    folder.mkdir(exist_ok=True)
    checkpoint = Checkpoint(folder, 0, keep=True, owner=owner)
    fit(small(seed), resident(), trainer(), SEED, epochs, checkpoint)
    assert checkpoint.kept is not None
    return checkpoint.kept


def test_the_checksum_is_that_of_the_content_and_the_same_when_trained_again(tmp_path):
    first = kept(tmp_path / "first")
    state = parse((tmp_path / "first" / KEPT).read_bytes())
    assert state["owner"] == OWNER and checksum(state) == first
    assert kept(tmp_path / "again") == first
    interrupt(small(), trainer(), 2, InterruptedAfter(1, tmp_path, owner=OWNER))
    assert kept(tmp_path) == first, "an interruption leaves no trace"
    slower = {**state, "progress": replace(state["progress"], train_seconds=9.0), "stack": [1, 4]}
    assert checksum(slower) == first


@pytest.mark.parametrize("part", ["weights", "memory", "epoch", "loss", "optimizer"])
def test_whatever_decides_about_later_bits_is_in_the_checksum(tmp_path, part):
    first = kept(tmp_path)
    state = parse((tmp_path / KEPT).read_bytes())
    if part == "weights":
        next(iter(state["model"].values())).view(-1)[0] += 1e-3
    elif part == "memory":
        state["optimizer"][0]["momentum_buffer"].view(-1)[0] += 1e-3
    elif part == "optimizer":
        state = {**state, "optimizer_name": "AdamW"}
    else:
        change = {"epoch": 3} if part == "epoch" else {"train_loss": 0.5}
        state = {**state, "progress": replace(state["progress"], **change)}
    assert checksum(state) != first


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, None),
        ({"missing": True}, "state.pt is missing"),
        ({"nonsense": True}, "state.pt is damaged: not a readable checkpoint"),
        ({"nameless": True}, "does not say whose it is"),
        ({"owner": Owner(SEED, 4, 77)}, "is that of candidate 4 with seed 77, of a run with seed 11"),
        ({"owner": Owner(12, 3, 77)}, "is that of candidate 3 with seed 77, of a run with seed 12"),
        ({"owner": Owner(SEED, 3, 78)}, "is that of candidate 3 with seed 78"),
        ({"epochs": 1}, "is a state after 1 epochs, not 2"),
        ({"seed": 5}, "does not have the checksum that the journal has of it"),
    ],
)
@pytest.mark.parametrize("weights_only", [False, True])
def test_only_the_state_that_is_wanted_is_continued(tmp_path, change, text, weights_only):
    wanted = Origin(77, 2, kept(tmp_path))
    path = tmp_path / KEPT
    if change.keys() & {"owner", "epochs", "seed"}:
        kept(tmp_path, **change)
    elif "missing" in change:
        path.unlink()
    elif "nonsense" in change:
        path.write_bytes(b"PK nonsense")
    elif "nameless" in change:
        state = torch.load(path, weights_only=True)
        del state["owner"]
        torch.save(state, path)
    source = Source(folder=tmp_path, run_seed=SEED, id=3, origin=wanted, weights_only=weights_only)
    child = Checkpoint(source=source, owner=Owner(SEED, 8, 1))
    if text is None:
        assert fit(small(9), resident(), trainer(), SEED, 3, child)["epochs"] == 3
        return
    with pytest.raises(Lost, match=text) as caught:
        fit(small(9), resident(), trainer(), SEED, 3, child)
    assert caught.value.heir == 8


def test_without_a_recorded_checksum_the_rest_is_compared(tmp_path):
    kept(tmp_path, seed=5)
    older = Source(folder=tmp_path, run_seed=SEED, id=3, origin=Origin(77, 2))
    assert fit(small(9), resident(), trainer(), SEED, 3, Checkpoint(source=older))["epochs"] == 3
    with pytest.raises(Lost, match="after 2 epochs, not 3"):
        shorter = replace(older, origin=Origin(77, 3))
        fit(small(9), resident(), trainer(), SEED, 3, Checkpoint(source=shorter))


def test_a_checkpoint_of_another_candidate_is_discarded(tmp_path, caplog):
    whole, resumed = small(), small()
    expected = fit(whole, resident(), trainer(), SEED, 4, Checkpoint())
    interrupt(small(5), trainer(), 4, InterruptedAfter(2, tmp_path, owner=Owner(SEED, 4, 78)))
    with caplog.at_level(logging.WARNING):
        found = fit(resumed, resident(), trainer(), SEED, 4, Checkpoint(tmp_path, 0, owner=OWNER))
    assert "checkpoint.pt discarded, the training starts again: it is that of candidate 4" in caplog.text
    assert same_bits(whole, resumed) and without_times(found) == without_times(expected)
