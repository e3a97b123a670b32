"""Piano rolls as windows before the next frame."""

from __future__ import annotations

import gzip
import json
from math import log

import numpy as np
import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.data.chorales import Chorales, floor
from evonas_cli.network.task import Task

PIECES = {"train": [[[21], [60, 64], [], [108]], [[60], [62]]], "valid": [[[60], [61]]], "test": [[[70], [71], [72]]]}


def written(folder, data=PIECES, pack=False):
    path = folder / "rolls.json"
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    path.write_bytes(gzip.compress(text) if pack else text)
    return path


def source(path, **settings):
    common = dict(steps=3, valid_fraction=None, test_fraction=None, limit=None)
    return Chorales(path=str(path), **{**common, **settings})


def notes(column):
    return (np.flatnonzero(column) + 21).tolist()


@pytest.mark.parametrize("pack", [False, True])
def test_windows_before_the_next_frame(tmp_path, pack):
    made = source(written(tmp_path, pack=pack))
    splits = made.prepare(0)
    assert splits.task == made.task() == Task((88, 3), 88, "labels")
    assert splits.x_train.shape == (4, 88, 3) and splits.y_train.shape == (4, 88)
    assert splits.x_train.dtype == splits.y_train.dtype == np.float32
    seen = [[notes(window[:, t]) for t in range(3)] for window in splits.x_train]
    assert seen == [[[], [], [21]], [[], [21], [60, 64]], [[21], [60, 64], []], [[], [], [60]]]
    assert [notes(frame) for frame in splits.y_train] == [[60, 64], [], [108], [62]]
    assert [notes(frame) for frame in splits.y_valid] == [[61]]
    assert [notes(frame) for frame in made.test(0)[1]] == [[71], [72]]
    assert splits.names[0] == "21" and splits.names[-1] == "108"


def test_limit_keeps_training_frames_alone(tmp_path):
    path = written(tmp_path)
    splits, all_ = source(path, limit=2).prepare(0), source(path).prepare(0)
    assert (len(splits.y_train), len(splits.y_valid)) == (2, 1)
    assert splits.fingerprint == source(path, limit=2).fingerprint(0) != all_.fingerprint == source(path).fingerprint(0)


def test_the_floor_is_the_loss_of_the_frequencies():
    y = np.zeros((4, 88), dtype=np.float32)
    y[:2, 0] = 1
    least = 1 / 8
    assert floor(y, y) == pytest.approx(log(2) - 87 * log(1 - least))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "cannot be read as JSON of piano rolls"),
        ([], "no dictionary of train, valid and test"),
        ({"train": PIECES["train"], "valid": PIECES["valid"]}, "test is missing or empty"),
        ({**PIECES, "valid": [[[60]]]}, "valid: piece 0 is no list of at least two frames"),
        ({**PIECES, "train": [[[60], [20]]]}, "train: piece 0 has 20 in frame 1"),
        ({**PIECES, "train": [[[60], 60]]}, "train: piece 0 has None in frame 1"),
        ({**PIECES, "train": [[[60], ["C"]]]}, "train: piece 0 has 'C' in frame 1"),
    ],
    ids=range(7),
)
def test_other_files_are_refused(tmp_path, data, words):
    with pytest.raises(UsageError) as caught:
        source(written(tmp_path, data)).prepare(0)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_settings_are_refused(tmp_path):
    with pytest.raises(UsageError, match="has a valid part of its own"):
        source("x", valid_fraction=0.2)
    with pytest.raises(UsageError, match="dataset.steps is 0"):
        source("x", steps=0)
    with pytest.raises(UsageError, match="not found"):
        source(tmp_path / "absent.json").check_there()
