"""What all data sets share: checks, splits, fingerprints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.data.arrays import Arrays
from evonas_cli.data.dataset import Dataset
from evonas_cli.data.digits import Digits
from evonas_cli.network.task import Task

COMMON: dict[str, Any] = dict(valid_fraction=0.25, test_fraction=0.2, limit=None, crop=0, flip=False, cutout=0)


@dataclass(frozen=True, kw_only=True)
class InMemory(Dataset):
    """A data set whose image i is filled with the number i."""

    arrays: Arrays

    def read(self) -> Arrays:
        return self.arrays


def numbered(n: int, classes: int = 4, start: int = 0) -> tuple[np.ndarray, np.ndarray]:
    values = np.arange(start, start + n, dtype=np.float32)
    return np.broadcast_to(values[:, None, None, None], (n, 1, 2, 2)).copy(), np.arange(n) % classes


def in_memory(n: int = 100, **settings: Any) -> InMemory:
    x, y = numbered(n)
    return InMemory(arrays=Arrays(x_train=x, y_train=y), **{**COMMON, **settings})


def ids(x: np.ndarray) -> set[int]:
    return {int(value) for value in x[:, 0, 0, 0]}


def test_parts_are_disjoint_and_complete():
    dataset = in_memory()
    splits, (x_test, y_test) = dataset.prepare(3), dataset.test(3)
    parts = [ids(splits.x_train), ids(splits.x_valid), ids(x_test)]
    assert [len(part) for part in parts] == [60, 20, 20]
    assert set.union(*parts) == set(range(100))
    for x, y in ((splits.x_train, splits.y_train), (splits.x_valid, splits.y_valid), (x_test, y_test)):
        assert np.array_equal(x[:, 0, 0, 0].astype(int) % 4, y)
        assert len(set(np.bincount(y))) == 1


def test_the_split_follows_the_seed_and_nothing_else():
    first, again, other = in_memory().prepare(3), in_memory().prepare(3), in_memory().prepare(4)
    assert np.array_equal(first.x_train, again.x_train)
    assert first.fingerprint == again.fingerprint == in_memory().fingerprint(3)
    assert ids(first.x_train) != ids(other.x_train)
    assert first.fingerprint != other.fingerprint


def test_limit_leaves_the_test_part_alone():
    whole, limited = in_memory(), in_memory(limit=40)
    assert ids(whole.test(3)[0]) == ids(limited.test(3)[0])
    splits = limited.prepare(3)
    assert (len(splits.x_train), len(splits.x_valid)) == (30, 10)
    assert not (ids(splits.x_train) | ids(splits.x_valid)) & ids(limited.test(3)[0])


def test_normalisation_knows_the_training_part_only():
    splits = in_memory().prepare(3)
    assert splits.mean == pytest.approx(splits.x_train.mean())
    assert splits.std == pytest.approx(splits.x_train.std())


def test_own_parts_are_kept():
    (x, y), (x_valid, y_valid), (x_test, y_test) = numbered(40), numbered(8, start=100), numbered(4, start=200)
    arrays = Arrays(x_train=x, y_train=y, x_valid=x_valid, y_valid=y_valid, x_test=x_test, y_test=y_test)
    dataset = InMemory(arrays=arrays, **{**COMMON, "valid_fraction": None, "test_fraction": None})
    splits = dataset.prepare(0)
    assert ids(splits.x_train) == set(range(40))
    assert ids(splits.x_valid) == set(range(100, 108))
    assert ids(dataset.test(0)[0]) == set(range(200, 204))
    assert dataset.task() == splits.task == Task(inputs=(1, 2, 2), outputs=4)


def test_a_changed_pixel_or_label_changes_the_fingerprint():
    dataset = in_memory()
    for key, where in (("x_train", (50, 0, 1, 1)), ("y_train", (0,))):
        changed = getattr(dataset.arrays, key).copy()
        changed[where] = 3
        other = replace(dataset, arrays=replace(dataset.arrays, **{key: changed}))
        assert other.fingerprint(3) != dataset.fingerprint(3)


def test_a_fraction_and_an_own_part_contradict():
    x, y = numbered(40)
    with pytest.raises(UsageError, match=r"InMemory has 40 test examples of its own.*pass dataset.test_fraction=null"):
        InMemory(arrays=Arrays(x_train=x, y_train=y, x_test=x, y_test=y), **COMMON).prepare(0)
    with pytest.raises(UsageError, match=r"InMemory has no valid part of its own; pass dataset.valid_fraction=0.2"):
        in_memory(valid_fraction=None).prepare(0)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"valid_fraction": 0.0}, "dataset.valid_fraction is 0.0"),
        ({"valid_fraction": 1}, "dataset.valid_fraction is 1"),
        ({"valid_fraction": float("nan")}, "dataset.valid_fraction is nan"),
        ({"valid_fraction": "0.1"}, "dataset.valid_fraction is '0.1'"),
        ({"test_fraction": -0.1}, "dataset.test_fraction is -0.1"),
        ({"limit": 0}, "dataset.limit is 0"),
        ({"crop": -1}, "dataset.crop is -1"),
        ({"crop": None}, "dataset.crop is None"),
        ({"cutout": 1.5}, "dataset.cutout is 1.5"),
        ({"flip": 1}, "dataset.flip is 1"),
        ({"mixup": -0.1}, "dataset.mixup is -0.1"),
        ({"mixup": True}, "dataset.mixup is True"),
        ({"mixup": float("inf")}, "dataset.mixup is inf"),
        ({"randaugment": -1}, "dataset.randaugment is -1"),
        ({"randaugment": 1.0}, "dataset.randaugment is 1.0"),
        ({"magnitude": 31}, "dataset.magnitude is 31; it must be at most 30"),
        ({"memory": "disk"}, "dataset.memory is 'disk'; it must be one of auto, device, host"),
    ],
)
def test_settings_out_of_range_are_refused(settings, text):
    with pytest.raises(UsageError) as error:
        in_memory(**settings)
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"valid_fraction": 0.01}, "dataset.valid_fraction=0.01 x 80: 1 of 80 examples is too few for 4 classes"),
        ({"test_fraction": 0.99}, "dataset.test_fraction=0.99 x 100: 99 of 100 examples is too many"),
        ({"limit": 7}, "dataset.limit=7: 7 of 80 examples is too few"),
        ({"limit": 81}, "dataset.limit=81: 81 of 80 examples is too many"),
    ],
)
def test_splits_that_cannot_be_made_are_refused(settings, text):
    with pytest.raises(UsageError) as error:
        in_memory(**settings).prepare(0)
    assert text in str(error.value)


def test_the_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    bunch, arrays = load_digits(), Digits(**COMMON).read()
    assert np.array_equal(arrays.x_train[:, 0], bunch.images.astype(np.uint8) * 15)
    assert np.array_equal(arrays.y_train, bunch.target)


def test_digits():
    splits = Digits(**COMMON).prepare(0)
    assert splits.task == Task(inputs=(1, 8, 8), outputs=10)
    assert splits.x_train.dtype == np.uint8
    assert (splits.x_train.min(), splits.x_train.max()) == (0, 240)
    assert [len(splits.y_train), len(splits.y_valid), len(Digits(**COMMON).test(0)[1])] == [1078, 360, 359]


def test_images_that_memory_does_not_hold_are_the_machines_fault(monkeypatch):
    def read(self):
        raise MemoryError

    monkeypatch.setattr(InMemory, "read", read)
    with pytest.raises(EnvironmentFailure, match="InMemory: the data does not fit into memory; use a machine"):
        in_memory().prepare(0)
