"""Folds, groups that no part divides, and training parts of few examples a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.data.dataset import Source
from evonas_cli.data.digits import Digits
from evonas_cli.data.folds import fold, folds_of
from evonas_cli.data.npz import Npz
from evonas_cli.data.splits import Augmentation, Splits, split_indices
from evonas_cli.data.table import Csv
from evonas_cli.data.targets import Targets
from evonas_cli.network.task import Task

ABC = ("a", "b", "c")


def splits(y: np.ndarray, groups: np.ndarray | None = None, kind: str = "classes", n_train: int = 0) -> Splits:
    n = n_train or len(y) * 3 // 4
    x = np.arange(len(y), dtype=np.float32)[:, None]
    outputs = int(y.max()) + 1 if kind == "classes" else y.shape[1]
    return Splits(
        x_train=x[:n],
        y_train=y[:n],
        x_valid=x[n:],
        y_valid=y[n:],
        mean=np.zeros(1),
        std=np.ones(1),
        task=Task((1,), outputs, kind),
        augmentation=Augmentation(),
        fingerprint="",
        groups=np.zeros(0, np.int64) if groups is None else groups,
    )


@settings(max_examples=25)
@given(st.data(), st.integers(2, 5), st.integers(0, 2**32))
def test_folds_are_a_stratified_partition(data: st.DataObject, count: int, seed: int) -> None:
    counts = data.draw(st.lists(st.integers(count, 12), min_size=2, max_size=4))
    y = np.repeat(np.arange(len(counts)), counts)
    np.random.default_rng(seed).shuffle(y)
    whole = splits(y)
    numbers = folds_of(whole, count, seed, "here")
    sizes = np.bincount(numbers, minlength=count)
    assert sizes.max() - sizes.min() <= 1
    for label in range(len(counts)):
        own = np.bincount(numbers[y == label], minlength=count)
        assert own.max() - own.min() <= 1 and own.min() >= 1
    seen = []
    for number in range(count):
        part = fold(whole, numbers, number)
        assert sorted([*part.x_train[:, 0], *part.x_valid[:, 0]]) == list(range(len(y)))
        seen += part.x_valid[:, 0].tolist()
    assert sorted(seen) == list(range(len(y)))
    assert np.array_equal(numbers, folds_of(whole, count, seed, "here"))


def test_too_few_for_the_folds_is_one_line() -> None:
    y = np.array([0] * 9 + [1] * 3)
    with pytest.raises(UsageError, match="here: the class 1 has 3 training and validation examples, fewer"):
        folds_of(splits(y), 4, 0, "here")
    numbers = np.arange(6.0, dtype=np.float32)[:, None]
    with pytest.raises(UsageError, match="here: there are 6 training and validation examples, fewer than job.folds=7"):
        folds_of(splits(numbers, kind="numbers"), 7, 0, "here")
    with pytest.raises(UsageError, match="in 2 groups, fewer than job.folds=3"):
        folds_of(splits(y, np.array([0, 1] * 6)), 3, 0, "here")
    with pytest.raises(UsageError, match="the file's own validation part has not"):
        folds_of(splits(y, np.array([0, 1, 2] * 3)), 3, 0, "here")


@settings(max_examples=40)
@given(
    st.sampled_from(["classes", "labels", "numbers"]),
    st.lists(st.integers(0, 40), min_size=60, max_size=150),
    st.floats(0.1, 0.4),
    st.integers(0, 2**32),
)
def test_all_examples_of_a_group_are_in_one_part_and_in_one_fold(
    kind: str, groups: list[int], fraction: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    n = len(groups)
    y = rng.integers(0, 2, n) if kind == "classes" else rng.integers(0, 2, (n, 2)).astype(np.float32)
    found = Targets(y, kind, ABC[:2], np.array(groups))
    try:
        parts = split_indices(found, fraction, fraction, None, seed, "here")
    except UsageError as error:
        assert "groups" in str(error) and "\n" not in str(error)
        return
    assert sorted(np.concatenate(list(parts.values()))) == list(range(n)) and all(map(len, parts.values()))
    in_part = [set(found.groups[indices]) for indices in parts.values()]
    assert sum(map(len, in_part)) == len(set(groups))
    largest = np.bincount(groups).max()
    for part in ("test", "valid"):
        left = n if part == "test" else n - len(parts["test"])
        assert abs(len(parts[part]) - fraction * left) <= largest / 2 + 1e-6 * n
    both = np.concatenate([parts["train"], parts["valid"]])
    whole = splits(y[both], found.groups[both], kind, len(parts["train"]))
    try:
        numbers = folds_of(whole, 3, seed, "here")
    except UsageError as error:
        assert "\n" not in str(error)
        return
    for group in set(whole.groups):
        assert len(set(numbers[whole.groups == group])) == 1


def test_a_grouping_that_empties_a_part_is_one_line() -> None:
    found = Targets(np.array([0, 1] * 20), "classes", ABC[:2], np.zeros(40, np.int64))
    with pytest.raises(
        UsageError, match="would have no example, as groups are not divided and the examples are in 1 group "
    ):
        split_indices(found, 0.2, 0.2, None, 0, "here")
    lone = Targets(np.array([0] * 30 + [1] * 10), "classes", ABC[:2], np.array([*range(30), *[30] * 10]))
    with pytest.raises(UsageError, match="all groups with examples of the class b would be in this part"):
        split_indices(lone, None, 0.6, None, 3, "here")


def table(path: Path, groups: int = 20) -> Path:
    rows = [f"{n * 7 % 11},{'yes' if n % 3 else 'no'},p{n % groups}" for n in range(120)]
    path.write_text("\n".join(["size,ill,patient", *rows]))
    return path


def csv(path: Path, **changes: object) -> Csv:
    given = {"path": str(path), "target": "ill", "kind": "auto", "missing": ("",), "drop": (), "categories": ()}
    more = {"keep": (), "most_categories": 9, "valid_fraction": 0.2, "test_fraction": 0.2, "limit": None}
    return Csv(**{**given, **more, **changes})


def test_a_table_has_a_column_of_groups_that_is_no_input(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv")
    source = csv(path, group="patient")
    found = source.prepare(1)
    assert found.task.inputs == (1,) and len(found.groups) == len(found.y_train) + len(found.y_valid)
    n = len(found.y_train)
    assert not set(found.groups[:n]) & set(found.groups[n:])
    assert source.looked_up_sizes(1) == {"train": n, "valid": len(found.y_valid), "test": 120 - len(found.groups)}
    for changes, text in (
        ({"group": "patent"}, "no column 'patent' \\(dataset.group\\); did you mean patient"),
        ({"group": "ill"}, "dataset.group and dataset.target both name 'ill'"),
        ({"group": "size", "keep": ("size",)}, "dataset.group names 'size', which another setting"),
    ):
        with pytest.raises(UsageError, match=text):
            csv(path, **changes).check_there()
    with pytest.raises(UsageError, match="the part would have no example"):
        csv(table(tmp_path / "b.csv", 1), group="patient").prepare(0)


def test_an_array_of_groups_divides_an_npz_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {"x_train": rng.normal(size=(90, 3)), "y_train": np.arange(90) % 3}
    names = np.array([f"patient {n % 15}" for n in range(90)])
    given = {"path": str(tmp_path / "a.npz"), "kind": "classes", "layout": "vector", "crop": 0, "flip": False}
    source = Npz(**given, cutout=0, valid_fraction=0.2, test_fraction=0.2, limit=None)
    np.savez(tmp_path / "a.npz", **arrays)
    plain = source.fingerprint(0)
    np.savez(tmp_path / "a.npz", **arrays, groups=names)
    found = source.prepare(0)
    n = len(found.y_train)
    assert n and not set(found.groups[:n]) & set(found.groups[n:]) and found.fingerprint != plain
    assert source.looked_up_sizes(0)["train"] == n
    np.savez(tmp_path / "a.npz", **arrays, groups=names[1:])
    with pytest.raises(UsageError, match=r"groups has shape \(89,\), but there are 90 training examples"):
        source.looked_up_sizes(0)


def digits(**changes: object) -> Digits:
    given = {"valid_fraction": 0.25, "test_fraction": 0.2, "limit": None, "crop": 0, "flip": False, "cutout": 0}
    return Digits(**{**given, **changes})


def test_few_training_examples_of_each_class_leave_the_other_parts() -> None:
    whole, few, more = (digits(limit_per_class=n).prepare(4) for n in (None, 5, 20))
    assert np.bincount(few.y_train).tolist() == [5] * 10 and np.bincount(more.y_train).tolist() == [20] * 10
    assert np.array_equal(few.x_valid, whole.x_valid) and np.array_equal(more.x_valid, whole.x_valid)
    assert {x.tobytes() for x in few.x_train} <= {x.tobytes() for x in more.x_train}
    assert len({whole.fingerprint, few.fingerprint, more.fingerprint}) == 3
    assert digits(limit_per_class=5).looked_up_sizes(4)["train"] == 50


def test_a_limit_that_classes_do_not_have_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="limit_per_class=500: the training part has 106 examples of the class 0"):
        digits(limit_per_class=500).prepare(4)
    with pytest.raises(UsageError, match="dataset.limit_per_class is 0; it must be an integer of at least 1, or null"):
        digits(limit_per_class=0)
    source: Source = csv(table(tmp_path / "a.csv"), target="size", kind="numbers", limit_per_class=3)
    with pytest.raises(UsageError, match="limit_per_class=3 counts examples of classes, but the data has numbers"):
        source.looked_up_sizes(0)
