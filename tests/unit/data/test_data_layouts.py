"""Which shapes are images, vectors or series, and which have two readings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.data.layouts import laid_out, layout_of
from evonas_cli.data.npz import Npz
from evonas_cli.network.task import Task

COMMON: dict[str, Any] = dict(valid_fraction="auto", test_fraction="auto", limit=None, crop=0, flip=False, cutout=0)
Y = np.arange(60) % 3


@pytest.mark.parametrize(
    ("shape", "kind", "layout"),
    [
        ((60, 5), "f4", "vector"),
        ((60, 5), "u1", "vector"),
        ((60, 12, 25), "f4", "series"),
        ((60, 1, 150), "f8", "series"),
        ((60, 8, 8), "u1", "image"),
        ((60, 12, 25), "u1", "image"),
        ((60, 3, 8, 8), "f4", "image"),
        ((60, 8, 8, 1), "u1", "image"),
    ],
)
def test_shapes_with_one_reading(shape: tuple[int, ...], kind: str, layout: str):
    assert layout_of(shape, kind, "here") == layout


@pytest.mark.parametrize(
    ("shape", "kind"), [((60, 8, 8), "f4"), ((60, 28, 20), "i8"), ((60, 25, 12), "f4"), ((60, 1, 150), "u1")]
)
def test_shapes_with_two_readings_are_refused_and_both_overrides_named(shape: tuple[int, ...], kind: str):
    with pytest.raises(UsageError) as error:
        layout_of(shape, kind, "here")
    assert "dataset.layout=series" in str(error.value) and "dataset.layout=image" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("layout", "shape"), [("image", (60, 1, 4, 4)), ("series", (60, 4, 4)), ("auto", (60, 1, 4, 4))]
)
def test_a_layout_given_decides(layout: str, shape: tuple[int, ...]):
    assert laid_out(np.zeros((60, 4, 4), np.uint8), layout, "here").shape == shape
    assert laid_out(np.zeros((60, 9)), "series", "here").shape == (60, 1, 9)


@pytest.mark.parametrize(
    ("layout", "shape", "text"),
    [
        ("vector", (60, 4, 4), "dataset.layout=vector needs (N, features)"),
        ("series", (60, 1, 4, 4), "dataset.layout=series needs (N, channels, steps) or (N, steps)"),
        ("image", (60, 4), "images are"),
        ("auto", (60,), "inputs are vectors"),
    ],
)
def test_a_shape_that_does_not_have_the_layout_is_refused(layout: str, shape: tuple[int, ...], text: str):
    with pytest.raises(UsageError) as error:
        laid_out(np.zeros(shape), layout, "here")
    assert text in str(error.value)


def npz(path: Path, x: Any, y: Any, more: Any = None, **settings: Any) -> Npz:
    np.savez(path / "own.npz", x_train=x, y_train=y, **(more or {}))
    return Npz(path=str(path / "own.npz"), **{**COMMON, "kind": "auto", "layout": "auto", **settings})


def test_auto_settings_become_values_and_then_give_the_same(tmp_path: Path):
    x = np.random.default_rng(0).normal(size=(60, 2, 9))
    own = npz(tmp_path, x, np.array(list("abc"))[Y])
    values = own.resolved()
    assert values == {"kind": "classes", "layout": "series", "valid_fraction": 0.1, "test_fraction": 0.2}
    settled = npz(tmp_path, x, np.array(list("abc"))[Y], **values)
    assert settled.resolved() == {}
    assert own.prepare(1).fingerprint == settled.prepare(1).fingerprint
    assert settled.task() == Task((2, 9), 3)
    assert settled.prepare(1).names == ("a", "b", "c")


def test_parts_of_its_own_need_no_fraction(tmp_path: Path):
    x = np.random.default_rng(0).normal(size=(60, 4))
    own = npz(tmp_path, x, x[:, 0], {"x_test": x[:9], "y_test": x[:9, 0]})
    assert own.resolved() == {"kind": "numbers", "layout": "vector", "valid_fraction": 0.1, "test_fraction": None}
    assert len(own.test(0)[1]) == 9


def test_few_examples_get_larger_parts(tmp_path: Path):
    x = np.random.default_rng(0).normal(size=(15, 4))
    assert npz(tmp_path, x, Y[:15]).resolved()["valid_fraction"] == 0.3
    assert len(npz(tmp_path, x, Y[:15]).prepare(0).y_valid) == 4


def test_settling_does_not_read_the_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own = npz(tmp_path, np.zeros((60, 4)), Y)
    monkeypatch.setattr("evonas_cli.data.npz.laid_out", None)
    assert own.resolved()["layout"] == "vector"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"kind": "tokens"}, "dataset.kind is 'tokens'; it must be one of auto, classes, labels, numbers"),
        ({"layout": "matrix"}, "dataset.layout is 'matrix'; it must be one of auto, image, vector, series"),
        ({"layout": "series", "crop": 2}, "dataset.crop=2 changes images"),
        ({"kind": "numbers", "mixup": 0.5}, "dataset.mixup=0.5 blends classes"),
    ],
)
def test_settings_that_contradict_are_refused_unread(settings: dict[str, Any], text: str):
    with pytest.raises(UsageError) as error:
        Npz(path="absent.npz", **{**COMMON, **settings})
    assert text in str(error.value)


def test_what_auto_finds_is_checked_at_once(tmp_path: Path):
    x = np.random.default_rng(0).normal(size=(60, 4))
    with pytest.raises(
        UsageError, match=r"dataset.flip=true changes images, but .* has vectors; set dataset.flip=false"
    ):
        npz(tmp_path, x, Y, flip=True).resolved()
    with pytest.raises(UsageError, match="class 3 has 1 of the 60 examples"):
        npz(tmp_path, x, np.where(np.arange(60) == 7, 3, Y)).resolved()
