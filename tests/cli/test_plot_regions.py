"""`evonas plot --regions`, `show` and `report` on runs of neurons, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import pytest

from evonas_cli.cli.app import run
from evonas_cli.report.page.document import document
from evonas_cli.report.page.render import page
from evonas_cli.report.reading import read_run
from evonas_cli.store.journal import line

SMALL = ("search", "job=neurons", "job.steps=20", "strategy.population_size=8", "device=cpu", "evaluator=serial", "-q")
TRAINED = (*SMALL, "strategy=backprop_neat", "strategy.clusters=2", "space=neurons_backprop", "budget.evaluations=30")
EVOLVED = (*SMALL, "strategy=neat", "space=neurons", "job.weights=evolved", "budget.evaluations=24")
POINTS = ("dataset=xor", "dataset.n_train=30", "dataset.n_valid=20")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs whose weights were trained and evolved, one on a table, one of three inputs and one without neurons."""
    folder = tmp_path_factory.mktemp("home")
    rng = Random(0)
    rows = [(rng.uniform(0, 400), rng.gauss(0, 0.01), rng.gauss(0, 1)) for _ in range(80)]
    for name, columns in (("two", 2), ("three", 3)):
        lines = [",".join(["width", "height", "depth"][:columns] + ["kind"])]
        lines += [",".join([*map(str, row[:columns]), "big" if row[0] > 200 else "small"]) for row in rows]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    table = ("dataset=csv", "dataset.target=kind")
    calls = {
        "trained": (*TRAINED, *POINTS),
        "evolved": (*EVOLVED, *POINTS),
        "table": (*EVOLVED, *table, f"dataset.path={folder / 'two.csv'}"),
        "wide": (*EVOLVED, *table, f"dataset.path={folder / 'three.csv'}", "space.inputs=3"),
        "bits": ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=4", "-q"),
    }
    for name, words in calls.items():
        assert run([*words, "--run-dir", str(folder / name)]) == 0
    return folder


@pytest.fixture
def at_home(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs words in that folder; returns stdout, or stderr of a refusal."""
    monkeypatch.chdir(home)

    def call(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert run(list(words)) == code, capsys.readouterr().err
        out, error = capsys.readouterr()
        return out if code == 0 else error

    return call


def entry_of(root: Path, id: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "journal.jsonl").read_text().splitlines()[id])
    return found


@pytest.mark.parametrize("name", ["trained", "evolved"])
def test_regions_of_a_candidate(name: str, at_home: Callable[..., str], tmp_path: Path) -> None:
    for word in ("best", "knee", "3"):
        at_home("plot", name, "--regions", word, "-o", str(tmp_path / f"{word}.svg"))
    at_home("plot", name, "--regions", "3", "-o", str(tmp_path / "again.svg"))
    assert (tmp_path / "again.svg").read_bytes() == (tmp_path / "3.svg").read_bytes()
    root = ElementTree.parse(tmp_path / "3.svg").getroot()
    assert len(list(root.iter(f"{SVG}circle"))) == 50
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert f"Decision regions of candidate 3 of {name}" in texts and "bias" in texts and "output" in texts


def test_axes_of_a_table_have_its_names_and_its_unit(at_home: Callable[..., str], tmp_path: Path) -> None:
    at_home("plot", "table", "--regions", "best", "-o", str(tmp_path / "x.svg"))
    texts = {one.text for one in ElementTree.parse(tmp_path / "x.svg").getroot().iter(f"{SVG}text")}
    assert {"width", "height", "class big", "class small", "200"} <= texts


def test_trained_weights_are_those_of_the_journal(at_home: Callable[..., str], home: Path) -> None:
    entry = entry_of(home / "trained", 0)
    shown = at_home("show", "trained", "0")
    first = f"{entry['payload']['weights'][0]:.3g} input1"
    assert f"output = add({first}" in shown and first != f"{entry['genome']['links'][0][2]:.3g} input1"


def test_the_picture_of_an_architecture_has_functions(at_home: Callable[..., str], tmp_path: Path) -> None:
    at_home("plot", "evolved", "--architecture", "best", "-o", str(tmp_path / "x.svg"))
    texts = [one.text for one in ElementTree.parse(tmp_path / "x.svg").getroot().iter(f"{SVG}text")]
    assert {"input 1", "input 2", "bias", "output", "add"} <= set(texts)


def test_a_report_shows_regions_and_species(home: Path, tmp_path: Path) -> None:
    found = document([read_run(str(home / "evolved"), tmp_path, [])])
    best = found["runs"][0]["networks"][0]
    assert best["problem"] is None and len(best["plane"]["points"]) == 50
    text = page(json.loads(json.dumps(found)))
    assert text == page(found) == page(document([read_run(str(home / "evolved"), tmp_path, [])]))
    assert text.count("<figcaption>decision regions</figcaption>") == 1 and 'class="area o0"' in text
    assert "species over the generations" in text and 'style="' not in text
    trained = page(document([read_run(str(home / "trained"), tmp_path, [])]))
    assert "clusters over the generations" in trained and 'class="weight plus"' in trained


def test_a_report_says_that_the_data_is_gone(home: Path, tmp_path: Path) -> None:
    hidden = home / "two.csv"
    text = hidden.read_text()
    try:
        hidden.unlink()
        [best] = document([read_run(str(home / "table"), tmp_path, [])])["runs"][0]["networks"][:1]
        assert best["plane"] is None and "no decision regions" in best["problem"] and best["neurons"]
        hidden.write_text(text.replace("big", "BIG"))
        assert run(["plot", str(home / "table"), "--regions", "best", "-o", str(tmp_path / "x.svg")]) == 3
    finally:
        hidden.write_text(text)
    assert not (tmp_path / "x.svg").exists()


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [
        (2, ("bits", "--regions", "best"), "bits has no decision regions: its candidates are no neurons"),
        (2, ("wide", "--regions", "best"), "its data has vectors 3, and regions are drawn of two inputs"),
        (2, ("trained", "--regions", "front"), "'front' is no candidate; name an id, best or knee"),
        (2, ("trained", "evolved", "--regions", "best"), "--regions draws one run, and these are 2"),
        (2, ("trained", "--regions", "best", "--history"), "are different pictures"),
        (3, ("trained", "--regions", "999"), "trained has no candidate 999"),
    ],
)
def test_refusals(code: int, words: tuple[str, ...], expected: str, at_home: Callable[..., str], home: Path) -> None:
    error = at_home("plot", *words, "-o", "x.svg", code=code)
    assert expected in error and len(error.splitlines()) == 1 and not (home / "x.svg").exists()


def test_a_failed_candidate_is_refused(at_home: Callable[..., str], home: Path) -> None:
    journal = home / "evolved" / "journal.jsonl"
    text = journal.read_bytes()
    entry = {key: value for key, value in entry_of(home / "evolved", 0).items() if key != "crc"}
    entry |= {"status": "failed", "metrics": {}, "error": {"kind": "diverged", "text": "train_loss is nan"}}
    try:
        journal.write_bytes(line(entry) + b"".join(text.splitlines(keepends=True)[1:]))
        error = at_home("plot", "evolved", "--regions", "0", "-o", "x.svg", code=2)
    finally:
        journal.write_bytes(text)
    assert "candidate 0 of evolved failed (diverged: train_loss is nan); name another" in error
