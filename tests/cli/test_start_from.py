"""`start_from=RUN`: another run's best genomes are the first samples, and the run needs the other one no more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run

BITS = ("search", "job=landscape", "space=bits", "--quiet")
LISTED = f"strategy.genomes=[[{','.join(100 * '0')}]]"
AGING = (*BITS, "strategy=regularized_evolution", "strategy.population_size=6", "budget.evaluations=30", "seed=1")


@pytest.fixture(autouse=True)
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([*BITS, "strategy=random", "budget.evaluations=40", "--run-dir", "source"]) == 0


def journal(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name, "journal.jsonl").read_text().splitlines()]


def best(count: int) -> list[Any]:
    """The genomes of the source's best, each once."""
    ranked = sorted(journal("source"), key=lambda entry: (entry["metrics"]["valid_error"], entry["id"]))
    found: dict[str, Any] = {}
    for entry in ranked:
        found.setdefault(json.dumps(entry["genome"]), entry["genome"])
    return list(found.values())[:count]


def test_the_first_population_is_the_others_best() -> None:
    assert run([*AGING, "start_from=source", "--run-dir", "warm"]) == 0
    entries = journal("warm")
    assert [entry["genome"] for entry in entries[:6]] == best(6)
    assert [entry["operator"] for entry in entries[:6]] == ["start"] * 6
    assert "start" not in {entry["operator"] for entry in entries[6:]}
    assert json.loads(Path("warm/run.json").read_text())["identity"]["start_from.genomes"] == best(6)


@pytest.mark.parametrize("strategy", ["genetic", "nsga2", "hyperband", "random"])
def test_any_strategy_that_begins_with_samples_takes_them(strategy: str) -> None:
    words = [*BITS, f"strategy={strategy}", "budget.evaluations=24", "start_from=source", "start_best=4"]
    if strategy == "hyperband":
        words += ["strategy.least_fidelity=1.0"]
    else:
        words += [] if strategy == "random" else ["strategy.population_size=8"]
    assert run([*words, "--run-dir", "warm"]) == 0
    assert [entry["genome"] for entry in journal("warm")[:4]] == best(4)
    assert [entry["operator"] for entry in journal("warm")].count("start") == 4


def test_a_resumed_run_does_not_read_the_other_one() -> None:
    assert run([*AGING, "start_from=source", "--run-dir", "whole"]) == 0
    short = [word for word in AGING if not word.startswith("budget")]
    assert run([*short, "budget.evaluations=9", "start_from=source", "start_best=6", "--run-dir", "broken"]) == 0
    shutil.rmtree("source")
    assert run(["resume", "broken", "budget.evaluations=30", "--quiet"]) == 0
    kept = ("id", "genome", "operator", "parents", "metrics")
    rows = [[[entry[key] for key in kept] for entry in journal(name)] for name in ("whole", "broken")]
    assert rows[0] == rows[1]
    assert run(["verify", "broken"]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("space=chain_landscape",), "start_from=source is a run on the space Bits, not ChainLandscape"),
        (("space.length=9",), "is no genome of Bits with these settings"),
        (("start_from=elsewhere",), "start_from: no run 'elsewhere'"),
        (("strategy=evograd", "space=parabola"), "is a run on the space Bits, not Parabola"),
        (("strategy=listed", LISTED), "the strategy Listed does not begin with samples of its space"),
        (("start_best=0",), "start_best is 0; it must be 1 or more, or null"),
    ],
)
def test_what_cannot_start_a_run_is_refused_in_one_line(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    keys = {word.partition("=")[0] for word in words}
    given = [word for word in (*BITS, "strategy=random", "start_from=source") if word.partition("=")[0] not in keys]
    assert run([*given, *words, "--run-dir", "warm"]) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1
    assert not Path("warm").exists()
