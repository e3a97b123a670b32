"""`evonas tune` and `evonas search --tune`: what is measured becomes settings of the run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.cli.tune import choose, choose_threads, recorded
from evonas_cli.config.compose import compose
from evonas_cli.core.errors import EvonasError
from evonas_cli.evaluation.division import available_cores
from evonas_cli.evaluation.thread_trials import divisions, side_by_side
from evonas_cli.run.assembly import job_of
from evonas_cli.store.directory import RunDirectory

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SMALL = ("space=hyperparameters", "space.channels=[2,2]", "space.hidden=4", "trainer.nesterov=false")
POOL = ("dataset.limit=200", "trainer.epochs=1", "device=cpu")
SHORT = (*POOL, "evaluator=serial")
ONE = ("trainer.layout=contiguous", "trainer.precision=fp32", "trainer.stack=4")


def test_every_way_is_tried_and_the_fastest_is_named(evonas_here: Run) -> None:
    done = evonas_here("tune", *SMALL, *SHORT, "evaluator.threads=1", "--seconds", "0.05", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    rates = [way["samples_per_second"] for way in document["ways"]]
    assert rates == sorted(rates, reverse=True)
    tried = {tuple(way["overrides"][:1] + way["overrides"][2:]) for way in document["ways"]}
    assert len(tried) == 2 * 4
    assert document["overrides"][:3] in [way["overrides"] for way in document["ways"]]
    assert document["threads"] == [] and not any("evaluator" in word for word in document["overrides"])


def test_threads_are_tried_for_what_was_chosen(evonas_here: Run) -> None:
    done = evonas_here("tune", *SMALL, *POOL, *ONE, "--seconds", "0.05", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    cores = available_cores()
    assert {(way["threads"], way["workers"]) for way in document["threads"]} == (
        set(divisions(cores, several=True)) if cores > 1 else set()
    )
    assert document["overrides"][:3] == list(ONE)


def test_what_is_named_is_not_tried_otherwise(evonas_here: Run) -> None:
    done = evonas_here("tune", *SMALL, *SHORT, *ONE, "evaluator.threads=1", "--seconds", "0.01", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["threads"] == [] and document["overrides"] == list(ONE)


def test_a_tuned_run_keeps_what_was_chosen_and_what_was_given(tmp_path: Path, evonas_here: Run) -> None:
    run = tmp_path / "run"
    words = ("search", *SMALL, *SHORT, "strategy=random", "budget.evaluations=2", "trainer.layout=contiguous")
    words += ("evaluator.threads=1",)
    done = evonas_here(*words, "--tune", "--run-dir", str(run))
    assert done.returncode == 0, done.stderr
    assert "tuned to trainer.precision=" in done.stderr and "trainer.layout" not in done.stderr
    text = (run / "config.yaml").read_text()
    assert "layout: contiguous" in text and "stack: null" not in text and "precision: auto" not in text
    again = evonas_here(*words, "--tune", "--run-dir", str(run), "--resume", "auto")
    assert again.returncode == 0 and "tuned to" not in again.stderr, again.stderr


def test_a_dry_run_measures_nothing(evonas_here: Run) -> None:
    done = evonas_here("search", *SMALL, *SHORT, "strategy=random", "--tune", "--dry-run")
    assert done.returncode == 0 and "tuned to" not in done.stderr


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("job=landscape", "space=bits"), "Landscape has no settings of speed to choose"),
        (("--seconds", "0"), "--seconds is 0.0; it must be above 0"),
    ],
)
def test_what_cannot_be_tuned(words: tuple[str, ...], line: str, evonas_here: Run) -> None:
    done = evonas_here("tune", *words)
    assert done.returncode == 2
    assert line in done.stderr and done.stderr.count("\n") == 1


def test_what_a_run_was_tuned_to_is_read_back(tmp_path: Path, evonas_here: Run) -> None:
    words = ("search", *SMALL, *SHORT, "strategy=random", "budget.evaluations=2", *ONE, "evaluator.threads=2")
    done = evonas_here(*words, "--run-dir", str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    assert set(recorded(RunDirectory(tmp_path / "run"))) == {*ONE, "evaluator.threads=2"}
    resumed = (*words, "--run-dir", str(tmp_path / "run"), "--resume", "auto")
    assert evonas_here(*resumed).returncode == 0
    refused = evonas_here(*resumed, "trainer.graph=false")
    assert refused.returncode == 3 and refused.stderr.count("\n") == 1
    assert "another experiment (trainer.graph" in refused.stderr


def test_a_worker_that_fails_leaves_none_waiting(tmp_path: Path) -> None:
    config = compose(
        [*POOL, "dataset=npz", "dataset.kind=classes", "dataset.layout=image", f"dataset.path={tmp_path / 'none.npz'}"],
        [],
    ).config
    with pytest.raises(EvonasError, match="none.npz"):
        side_by_side(job_of(config), 2, [], 0.01)


@pytest.mark.parametrize(
    ("cores", "pool", "alone"),
    [
        (1, {(1, 1)}, {(1, 1)}),
        (2, {(1, 2), (2, 1)}, {(1, 1), (2, 1)}),
        (3, {(1, 3), (3, 1)}, {(1, 1), (3, 1)}),
        (16, {(1, 16), (2, 8), (16, 1)}, {(1, 1), (2, 1), (16, 1)}),
    ],
)
def test_threads_and_workers_fill_the_cores(
    cores: int, pool: set[tuple[int, int]], alone: set[tuple[int, int]]
) -> None:
    assert set(divisions(cores, several=True)) == pool
    assert set(divisions(cores, several=False)) == alone


def test_more_threads_must_be_clearly_faster() -> None:
    def tried(*rates: float) -> list[dict[str, float]]:
        ways = [{"threads": count, "samples_per_second": rate} for count, rate in zip((1, 2, 8), rates, strict=True)]
        return sorted(ways, key=lambda way: -way["samples_per_second"])

    assert choose_threads([]) == []
    assert choose_threads(tried(100, 120, 50)) == ["evaluator.threads=2"]
    assert choose_threads(tried(100, 50, 109)) == ["evaluator.threads=1"]
    assert choose_threads(tried(100, 0, 0)) == ["evaluator.threads=1"]
    assert choose_threads(tried(0, 10, 0)) == ["evaluator.threads=2"]


def way(precision: str, rate: float, trusted: bool = True) -> dict[str, object]:
    return {"overrides": [f"trainer.precision={precision}"], "samples_per_second": rate, "trusted": trusted}


def test_another_precision_must_be_clearly_faster_and_trusted() -> None:
    assert choose([way("bf16", 120), way("fp32", 100)]) == ["trainer.precision=bf16"]
    assert choose([way("bf16", 104), way("fp32", 100)]) == ["trainer.precision=fp32"]
    assert choose([way("bf16", 300, False), way("fp32", 100)]) == ["trainer.precision=fp32"]
    assert choose([way("bf16", 300)]) == ["trainer.precision=bf16"]


def test_what_is_used_stands_in_the_status(tmp_path: Path, evonas_here: Run) -> None:
    words = (*SMALL, *SHORT, "trainer.layout=auto", "trainer.precision=bf16", "trainer.stack=2", "strategy=random")
    done = evonas_here("search", *words, "budget.evaluations=2", "--run-dir", str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    shown = json.loads((tmp_path / "run/status.json").read_text())["settings"]
    assert shown == {
        "evaluator.threads": 1,
        "trainer.layout": "channels_last",
        "trainer.precision": "bf16",
        "trainer.graph": False,
        "trainer.stack": 2,
        "job.in_flight": 1,
    }


@pytest.mark.parametrize("evaluator", ["serial", "pool"])
def test_what_is_used_instead_is_said_in_one_line(evaluator: str, tmp_path: Path, evonas: Run) -> None:
    words = (*SMALL, *POOL, f"evaluator={evaluator}", "trainer.batch_size=5000", "strategy=random")
    done = evonas("search", *words, "budget.evaluations=2", "--run-dir", str(tmp_path / "run"))
    assert done.returncode == 0 and done.stderr.count("is more than the") == 1, done.stderr
