"""Texts from a table as token ids, by a vocabulary of the training part."""

from __future__ import annotations

import csv
from random import Random

import numpy as np
import pytest
from text_settings import READ

from evonas_cli.core.errors import UsageError
from evonas_cli.data.splits import split_indices
from evonas_cli.data.targets import targets
from evonas_cli.data.text_table import TextCsv
from evonas_cli.data.vocabulary import Vocabulary, learned, tokens, usual_length
from evonas_cli.network.task import Task

SETTINGS = READ | dict(text="text", target="y", vocabulary=100, least_count=1, valid_fraction=0.25, test_fraction=0.25)


def written(folder, texts, y, name="t.csv"):
    path = folder / name
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "y"), *zip(texts, y, strict=True)])
    return path


def source(path, **settings):
    return TextCsv(path=str(path), **{**SETTINGS, **settings})


ROWS = split_indices(targets(np.array(["u", "v"] * 20), "auto", "y"), 0.25, 0.25, None, 0, "y")


def examples(n=40):
    rng = Random(1)
    texts = [" ".join(rng.choice(["one", "two", "three", "four"]) for _ in range(rng.randint(1, 9))) for _ in range(n)]
    return texts, ["u", "v"] * (n // 2)


@pytest.mark.parametrize(
    ("text", "kind", "lower", "expected"),
    [
        ("Don't go, A_1!", "words", True, ["don", "'", "t", "go", ",", "a_1", "!"]),
        ("Ab c", "words", False, ["Ab", "c"]),
        ("Ab c", "characters", True, ["a", "b", " ", "c"]),
        ("e\u0301t\u00e9", "words", True, ["\u00e9t\u00e9"]),
        ("東京🙂🙂", "words", True, ["東京", "🙂", "🙂"]),
    ],
)
def test_tokens(text, kind, lower, expected):
    assert tokens(text, kind, lower) == expected


def test_a_vocabulary_is_in_the_order_of_counts_and_then_of_code_points():
    texts = [["z", "y"], ["c", "z", "y", "z"], ["b"]]
    assert learned(texts, 3, 1).known == ("z", "y", "b")
    assert learned(texts, 9, 2).known == ("z", "y")
    ids = Vocabulary(("a", "b")).ids([["b", "x", "a"], ["a"]], 2)
    assert ids.tolist() == [[3, 1], [2, 0]] and ids.dtype == np.int64


def test_the_usual_length_is_that_of_95_per_cent():
    assert usual_length([["x"] * n for n in range(1, 101)]) == 95
    assert usual_length([["x"]]) == 1


def test_texts_are_ids_padded_at_the_end(tmp_path):
    texts, y = examples()
    made = source(written(tmp_path, texts, y))
    splits = made.prepare(0)
    length = usual_length([texts[row].split() for row in ROWS["train"]])
    assert splits.task == Task((length,), 2, "classes", vocabulary=6)
    assert splits.x_train.dtype == np.int64 and splits.x_train.max() == 5 and splits.mean.size == 0
    for part, x in (("train", splits.x_train), ("valid", splits.x_valid), ("test", made.test(0)[0])):
        for row, ids in zip(ROWS[part], x, strict=True):
            n = min(length, len(texts[row].split()))
            assert (ids[:n] > 0).all() and not ids[n:].any()
    assert source(made.path, max_length=3).prepare(0).x_train.shape[1] == 3
    assert source(made.path, tokens="characters").prepare(0).task.vocabulary == 2 + len(set("onetwothreefour "))


def test_rows_outside_of_the_training_part_change_nothing_in_it(tmp_path):
    texts, y = examples()
    before = source(written(tmp_path, texts, y)).prepare(0)
    for part, changed in (("test", ("x_train", "x_valid")), ("valid", ("x_train",))):
        for row in ROWS[part]:
            texts[row] = "five " * 50
        after = source(written(tmp_path, texts, y, "changed.csv")).prepare(0)
        assert after.task == before.task and after.fingerprint != before.fingerprint
        for name in changed:
            assert getattr(before, name).tobytes() == getattr(after, name).tobytes()
    assert (after.x_valid == 1).all(), "words that the training part lacks are unknown"


def test_what_was_taken_is_said(tmp_path, caplog):
    texts, y = examples()
    source(written(tmp_path, texts, y), max_length=3).prepare(0)
    cut = sum(len(texts[row].split()) > 3 for row in ROWS["train"])
    assert "22 + 8 + 10 rows (training, validation, test), texts of 3 words" in caplog.text
    assert f"({cut} of 22 training texts are longer and cut), 6 token ids; 2 classes (u, v)" in caplog.text


@pytest.mark.parametrize(
    ("texts", "settings", "words"),
    [
        (["a b"] * 20 + ["  "] + ["c"] * 19, {}, "'text' has no value in 1 rows, the first in line 22"),
        ([str(n) for n in range(40)], {}, "holds numbers alone and no text"),
        ([f"x{n}" for n in range(40)], {"least_count": 2}, "lower dataset.least_count"),
        (["a b"] * 40, {"text": "txt"}, "no column 'txt' (dataset.text); did you mean text?"),
        (["a b"] * 40, {"text": "y"}, "both name 'y'"),
        (["a b"] * 40, {"text": ""}, "dataset.text is ''"),
        (["a b"] * 40, {"tokens": "word"}, "dataset.tokens is 'word'"),
        (["a b"] * 40, {"lower": 1}, "dataset.lower is 1"),
        (["a b"] * 40, {"vocabulary": 0}, "dataset.vocabulary is 0"),
        (["a b"] * 40, {"vocabulary": "auto"}, "dataset.vocabulary is 'auto'"),
        (["a b"] * 40, {"max_length": 0}, "at least 1, or auto"),
    ],
    ids=range(11),
)
def test_refused(tmp_path, texts, settings, words):
    path = written(tmp_path, texts, ["u", "v"] * 20)
    with pytest.raises(UsageError) as caught:
        source(path, **settings).prepare(0)
    assert words in str(caught.value) and "\n" not in str(caught.value)
