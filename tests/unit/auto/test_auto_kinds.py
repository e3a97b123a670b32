"""Which kind of data a word means, and what is refused in one line before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from evonas_cli.auto.kinds import dataset_words, fitting
from evonas_cli.auto.request import Request, seconds_of
from evonas_cli.config.compose import compose
from evonas_cli.core.errors import UsageError
from evonas_cli.testing.spaces import IMAGES, SERIES, TEXTS, VECTORS

CASES = [
    ("digits", (), None, ["dataset=digits"]),
    ("pictures", (), None, ["dataset=folder"]),
    ("mine.npz", (), None, ["dataset=npz"]),
    ("wine.csv", ("kind",), None, ["dataset=csv", "dataset.target='kind'"]),
    ("wine.csv.gz", ("a b", "c"), None, ["dataset=csv", "dataset.target=['a b','c']"]),
    ("wine.TSV", ("kind",), "words", ["dataset=text_csv", "dataset.target='kind'", "dataset.text='words'"]),
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()
    for name in ("mine.npz", "wine.csv.gz", "wine.TSV", "notes.docx"):
        Path(name).touch()
    Path("wine.csv").write_text("kind,words,alcohol\n")


@pytest.mark.parametrize(("data", "target", "text", "words"), CASES)
def test_the_kind_is_found(data: str, target: tuple[str, ...], text: str | None, words: list[str]) -> None:
    found = dataset_words(Request(data, 60.0, target, text))
    assert [word for word in found if not word.startswith("dataset.path=")] == words
    assert compose([*found, "space=fixed_network"]).choices["dataset"] == words[0].partition("=")[2]


@pytest.mark.parametrize(
    ("data", "target", "said"),
    [
        ("nowhere.csv", (), "nowhere.csv is no path and no data set"),
        ("digit", (), "did you mean digits?"),
        ("notes.docx", (), "the kind of notes.docx cannot be told"),
        ("wine.csv", (), "say which column is to be predicted: --target COLUMN (it has kind, words, alcohol)"),
        ("csv", (), "csv is a kind of data"),
        ("mine.npz", ("kind",), "--target and --text name columns of a table"),
        ("digits", ("kind",), "--target and --text name columns of a table"),
    ],
)
def test_what_cannot_be_told_is_refused(data: str, target: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        dataset_words(Request(data, 60.0, target))
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_a_name_that_is_a_path_too_is_refused() -> None:
    Path("digits").mkdir()
    with pytest.raises(UsageError, match=r"write \./digits for the path"):
        dataset_words(Request("digits", 60.0))
    assert "dataset=folder" in dataset_words(Request("./digits", 60.0))


@pytest.mark.parametrize("task", [*IMAGES, *SERIES, *TEXTS, *VECTORS], ids=str)
def test_the_space_fits_the_data(task: object, compose_parts: object) -> None:
    from evonas_cli.core.rng import stream

    parts = compose_parts(*fitting(task), "strategy=nsga2")  # type: ignore[operator, arg-type]
    assert parts.space.decode(parts.space.sample(stream(0, "fits")), task).plan.shapes[0] == task.inputs  # type: ignore[attr-defined]


def test_budgets_and_overrides() -> None:
    assert [seconds_of(text) for text in ("90", "90s", "30m", "1.5h")] == [90, 90, 1800, 5400]
    for text in ("", "0m", "-3s", "1d", "soon"):
        with pytest.raises(UsageError, match="--budget"):
            seconds_of(text)
    for override in ("budget.seconds=3", "job=size", "dataset=mnist", "start_from=latest"):
        with pytest.raises(UsageError, match=f"evonas auto sets {override.partition('=')[0]} itself"):
            Request("digits", 60.0, overrides=(override,))
    request = Request("digits", 60.0, overrides=("dataset.limit=9", "space=mlp", "space.layers=1", "trainer.epochs=2"))
    assert request.common == ["dataset.limit=9", "trainer.epochs=2"]
    assert Request.from_json(request.to_json()) == request
