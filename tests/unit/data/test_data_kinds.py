"""Vectors, series, labels and numbers as a search sees them: standardised targets, augmentation, what is told."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.data.arrays import Arrays
from evonas_cli.data.dataset import Dataset
from evonas_cli.network.task import Task

RNG = np.random.default_rng(0)
X = RNG.normal(3, 5, (100, 4))
NUMBERS = X[:, :2] * 50 + 1000
LABELS = (X[:, :3] > 0).astype(int)


@dataclass(frozen=True, kw_only=True)
class InMemory(Dataset):
    """A data set of the arrays it is given."""

    arrays: Arrays

    def read(self) -> Arrays:
        return self.arrays


def dataset(x: Any, y: Any, kind: str = "auto", parts: Any = None, **settings: Any) -> InMemory:
    common: dict[str, Any] = dict(valid_fraction=0.25, test_fraction=0.2, limit=None, crop=0, flip=False, cutout=0)
    return InMemory(arrays=Arrays(x_train=x, y_train=y, kind=kind, **(parts or {})), **(common | settings))


def test_numbers_are_standardised_by_the_training_part_and_the_test_part_by_it_too():
    own = dataset(X, NUMBERS)
    splits = own.prepare(0)
    assert splits.task == Task((4,), 2, "numbers")
    assert (splits.y_train.dtype, splits.y_valid.shape) == (np.float32, (20, 2))
    assert splits.y_train.mean(axis=0) == pytest.approx([0, 0], abs=1e-5)
    assert splits.y_train.std(axis=0) == pytest.approx([1, 1], abs=1e-5)
    x_test, y_test = own.test(0)
    back = y_test * splits.target_std + splits.target_mean
    assert back == pytest.approx(x_test[:, :2] * 50 + 1000, rel=1e-5)
    assert not np.allclose(NUMBERS.mean(axis=0), splits.target_mean)


def test_features_have_a_mean_each_and_channels_of_series_too():
    vectors, series = dataset(X, LABELS).prepare(0), dataset(X.reshape(100, 2, 2), LABELS).prepare(0)
    assert vectors.mean == pytest.approx(vectors.x_train.mean(axis=0), rel=1e-5)
    assert series.std == pytest.approx(series.x_train.std(axis=(0, 2)), rel=1e-5)
    assert (vectors.task, series.task) == (Task((4,), 3, "labels"), Task((2, 2), 3, "labels"))
    assert vectors.y_train.dtype == np.float32


@pytest.mark.parametrize("setting", [{"crop": 1}, {"flip": True}, {"cutout": 2}, {"mixup": 0.2}, {"randaugment": 1}])
def test_augmentation_of_what_is_no_image_is_refused(setting: dict[str, Any]):
    [key] = setting
    with pytest.raises(
        UsageError, match=rf"dataset.{key}=.* changes images, but InMemory has vectors; set dataset.{key}="
    ):
        dataset(X, LABELS, **setting).prepare(0)
    with pytest.raises(UsageError, match="has series"):
        dataset(X.reshape(100, 2, 2), LABELS, **setting).prepare(0)


def test_mixup_needs_classes():
    images = X.reshape(100, 1, 2, 2)
    with pytest.raises(UsageError, match=r"dataset.mixup=0.2 blends classes, but InMemory has numbers"):
        dataset(images, NUMBERS, mixup=0.2).prepare(0)
    assert dataset(images, NUMBERS, crop=1, flip=True).prepare(0).task.kind == "numbers"


@pytest.mark.parametrize(
    ("y", "kind", "valid", "text"),
    [
        (np.arange(100) % 2, "classes", np.zeros(5, int), "5 examples, has the class 0 alone"),
        (LABELS, "labels", np.ones((5, 3)), "has no label with both values"),
        (NUMBERS, "numbers", np.stack([np.arange(5.0), np.ones(5)], axis=1), "has a number that never changes"),
    ],
)
def test_a_validation_part_on_which_nothing_can_be_measured_is_refused(y: Any, kind: str, valid: Any, text: str):
    parts = {"x_valid": X[:5], "y_valid": valid}
    with pytest.raises(UsageError, match=text):
        dataset(X, y, kind, parts, valid_fraction=None).prepare(0)


def test_unbalanced_classes_are_told_once_with_the_error_of_the_commonest(caplog: pytest.LogCaptureFixture):
    y = np.where(np.arange(100) < 94, "well", "ill")
    own = dataset(X, y)
    own.prepare(0), own.test(0)
    [line] = caplog.messages
    valid = own.prepare(0).y_valid
    assert "training examples of well and" in line
    assert f"always answering well has valid_error {(valid == 0).mean():.3g}" in line
    caplog.clear()
    dataset(X, np.where(np.arange(100) < 80, "well", "ill")).prepare(0)
    assert caplog.messages == []


def test_auto_is_for_sources_that_resolve_it():
    with pytest.raises(UsageError, match=r"dataset.test_fraction is auto, which InMemory has not"):
        dataset(X, LABELS, test_fraction="auto")


def test_the_line_on_what_was_found(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(InMemory, "speaks", True)
    with caplog.at_level(logging.INFO):
        dataset(X, LABELS).prepare(0)
    assert caplog.messages == ["InMemory: vectors 4, 3 labels (0, 1, 2); 60 to train, 20 to validate, 20 to test"]
