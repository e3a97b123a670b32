"""`evonas tune-strategy`: an ordinary run, its check on unseen seeds, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run
from evonas_cli.cli.genes import genes_of
from evonas_cli.cli.tune_strategy import replaced

TASK = ("strategy=regularized_evolution", "space=bits", "space.length=16", "job=landscape", "job.noise=0.05")
GENES = ("--gene", "strategy.population_size=3..20:log", "--gene", "strategy.remove=oldest,worst")
SMALL = ("--inner", "25", "--seeds", "2", "--check-seeds", "2", "--finalists", "2", "--outer", "evaluator=serial")
TUNE = ("tune-strategy", *TASK, *GENES, *SMALL, "--outer", "strategy=regularized_evolution", "--searches", "12")
SECOND = ("--second-task", "space=chain_landscape space.length=5")


def document(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> Any:
    assert run([*words, "--json", "--quiet"]) == 0
    return json.loads(capsys.readouterr().out)


def digest(root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["verify", str(root)]) == 0
    return capsys.readouterr().out.split()[-1]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tuned") / "run"
    assert run([*TUNE, *SECOND, "--run-dir", str(root), "--quiet"]) == 0
    return root


def test_the_run_is_an_ordinary_one_and_the_check_can_be_repeated(
    tuned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = document((*TUNE, *SECOND, "--run-dir", str(tuned), "--resume", "auto"), capsys)
    task, second = again["check"]
    assert again["evaluations"] == 12 and [task["task"], second["task"]] == ["task", "second task"]
    assert len(task["tuned"]["losses"]) == 2 and task["verdict"] in ("better", "worse", "not different")
    assert [word.partition("=")[0] for word in again["overrides"]] == ["strategy.population_size", "strategy.remove"]
    whole = digest(tuned, capsys)
    assert run([*TUNE[:-1], "10", "--run-dir", str(tmp_path / "run"), "--quiet"]) == 0
    assert run(["resume", str(tmp_path / "run"), "budget.evaluations=12", "--quiet"]) == 0
    capsys.readouterr()
    assert digest(tmp_path / "run", capsys) == whole


def test_the_first_candidate_has_the_configured_settings(tuned: Path) -> None:
    first = json.loads((tuned / "journal.jsonl").read_text().splitlines()[0])
    assert first["genome"] == {"population_size": 10, "remove": "oldest"} and first["operator"] == "start"


def test_people_are_shown_a_table_and_the_overrides(tuned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*TUNE, *SECOND, "--run-dir", str(tuned), "--resume", "must", "--quiet"]) == 0
    *_, head, names, task, second, overrides = capsys.readouterr().out.splitlines()
    assert head.startswith("checked on 2 unseen seeds, 25 evaluations each: valid_error (min) of the best candidate")
    assert names.split()[:4] == ["default", "sd", "tuned", "sd"]
    assert task.startswith("task ") and second.startswith("second task ")
    assert overrides.startswith("strategy.population_size=")


def test_genes_are_ranges_and_lists() -> None:
    assert genes_of(["strategy.a=2..9", "strategy.b=1e-3..1:log", "strategy.c=x,true,3", "strategy.d.e=0.5..2"]) == {
        "a": {"low": 2, "high": 9, "log": False, "integer": True},
        "b": {"low": 0.001, "high": 1, "log": True},
        "c": {"options": ["x", True, 3]},
        "d.e": {"low": 0.5, "high": 2, "log": False},
    }


def test_another_option_of_a_group_drops_its_keys() -> None:
    words = ["space=bits", "space.length=9", "job=landscape", "job.noise=0.1"]
    assert replaced(words, ["space=maze", "job.noise=0"]) == ["job=landscape", "space=maze", "job.noise=0"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "space.genes is empty"),
        (["--gene", "population_size=4..9"], "this is no gene of a strategy; write strategy.KEY=LOW..HIGH"),
        (["--gene", "strategy.population_size=9..4"], "the lower end 9 is above the upper end 4"),
        (["--gene", "strategy.population_size=1..9"], "no search can begin with 1: strategy.population_size must be"),
        ([*GENES, "--gene", "strategy.remove=worst,oldest"], "--gene strategy.remove is given twice"),
        (
            [*GENES, "--searches", "9"],
            "--searches is 9: the inner searches of one setting would take more",
        ),
        ([*GENES, "--check-seeds", "1"], "--check-seeds is 1; it must be 2 or more"),
        (
            [*GENES, "--second-task", "budget.evaluations=15"],
            "--second-task: gene population_size: no search can",
        ),
        (
            [*GENES, "--second-task", "job=train space=nasnet"],
            "--second-task: job Train is too slow for inner",
        ),
        ([*GENES, "--outer", "strategy=grid"], "the strategy Grid does not begin with samples"),
    ],
)
def test_bad_input_is_one_line_before_the_first_search(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "run"
    assert run(["tune-strategy", *TASK, *SMALL, *words, "--run-dir", str(root)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and message in said[0]
    assert not root.exists()
