"""Vectors from a table: features, targets, and that nothing is fitted to rows outside of the training part."""

from __future__ import annotations

import csv
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from evonas_cli.data.shared import shared
from evonas_cli.data.splits import split_indices
from evonas_cli.data.table import Csv
from evonas_cli.data.targets import targets
from evonas_cli.network.task import Task

SETTINGS = dict(
    kind="auto",
    missing=("", "?", "NA"),
    valid_fraction=0.2,
    test_fraction=0.2,
    limit=None,
    drop=(),
    categories=(),
    keep=(),
    most_categories=50,
)


def written(folder, columns, name="t.csv"):
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def source(path, target="y", **settings):
    return Csv(path=str(path), target=target, **{**SETTINGS, **settings})


def columns(n=60, seed=0):
    """A number, words, truths, a number that is sometimes absent, and two classes."""
    rng = Random(seed)
    return {
        "size": [f"{rng.gauss(5, 2):.3f}" for _ in range(n)],
        "colour": [rng.choice(["red", "green", "blue"]) for _ in range(n)],
        "old": [rng.choice(["true", "False"]) for _ in range(n)],
        "weight": [rng.choice(["", "1.5", "2", "7"]) for _ in range(n)],
        "y": ["yes" if rng.random() < 0.5 else "no" for _ in range(n)],
    }


def rows_of(y, seed=0):
    return split_indices(targets(np.array(y), "auto", "y"), 0.2, 0.2, None, seed, "y")


def test_features(tmp_path):
    data = columns()
    made = source(written(tmp_path, data))
    splits, train = made.prepare(0), rows_of(data["y"])["train"]
    # size, three colours and another, old, weight and its absence
    assert splits.task == Task((8,), 2) and splits.x_train.dtype == np.float32
    assert (len(splits.x_train), len(splits.x_valid), len(made.test(0)[0])) == (len(train), 10, 12)
    size = np.array(data["size"], dtype=float)[train]
    assert splits.x_train[:, 0] == pytest.approx((size - size.mean()) / size.std(), abs=1e-5)
    words = np.array(data["colour"])[train]
    for n, word in enumerate(["blue", "green", "red"], 1):
        assert (splits.x_train[:, n] == (words == word)).all()
    assert not splits.x_train[:, 4].any()
    is_old = np.array([word == "true" for word in data["old"]])[train]
    assert (splits.x_train[is_old, 5] > 0).all() and (splits.x_train[~is_old, 5] < 0).all()
    weights = np.array([float(cell or "nan") for cell in data["weight"]])[train]
    gone, there = np.isnan(weights), weights[~np.isnan(weights)]
    assert (splits.x_train[:, 7] == gone).all() and gone.any()
    filled = np.where(gone, np.median(there), weights)
    assert splits.x_train[:, 6] == pytest.approx((filled - there.mean()) / there.std(), abs=1e-5)
    assert splits.names == ("no", "yes") and splits.y_train.dtype == np.int64
    assert not splits.mean.any() and (splits.std == 1).all()


def test_missing_words_and_rare_ones_have_a_feature_each(tmp_path):
    data = {"a": (["", "red", "red", "blue", "green", "green"] * 10), "y": ["u", "v", "v"] * 20}
    splits = source(written(tmp_path, data), most_categories=2).prepare(0)
    words = np.array(data["a"])[rows_of(data["y"])["train"]]
    assert (splits.x_train.sum(axis=1) == 1).all() and splits.x_train.shape[1] == 4
    assert (splits.x_train[:, 2] == (words == "")).all()
    common = sorted(["blue", "green", "red"], key=lambda word: (-(words == word).sum(), word))[:2]
    for n, word in enumerate(sorted(common)):
        assert (splits.x_train[:, n] == (words == word)).all()
    assert splits.x_train[:, 3].sum() == (words == ({"blue", "green", "red"} - set(common)).pop()).sum() > 0


@pytest.mark.parametrize("seed", range(5))
def test_rows_outside_of_the_training_part_change_nothing_in_it(tmp_path, seed):
    data = columns(seed=seed)
    rows = rows_of(data["y"], seed)
    before = source(written(tmp_path, data)).prepare(seed)
    for part, changed in (("test", ("x_train", "x_valid")), ("valid", ("x_train",))):
        for row in rows[part]:
            data["size"][row], data["colour"][row], data["weight"][row] = "1000", f"new {row}", ""
        made = source(written(tmp_path, data, "changed.csv"))
        after = made.prepare(seed)
        for name in changed:
            assert getattr(before, name).tobytes() == getattr(after, name).tobytes()
        assert before.fingerprint != after.fingerprint
    assert after.x_valid[:, 4].all(), "values that the training part lacks are `another`"
    assert made.test(seed)[0][:, 4].all()


def test_targets_are_standardised_by_the_training_part(tmp_path):
    data = {"a": [f"{n * n % 17}.5" for n in range(50)], "y": [f"{n % 7}.25" for n in range(50)]}
    made = source(written(tmp_path, data))
    splits, y = made.prepare(3), np.array(data["y"], dtype=float)
    rows = split_indices(targets(y, "numbers", "y"), 0.2, 0.2, None, 3, "y")
    assert splits.task == Task((1,), 1, "numbers") and splits.names == ("y",)
    assert splits.target_mean == pytest.approx(y[rows["train"]].mean())
    assert splits.target_std == pytest.approx(y[rows["train"]].std())
    for part, got in (("train", splits.y_train), ("valid", splits.y_valid), ("test", made.test(3)[1])):
        assert got[:, 0] * splits.target_std + splits.target_mean == pytest.approx(y[rows[part]], abs=1e-5)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2"] * 20, "classes"),
        (["1.0", "3.0"] * 20, "classes"),
        ([str(n) for n in range(40)], "numbers"),
        (["0.5", "1"] * 20, "numbers"),
        (["true", "false"] * 20, "classes"),
    ],
)
def test_auto_takes_the_kind_from_the_target(tmp_path, values, kind):
    made = source(written(tmp_path, {"a": [f"{n * n % 17}.5" for n in range(40)], "y": values}))
    assert made.resolved() == {"kind": kind}
    every = replace(made, valid_fraction="auto", test_fraction="auto")
    assert every.resolved() == {"kind": kind, "valid_fraction": 0.1, "test_fraction": 0.2}
    assert replace(made, kind=kind, path="absent").resolved() == {}
    assert every.fingerprint(0) == replace(every, **every.resolved()).fingerprint(0) != made.fingerprint(0)


@pytest.mark.parametrize("words", [("0", "1"), ("false", "true")])
def test_several_columns_of_two_values_are_labels(tmp_path, words):
    rng = Random(0)
    data = {name: [rng.choice(words) for _ in range(40)] for name in ("u", "v", "w")}
    made = source(written(tmp_path, {"a": [f"{n * n % 17}.5" for n in range(40)], **data}), target=["u", "v", "w"])
    splits = made.prepare(0)
    assert splits.task == Task((1,), 3, "labels") and splits.names == ("u", "v", "w")
    assert splits.y_train.dtype == np.float32 and set(np.unique(splits.y_train)) == {0, 1}
    assert made.task_kind == "auto" and replace(made, kind="labels").looked_up_outputs() == 3


def test_what_is_no_feature_is_left_out_and_said(tmp_path, caplog):
    rng = Random(0)
    data = {
        **columns(),
        "row": [str(n + 1) for n in range(60)],
        "id": [f"{rng.randrange(16**8):08x}z" for _ in range(60)],
        "story": [f"it was number {rng.random()} and nobody knew why" for _ in range(60)],
        "one": ["1"] * 60,
    }
    path = written(tmp_path, data)
    assert source(path).prepare(0).x_train.shape[1] == 8
    assert source(path, drop=("size",)).prepare(0).x_train.shape[1] == 7
    assert source(path, keep=("row",)).prepare(0).x_train.shape[1] == 9
    assert source(path, categories=("story",), most_categories=5).prepare(0).x_train.shape[1] == 14
    for words in (
        "row (a running number)",
        "id (an id, 38 ",
        "story (free text, 38 ",
        "one (constant)",
        "dataset.keep",
    ):
        assert words in caplog.text
    assert "38 + 10 + 12 rows (training, validation, test), 8 features of 4 columns; 2 classes (no, yes)" in caplog.text


def test_workers_of_a_pool_share_it(tmp_path):
    made = source(written(tmp_path, columns()))
    with (tmp_path / "file").open("w+b") as file:
        first = shared(file.fileno(), lambda: made.prepare(0))
        second = shared(file.fileno(), pytest.fail)
    for splits in (first, second):
        assert (splits.x_train == made.prepare(0).x_train).all()
        assert splits.names == ("no", "yes") and splits.fingerprint == made.fingerprint(0)


def test_numbers_that_rise_but_count_no_rows_stay(tmp_path):
    data = {"time": [str(n * n) for n in range(60)], "y": ["u", "v"] * 30}
    assert source(written(tmp_path, data)).prepare(0).x_train.shape[1] == 1
