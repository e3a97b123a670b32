"""Searches with inherited weights from the command line: what `show` says of them, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evonas_cli.cli.app import run

SPACE = ("space=layered_cnn", "space.blocks=1", "space.start_blocks=1", "space.start_filters=4", "space.filters=[4]")
DIGITS = ("dataset=digits", "dataset.limit=200", "device=cpu", "evaluator=serial", "trainer.epochs=1")
KEPT = "trainer.save_state=true"


@pytest.mark.parametrize(
    ("strategy", "count", "starts"),
    [
        (("strategy=hill_climbing", "strategy.children=2", "strategy.morphs=2"), 4, {"inherited"}),
        (("strategy=network_morphism", "strategy.neighbours=2", "strategy.coldest=0.5"), 4, {"inherited"}),
        (
            ("strategy=regularized_evolution", "strategy.population_size=2", "strategy.inherit=weights", "window=1"),
            3,
            {"matching"},
        ),
        (
            ("strategy=genetic", "strategy.population_size=2", "strategy.inherit=weights", "strategy.archive=false")
            + ("strategy.crossover=own", "strategy.mutation_probability=1.0"),
            2,
            {"matching"},
        ),
    ],
    ids=["hill_climbing", "network_morphism", "regularized_evolution", "genetic"],
)
def test_show_counts_candidates_that_are_warm_started(
    strategy: tuple[str, ...], count: int, starts: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "run"
    words = [*SPACE, *DIGITS, *strategy, KEPT, "budget.evaluations=5"]
    assert run(["search", *words, "--quiet", "--run-dir", str(root)]) == 0
    entries = [json.loads(line) for line in (root / "journal.jsonl").read_text().splitlines()]
    warm = [entry for entry in entries if "continues" in entry]
    assert len(warm) >= count and {entry["options"]["start"] for entry in warm} == starts
    assert all("inherited" in entry["labels"] for entry in warm if entry["status"] == "ok")
    capsys.readouterr()
    assert run(["show", str(root)]) == 0
    text = f"{len(warm)} of 5 began with inherited weights; their metrics are not those of trainings from scratch"
    assert text in capsys.readouterr().out
    assert run(["show", str(root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warm_started"] == len(warm)
    assert run(["verify", str(root), "--replay"]) == 0


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            (*SPACE, "strategy=hill_climbing", "trainer.save_state=false"),
            "set trainer.save_state=true so that they are kept",
        ),
        ((*SPACE, "strategy=lemonade", KEPT, "objectives=[valid_error]"), "it needs two objectives or more, not 1"),
        ((*SPACE, "strategy=lemonade", KEPT, "strategy.cheap=[weights]"), "strategy.cheap names weights"),
        (
            (*SPACE, "strategy=lemonade", KEPT, "strategy.trained=40"),
            "strategy.trained=40 exceeds strategy.proposed=30",
        ),
        ((*SPACE, "strategy=hill_climbing", KEPT, "strategy.children=0"), "strategy.children must be"),
        ((*SPACE, "strategy=hill_climbing", KEPT, "window=2"), "window"),
        ((*SPACE, "strategy=network_morphism", KEPT, "strategy.coldest=0"), "strategy.coldest must be"),
        (
            (*SPACE, "strategy=network_morphism", "trainer.save_state=false"),
            "set trainer.save_state=true so that they are kept",
        ),
        (("space=nasbench201", "strategy=hill_climbing", KEPT), "spaces that are: layered_cnn"),
        (
            ("space=nasbench201", "strategy=regularized_evolution", "strategy.inherit=weights"),
            "trainer.save_state=true",
        ),
        (("space=layered_cnn", "space.kernels=[4]", "strategy=random"), "space.kernels must be odd"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    words: tuple[str, ...], text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["search", *words, *DIGITS, "--run-dir", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err.strip()
    assert text in said and "Traceback" not in said
