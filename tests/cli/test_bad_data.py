"""Data sets and tables that are absent, broken or make no sense: one line, the documented code."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas_cli.cli.app import run


def write_idx(folder: Path, cut: int = 0) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", 60), ("t10k", 20)):
        images = rng.integers(0, 255, (count, 28, 28), dtype=np.uint8).tobytes()
        labels = (np.arange(count) % 10).astype(np.uint8).tobytes()
        raw = struct.pack(">iiii", 2051, count, 28, 28) + images[: len(images) - cut]
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(raw))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(struct.pack(">ii", 2049, count) + labels))


def npz(path: Path, **changes: Any) -> None:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        "x_train": rng.integers(0, 9, (40, 8, 8), np.uint8),
        "y_train": np.arange(40) % 4,
        "x_test": rng.integers(0, 9, (8, 8, 8), np.uint8),
        "y_test": np.arange(8) % 4,
    }
    arrays |= changes
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})


NUMBERS = np.arange(40) / 7
"""Targets that are no classes."""

DATA: list[tuple[str, dict[str, Any], str]] = [
    ("keys", {"y_train": None, "x_test": None}, "y_train"),
    ("a class without training examples", {"y_test": np.full(8, 9)}, "y_test has the class 9, but y_train has no"),
    (
        "one image of a class",
        {"y_train": np.array([0] * 20 + [1] * 19 + [2]), "y_test": np.arange(8) % 3},
        "class 2 has 1",
    ),
    ("counts differ", {"y_train": np.arange(39) % 4}, "39"),
    ("words and numbers", {"y_train": np.array(["a", "b"] * 20)}, "y_train has words and y_test has numbers"),
    ("a single class", {"y_train": np.zeros(40, int), "y_test": np.zeros(8, int)}, "data.npz: all targets are 0"),
    ("images all white", {"x_train": np.full((40, 8, 8), 255, np.uint8)}, "the train part is 40 times the same image"),
    ("a blank test part", {"x_test": np.zeros((8, 8, 8), np.uint8)}, "the test part is 8 times the same image"),
    ("vectors beside images", {"x_train": np.ones((40, 64), np.uint8)}, "x_test has shape (8, 8, 8)"),
    (
        "two readings of the inputs",
        {"x_train": np.ones((40, 8, 8)), "x_test": np.ones((8, 8, 8))},
        "dataset.layout=series",
    ),
    ("two readings of the targets", {"y_train": np.arange(40) % 4 * 1.0, "y_test": np.ones(8)}, "dataset.kind=numbers"),
    ("missing numbers", {"y_train": NUMBERS * np.nan, "y_test": NUMBERS[:8]}, "NaN or infinite values in 40 of 48"),
    ("numbers all equal", {"y_train": np.full(40, 0.5), "y_test": NUMBERS[:8]}, "all targets in y_train are 0.5"),
]


@pytest.mark.parametrize(("changes", "expected"), [row[1:] for row in DATA], ids=[row[0] for row in DATA])
def test_a_wrong_data_set_is_exit_2(refused: Callable[..., str], changes: dict[str, Any], expected: str) -> None:
    npz(Path("data.npz"), **changes)
    line = refused(2, "search", "dataset=npz", "dataset.path=data.npz", "evaluator=serial", "device=cpu")
    assert expected in line
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("dataset.mixup=-1", "dataset.mixup is -1"),
        ("dataset.mixup=yes please", "dataset.mixup is 'yes please'"),
        ("dataset.randaugment=-2", "dataset.randaugment is -2"),
        ("dataset.magnitude=31", "dataset.magnitude is 31"),
        ("dataset.memory=disk", "dataset.memory is 'disk'"),
        ("dataset.memory=true", "dataset.memory is true"),
    ],
)
def test_augmentation_and_memory_out_of_range_are_exit_2(refused: Callable[..., str], word: str, expected: str) -> None:
    assert expected in refused(2, "search", "dataset=digits", word)


def test_workers_report_a_wrong_data_set_as_this_process_does(refused: Callable[..., str]) -> None:
    npz(Path("data.npz"), y_train=None)
    words = ["search", "dataset=npz", "dataset.path=data.npz", "device=cpu"]
    assert refused(2, *words, "evaluator=pool") == refused(2, *words, "evaluator=serial")


def test_absent_and_truncated_files(refused: Callable[..., str]) -> None:
    words = ["search", "evaluator=serial", "device=cpu"]
    assert "nowhere.npz" in refused(2, *words, "dataset=npz", "dataset.path=nowhere.npz")
    absent = refused(2, *words, "dataset=fashion_mnist", "dataset.root=empty", "dataset.download=false")
    assert "empty" in absent and "download" in absent
    assert "cifar" in refused(2, *words, "dataset=cifar10", "dataset.root=empty", "dataset.download=false").lower()
    write_idx(Path("cut/FashionMNIST/raw"), cut=100)
    truncated = refused(2, *words, "dataset=fashion_mnist", "dataset.root=cut")
    assert "train-images-idx3-ubyte" in truncated
    assert "nowhere" in refused(2, *words, "dataset=folder", "dataset.root=nowhere")


@pytest.mark.parametrize(
    ("path", "what"), [("folder", "a folder"), ("/dev/zero", "a device or a pipe, no regular file")]
)
@pytest.mark.parametrize(
    ("words", "key", "example"),
    [
        (("dataset=npz",), "dataset.path", "FILE.npz"),
        (("job=language", "space=rnn_cell", "dataset=text"), "dataset.path", "FILE.txt"),
        (("job=table",), "job.path", "FILE.csv"),
    ],
)
def test_paths_that_are_no_files(
    refused: Callable[..., str], words: tuple[str, ...], key: str, example: str, path: str, what: str
) -> None:
    Path("folder").mkdir()
    line = refused(2, "search", *words, f"{key}={path}", "strategy=random", "evaluator=serial", "device=cpu")
    assert f"{path} is {what}; pass {key}={example}" in line


def test_changed_data_is_refused(refused: Callable[..., str]) -> None:
    npz(Path("data.npz"), x_train=np.random.default_rng(0).integers(0, 9, (40, 8, 8), dtype=np.uint8))
    small = ("space.channels=2", "trainer.epochs=1", "strategy=random", "evaluator=serial", "device=cpu")
    words = ["search", "dataset=npz", "dataset.path=data.npz", *small, "trainer.batch_size=16", "--run-dir", "run"]
    assert run([*words, "budget.evaluations=1"]) == 0
    npz(Path("data.npz"), x_train=np.random.default_rng(1).integers(0, 9, (40, 8, 8), dtype=np.uint8))
    assert "the data set is not the one" in refused(3, "resume", "run", "budget.evaluations=2")


def test_a_table_that_lacks_a_candidate(refused: Callable[..., str]) -> None:
    Path("t.csv").write_text("arch,r\n|none~0|+|none~0|none~1|+|none~0|none~1|none~2|,10\n")
    columns = ("job.reward=r", "job.report=null", "job.cost=null", "job.parameters=null", "job.multiply_adds=null")
    words = ["search", "job=table", "job.path=t.csv", *columns]
    assert "t.csv has no row with arch=|" in refused(2, *words)
    assert "has no column c10_val12" in refused(2, "search", "job=table", "job.path=t.csv")
    assert "nowhere.csv not found; pass job.path=FILE.csv" in refused(2, "search", "job=table", "job.path=nowhere.csv")
    assert "job.path must be given" in refused(2, "search", "job=table")


@pytest.mark.parametrize(
    ("rows", "more", "expected"),
    [
        ("|a|,x,1", (), "column r (job.reward) must hold a number"),
        ("|a|,5,0", (), "column s (job.cost) must hold a number above 0"),
        ("|a|,5,1\n|a|,6,1", (), "has |a| in two rows"),
        ("|a|,5,1", ("job.cost_scale=nan",), "job.cost_scale is nan"),
    ],
)
def test_tables_that_make_no_sense(refused: Callable[..., str], rows: str, more: Any, expected: str) -> None:
    Path("t.csv").write_text(f"arch,r,s\n{rows}\n")
    columns = ("job.reward=r", "job.report=null", "job.cost=s", "job.parameters=null", "job.multiply_adds=null")
    assert expected in refused(2, "search", "job=table", "job.path=t.csv", *columns, *more)
