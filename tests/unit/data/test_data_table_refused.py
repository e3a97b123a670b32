"""Tables and settings that are refused, each in one line that says what, where, and what to do."""

from __future__ import annotations

import csv

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.data.table import Csv

SETTINGS = dict(
    kind="auto",
    missing=("", "NA"),
    valid_fraction=0.25,
    test_fraction=0.25,
    limit=None,
    drop=(),
    categories=(),
    keep=(),
    most_categories=50,
)
N = 40
FEATURE = [f"{n * n % 17}.5" for n in range(N)]
CLASSES = ["u", "v"] * (N // 2)
LETTERS = [f"{n:04x}x" for n in range(N)]


def first(value, rest):
    return [value, *rest[1:]]


def written(folder, data):
    path = folder / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(data)
        writer.writerows(zip(*data.values(), strict=True))
    return path


def refused(make):
    with pytest.raises(UsageError) as caught:
        make()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "settings", "words"),
    [
        ({"a": FEATURE, "y": first("", CLASSES)}, {}, "'y' has no value in 1 rows, the first in line 2"),
        ({"a": FEATURE, "y": ["u"] * N}, {}, "is 'u' in all rows"),
        ({"a": FEATURE, "y": first("w", CLASSES)}, {}, "is 'w' in 1 of 40 rows, the first in line 2"),
        ({"a": FEATURE, "y": LETTERS}, {}, "an id or free text and no class"),
        ({"a": FEATURE, "y": LETTERS}, {"kind": "numbers"}, "'0000x' in line 2, while dataset.kind=numbers needs"),
        ({"a": FEATURE, "y": first("many", FEATURE)}, {}, "'many' in line 2, while most of it are numbers"),
        ({"a": FEATURE, "y": FEATURE}, {"kind": "classes"}, "dataset.kind=classes"),
        ({"a": FEATURE, "y": ["1.5"] * N}, {}, "'y' is 1.5 in all rows"),
        ({"a": FEATURE, "y": ["1", "0"] * 20, "z": ["1"] * N}, {"target": ["y", "z"]}, "label 'z' is 1 in all rows"),
        ({"a": FEATURE, "y": CLASSES, "z": CLASSES}, {"target": ["y", "z"]}, "'y' has words"),
        ({"a": [""] * N, "y": CLASSES}, {}, "'a' has no value in any training row; pass dataset.drop=[a]"),
        ({"a": ["1"] * N, "y": CLASSES}, {}, "no column to learn from beside the target (a (constant))"),
        ({"a": FEATURE, "y": CLASSES}, {"drop": ("a",)}, "no column beside the target"),
        ({"a": [*FEATURE[:20], *["wide"] * 10, *FEATURE[:10]], "y": CLASSES}, {}, "'wide' in line"),
        ({"a": [*FEATURE[:39], "1e400"], "y": CLASSES}, {}, "'1e400' in line 41, which is not a number"),
        ({"a": [*["1e308", "-1e308"] * 20], "y": CLASSES}, {}, "as large as 1e+308"),
        ({"a": FEATURE, "target": CLASSES}, {"target": "Target"}, "no column 'Target' (dataset.target); did you mean"),
        ({"a": FEATURE, "y": CLASSES}, {"target": "zzz"}, "it has a, y"),
        ({"a": FEATURE, "y": CLASSES}, {"keep": ("b",)}, "no column 'b' (dataset.keep)"),
        ({"a": FEATURE, "y": ["u", "u", *["v"] * 38]}, {}, "is 'u' in 2 of 40 rows, the first in line 2"),
    ],
    ids=range(20),
)
def test_tables(tmp_path, data, settings, words):
    path = written(tmp_path, data)
    message = refused(lambda: Csv(path=str(path), **{**SETTINGS, "target": "y", **settings}).prepare(0))
    assert words in message and str(path) in message


def test_a_value_that_does_not_fit_outside_of_the_training_part(tmp_path):
    made = [written(tmp_path, {"a": [*FEATURE[:n], "wide", *FEATURE[n + 1 :]], "y": CLASSES}) for n in range(N)]
    for n, path in enumerate(made):
        written(tmp_path, {"a": [*FEATURE[:n], "wide", *FEATURE[n + 1 :]], "y": CLASSES})
        source = Csv(path=str(path), target="y", **SETTINGS)
        message = refused(lambda source=source: (source.prepare(0), source.test(0)))
        assert f"'wide' in line {n + 2}, which is not a number" in message


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kind": "tokens"}, "dataset.kind is 'tokens'"),
        ({"target": []}, "dataset.target is []"),
        ({"target": ["y", "y"]}, "name each column once"),
        ({"test_fraction": None}, "dataset.test_fraction is null"),
        ({"most_categories": 0}, "dataset.most_categories is 0"),
        ({"drop": ("y",)}, "dataset.drop names 'y'"),
        ({"path": None}, "dataset.path is not set"),
    ],
)
def test_settings(settings, words):
    def make():
        Csv(**{**SETTINGS, "path": "absent.csv", "target": "y", **settings}).check_there()

    assert words in refused(make)


def test_columns_are_looked_for_before_a_run_begins(tmp_path):
    path = written(tmp_path, {"a": FEATURE, "label": CLASSES})
    Csv(path=str(path), target="label", **SETTINGS).check_there()
    assert "did you mean label?" in refused(Csv(path=str(path), target="labels", **SETTINGS).check_there)
