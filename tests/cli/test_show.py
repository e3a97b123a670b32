"""`evonas show`: tables of candidates in every form, one candidate with its kin, its network and its curves."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run
from evonas_cli.store.journal import line, parse

GENETIC = ("search", "space=bits", "job=landscape", "strategy=genetic", "strategy.population_size=4")
LIMITED = (
    *("search", "space=nasbench201", "space.channels=4", "strategy=random", "budget.evaluations=6"),
    *("dataset.limit=100", "trainer.epochs=1", "evaluator=serial", "device=cpu", "seed=1"),
    'constraints={parameters: "<= 5000", valid_error: "<= 0.9"}',
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a genetic run `toy` and one under constraints, `limited`."""
    folder = tmp_path_factory.mktemp("home")
    assert run([*GENETIC, "budget.evaluations=30", "--run-dir", str(folder / "toy"), "--quiet"]) == 0
    assert run([*LIMITED, "--run-dir", str(folder / "limited"), "--quiet"]) in (0, 1)
    return folder


@pytest.fixture
def say(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    monkeypatch.chdir(home)

    def call(*words: str, code: int = 0) -> str:
        assert run(list(words)) == code, capsys.readouterr().err
        out, error = capsys.readouterr()
        return out if code == 0 else error

    return call


def entries(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in (folder / "journal.jsonl").read_text().splitlines()]


def test_the_best_first(say: Callable[..., str], home: Path) -> None:
    expected = sorted(entries(home / "toy"), key=lambda e: (e["metrics"]["valid_error"], e["id"]))
    document = json.loads(say("show", "toy", "--all", "--format", "json"))
    assert [c["id"] for c in document["candidates"]] == [e["id"] for e in expected] and document["count"] == 30
    assert json.loads(say("show", "toy", "--top", "3", "--json"))["candidates"] == document["candidates"][:3]
    head, *rows = say("show", "toy", "--top", "3").splitlines()
    assert head.split() == ["id", "valid_error", "cost", "operator", "step", "state"]
    assert [int(row.split()[0]) for row in rows] == [e["id"] for e in expected[:3]]
    assert rows[0].split()[-1] == "front" and rows[1].split()[-1] == "ok"


def test_csv_has_every_metric(say: Callable[..., str], home: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(say("show", "toy", "--format", "csv"))))
    by_id = {int(row["id"]): row for row in rows}
    for entry in entries(home / "toy"):
        row = by_id[entry["id"]]
        assert all(float(row[name]) == value for name, value in entry["metrics"].items())
        assert row["parents"].split() == [str(id) for id in entry["parents"]] and row["operator"] == entry["operator"]
        assert json.loads(row["genome"]) == entry["genome"]


def test_another_order(say: Callable[..., str], home: Path) -> None:
    found = json.loads(say("show", "toy", "--sort", "true_error", "--json"))["candidates"]
    values = [candidate["metrics"]["true_error"] for candidate in found]
    assert len(values) == 30 and values == sorted(values)
    message = say("show", "toy", "--sort", "beauty", code=2)
    assert "--sort beauty: no candidate has this metric (known: valid_error" in message


def test_failed_candidates_come_last_and_constraints_count_what_they_refused(
    say: Callable[..., str], home: Path
) -> None:
    document = json.loads(say("show", "limited", "--all", "--json"))["candidates"]
    states = [candidate["state"] for candidate in document]
    refused = states.count("refused")
    assert refused and states == [s for s in states if s != "refused"] + ["refused"] * refused
    shown = json.loads(say("show", "limited", "--json"))["constraints"]
    over = [c for c in document if c["state"] != "refused" and c["metrics"]["valid_error"] > 0.9]
    assert [one["constraint"] for one in shown] == ["parameters <= 5000", "valid_error <= 0.9"]
    assert (shown[0]["refused"], shown[0]["violated"]) == (refused, 0)
    assert (shown[1]["refused"], shown[1]["violated"]) == (0, len(over))
    assert all(c["state"] == "violates" for c in over)
    text = f"constraints     parameters <= 5000: {refused} refused before training, 0 violate it"
    assert text in say("show", "limited")


def test_parents_and_children(say: Callable[..., str], home: Path) -> None:
    found = entries(home / "toy")
    child = next(entry for entry in found if entry["parents"])
    parent = child["parents"][0]
    document = json.loads(say("show", "toy", str(parent), "--json"))
    expected = [{"id": e["id"], "operator": e["operator"]} for e in found if parent in e["parents"]]
    assert document["children"] == expected and document["candidate"]["id"] == parent
    assert f"{child['id']} ({child['operator']})" in say("show", "toy", str(parent))
    assert f"{parent} (" in say("show", "toy", str(child["id"]))


def test_of_many_children_the_first_are_named(
    say: Callable[..., str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = Counter(parent for entry in entries(home / "toy") for parent in entry["parents"])
    [(parent, count)] = counts.most_common(1)
    monkeypatch.setattr("evonas_cli.cli.show.KIN", count - 1)
    assert ", and 1 more (--json lists them)" in say("show", "toy", str(parent))


def test_candidates_by_word(say: Callable[..., str]) -> None:
    best = json.loads(say("pareto", "toy", "--json"))["front"][0]["id"]
    for word in ("best", "knee", str(best)):
        assert json.loads(say("show", "toy", word, "--json"))["candidate"]["id"] == best
    assert "'worst' is no candidate; name an id, best or knee" in say("show", "toy", "worst", code=2)
    assert "leave them or 3 out" in say("show", "toy", "3", "--all", code=2)
    assert "exclude each other" in say("show", "toy", "--top", "3", "--all", code=2)


def test_a_network_and_a_failed_candidate(say: Callable[..., str]) -> None:
    document = json.loads(say("show", "limited", "--all", "--json"))["candidates"]
    text = say("show", "limited", str(document[-1]["id"]))
    assert text.startswith("state           refused\n") and "refused before training" in text
    assert "●" in text and "├─╮" in text and max(map(len, text.partition("●")[2].splitlines())) <= 80


def test_curves_are_shown_where_there_are_any(say: Callable[..., str], home: Path, tmp_path: Path) -> None:
    assert "▁" not in say("show", "toy", "0")
    (tmp_path / "run").mkdir()
    for file in (home / "toy").iterdir():
        if file.is_file():
            (tmp_path / "run" / file.name).write_bytes(file.read_bytes())
    lines = (home / "toy/journal.jsonl").read_bytes().splitlines(keepends=True)
    first: Any = parse(lines[0])
    first.pop("crc", None)
    first["curves"] = {"epoch": [1, 2, 3], "train_loss": [3.0, 2.0, 1.0], "valid_error": [0.5, None, 0.25]}
    (tmp_path / "run/journal.jsonl").write_bytes(b"".join([line(first), *lines[1:]]))
    text = say("show", str(tmp_path / "run"), str(first["id"]))
    assert "\ntrain_loss      █▅▁  3 to 1, epochs 1 to 3\n" in text
    assert "\nvalid_error     █ ▁  0.5 to 0.25, epochs 1 to 3\n" in text


def test_the_log_of_a_candidate(say: Callable[..., str], home: Path) -> None:
    """Its words steer no terminal; the run's digest does not know them."""
    before = say("verify", "toy")
    folder = home / "toy/candidates/2"
    folder.mkdir(parents=True)
    (folder / "log.txt").write_bytes(b"one\n\x1b[31mtwo\xff\n")
    assert say("show", "toy", "2", "--log") == "one\n\\x1b[31mtwo\ufffd\n"
    assert json.loads(say("show", "toy", "2", "--log", "--json"))["log"] == "one\n\x1b[31mtwo\ufffd\n"
    assert say("show", "toy", "3", "--log") == "" and say("verify", "toy") == before
    assert "name it" in say("show", "toy", "--log", code=2)
    assert "has no candidate 99" in say("show", "toy", "99", "--log", code=3)


def test_figures_are_words(say: Callable[..., str]) -> None:
    [figures] = [text for text in say("show", "toy").splitlines() if text.startswith("figures")]
    assert "{" not in figures and re.search(r"figures +step \d+, evaluations \d+, generation \d+, ", figures)
