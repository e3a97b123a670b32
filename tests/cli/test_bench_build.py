"""`evonas bench build`: a table of all networks of a small space, searched as any other table."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run
from evonas_cli.cli.narrate import Silent

SPACE = ("space.layers=1", "space.widths=[0,4]", "space.activations=[relu,tanh]", "space.normalisations=[none]")
SMALL = ("space.dropouts=[0.0]", "dataset=digits", "dataset.limit=100", "trainer.epochs=1", "trainer.batch_size=20")
SETTINGS = (*SPACE, *SMALL)
HERE = ("device=cpu", "evaluator=serial", "--quiet")
BUILD = ("bench", "build", "mlp", *SETTINGS, *HERE, "--seeds", "2")
MEASURED = "seconds"
"""The one column that a repetition of a training changes."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def table(name: str) -> list[dict[str, str]]:
    with gzip.open(name, "rt") as file:
        return list(csv.DictReader(file))


def entries(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name, "journal.jsonl").read_text().splitlines()]


def search_line(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The words of the search that the build prints last."""
    words = capsys.readouterr().out.splitlines()[-1].replace("'", "").split()
    assert words[:2] == ["evonas", "search"]
    return words[1:]


def test_a_table_is_searched_from_end_to_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*BUILD, "-o", "t.csv.gz"]) == 0
    words, rows, trained = search_line(capsys), table("t.csv.gz"), entries("t-run")
    assert [row["arch"] for row in rows] == [json.dumps([w, a, "none", 0.0]) for w in (0, 4) for a in ("relu", "tanh")]
    assert [row["function"] for row in rows] == ["0", "0", "1", "2"], "without a hidden layer no activation counts"
    assert len(trained) == 6 and {len(entry["metrics"]) for entry in trained} == {len(trained[0]["metrics"])}
    by_id = {entry["id"]: entry["metrics"] for entry in trained}
    for row in rows:
        own = [by_id[2 * int(row["function"]) + seed] for seed in (0, 1)]
        for name in ("valid_accuracy", "test_accuracy"):
            assert [float(row[f"{name}_{seed}"]) for seed in (0, 1)] == [metrics[name] for metrics in own]
            assert float(row[name]) == pytest.approx(sum(metrics[name] for metrics in own) / 2)
        assert float(row["parameters_m"]) * 1e6 == pytest.approx(own[0]["parameters"])
        assert float(row["seconds"]) > 0 and row["seeds"] == "2"
    assert not list(Path("t-run").glob("candidates/*/state.pt"))
    assert run([*words, "strategy=grid", "--run-dir", "found", "--quiet"]) == 0
    found = {json.dumps(entry["genome"]): entry["metrics"] for entry in entries("found")}
    for row in rows:
        assert found[row["arch"]]["valid_accuracy"] == pytest.approx(float(row["valid_accuracy"]))
        assert found[row["arch"]]["test_error"] == pytest.approx(1 - float(row["test_accuracy"]))
        assert found[row["arch"]]["parameters"] == round(float(row["parameters_m"]) * 1e6)
        assert found[row["arch"]]["cost"] == pytest.approx(float(row["seconds"]))


def test_an_interrupted_build_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*BUILD, "-o", "whole.csv.gz"]) == 0
    seen: list[int] = []

    def interrupt(self: Silent, candidate: Any, result: Any) -> None:
        seen.append(candidate.id)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Silent, "result", interrupt)
        assert run([*BUILD, "-o", "broken.csv.gz"]) == 130
    assert not Path("broken.csv.gz").exists() and 0 < len(entries("broken-run")) < 6
    assert run([*BUILD, "-o", "broken.csv.gz"]) == 0
    whole, broken = table("whole.csv.gz"), table("broken.csv.gz")
    for row in (*whole, *broken):
        del row[MEASURED]
    assert whole == broken
    before = Path("broken.csv.gz").read_bytes()
    Path("broken.csv.gz").unlink()
    assert run([*BUILD, "-o", "broken.csv.gz"]) == 0
    assert Path("broken.csv.gz").read_bytes() == before, "a run that is done is written again, byte for byte"


def test_a_network_that_fails_is_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*BUILD, "trainer.max_parameters=400", "-o", "t.csv.gz"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "4 genomes, 3 distinct networks, 2 trainings each; 2 over_cap" in lines[-2]
    rows = table("t.csv.gz")
    assert [row["valid_accuracy"] == "failed" for row in rows] == [True, True, False, False]
    words = lines[-1].replace("'", "").split()[1:]
    assert run([*words, "strategy=grid", "--run-dir", "found", "--quiet"]) == 0
    found = {json.dumps(entry["genome"]): entry["status"] for entry in entries("found")}
    assert [found[row["arch"]] for row in rows] == ["failed", "failed", "ok", "ok"]


def test_a_time_budget_ends_a_build_that_goes_on_later(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*BUILD, "budget.seconds=1e-3", "-o", "t.csv"]) == 1
    assert "6 trainings missing, so there is no table yet; the same" in capsys.readouterr().err
    assert not Path("t.csv").exists()
    assert run([*BUILD, "-o", "t.csv"]) == 0
    assert len(Path("t.csv").read_text().splitlines()) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mlp", *SETTINGS), "-o is not given; name the table, -o table.csv.gz"),
        (("mlp", *SETTINGS, "-o", "t.txt"), "-o t.txt: a table ends in .csv.gz or .csv"),
        (("mlp", *SETTINGS, "-o", "here.csv"), "-o here.csv exists; remove it or name another file"),
        (("mlp", *SETTINGS, "-o", "no/t.csv"), "-o no/t.csv: its folder is not there"),
        (("mlp", *SETTINGS, "-o", "t.csv", "--seeds", "0"), "--seeds is 0; it must be 1 or more"),
        (("mlp", *SETTINGS, "-o", "t.csv", "--limit", "2"), "the space has 3 distinct networks (4 genomes), more than"),
        (("nasbench201", "-o", "t.csv", "--limit", "390"), "the space has 15,625 genomes, too many to train all"),
        (("mlp", "job.test=false", "-o", "t.csv"), "job.test=false: the build sets this itself"),
        (("mlp", "strategy=random", "-o", "t.csv"), "strategy=random: the build sets this itself"),
        (("dense", "-o", "t.csv"), "there is no space 'dense'"),
        (("hyperparameters", "-o", "t.csv"), "Hyperparameters is not enumerable: learning_rate"),
    ],
)
def test_refusals(refused: Callable[..., str], words: tuple[str, ...], said: str) -> None:
    Path("here.csv").write_text("")
    assert said in refused(2, "bench", "build", *words)
    assert not list(Path().glob("*-run"))


def test_spaces_that_can_be_built_are_named(refused: Callable[..., str]) -> None:
    said = refused(2, "bench", "build", "codeepneat", "-o", "t.csv")
    known = "backbone, fpn, mlp, nasbench201"
    assert f"is not enumerable: its genomes are no tuples of independent genes; spaces that are: {known}" in said
    assert not {"hyperparameters", "bits", "codeepneat"} & set(said.partition("spaces that are:")[2].split(", "))


def test_other_settings_are_another_build(refused: Callable[..., str]) -> None:
    assert run([*BUILD, "-o", "t.csv"]) == 0
    Path("t.csv").unlink()
    said = refused(3, *BUILD, "trainer.momentum=0.5", "-o", "t.csv")
    assert "another experiment (trainer.momentum: run has 0.9, now 0.5)" in said


def test_data_without_classes(refused: Callable[..., str]) -> None:
    Path("n.csv").write_text("a,b\n" + "".join(f"{n},{n * n}\n" for n in range(40)))
    data = ("dataset=csv", "dataset.path=n.csv", "dataset.target=[b]")
    assert "use job=train with a data set of classes" in refused(2, "bench", "build", "mlp", *data, "-o", "t.csv")
