"""`evonas auto` from data to a model: stopped within its search and gone on with; what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from journals import entries

from evonas_cli.auto import shares
from evonas_cli.auto.shares import FINALS, NAIVE, SEARCH, STEPS, TUNE_EVOLVED, TUNE_NAIVE
from evonas_cli.cli import auto as verb
from evonas_cli.run.stored import stored_config
from evonas_cli.store.directory import RunDirectory

Evonas = Callable[..., CompletedProcess[str]]
QUICK = (
    *("--budget", "1h", "--quiet", "device=cpu", "evaluator=serial", "trainer.epochs=2", "trainer.batch_size=16"),
    *("strategy=nsga2", "strategy.population_size=4", "strategy.generations=1"),
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two overlapping clouds in eight dimensions."""
    rng = np.random.default_rng(0)
    y = np.arange(160) % 2
    x = rng.normal(size=(160, 8)).astype(np.float32) + y[:, None]
    np.savez(tmp_path / "clouds.npz", x_train=x, y_train=y)
    return tmp_path / "clouds.npz"


def stopping_after(results: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after so many results of the search."""
    real = verb._carry

    def carry(root: Path, quiet: bool) -> Any:
        plain = real(root, quiet)

        def stopped(step: str, parts: Any, opens: Any) -> None:
            if step != SEARCH:
                return plain(step, parts, opens)
            seen = []

            def watching(watch: Any) -> Any:
                def watched(candidate: Any, result: Any) -> None:
                    watch(candidate, result)
                    seen.append(candidate.id)
                    if len(seen) == results:
                        raise KeyboardInterrupt

                return opens(watched)

            return plain(step, parts, watching)

        return stopped

    monkeypatch.setattr(verb, "_carry", carry)


def test_a_stopped_auto_goes_on_to_its_lines_a_model_and_a_report(
    evonas_here: Evonas, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MOST_TUNINGS", 3)
    monkeypatch.setattr(shares, "MOST_SEEDS", 2)
    with monkeypatch.context() as stopping:
        stopping_after(2, stopping)
        stopped = evonas_here("auto", str(data), *QUICK, "--run-dir", "auto")
    assert stopped.returncode == 130 and "`evonas auto --resume auto` goes on" in stopped.stderr
    before = entries(tmp_path / "auto" / SEARCH)
    assert len(before) == 2 and not (tmp_path / "auto" / TUNE_NAIVE).exists()

    done = evonas_here("auto", "--resume", "auto", "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [line["name"] for line in found["lines"]] == ["naive", "naive, tuned", "evolved", "evolved and tuned"]
    assert entries(tmp_path / "auto" / SEARCH)[:2] == before, "what was recorded stays"
    assert all(len(line["tests"]) == line["seeds"] == 2 for line in found["lines"])
    assert [line["trainings"] for line in found["lines"]] == [1, 3, 4, 7]
    assert found["lines"][1]["valid"] <= found["lines"][0]["valid"], "tuned by validation, never worse"
    assert found["lines"][3]["valid"] <= found["lines"][2]["valid"]
    assert found["test_examples"] == 32, "a fifth of 160"

    state = json.loads((tmp_path / "auto" / "auto.json").read_text())
    kept = found["tuning_kept"]
    unneeded = {FINALS[1]} if "naive" in kept else set()
    unneeded |= {FINALS[3]} if "evolved" in kept else set()
    steps = [step for step in STEPS if step not in unneeded]
    assert list(state["spent"]) == steps, "a network that keeps its settings is trained for both of its lines"
    configs = {step: stored_config(RunDirectory(tmp_path / "auto" / step)) for step in steps}
    assert configs[TUNE_NAIVE]["budget"] == configs[TUNE_EVOLVED]["budget"], "the same time for both"
    assert configs[TUNE_NAIVE]["space"]["network"] is None
    assert configs[TUNE_EVOLVED]["space"]["network"] is not None
    assert not configs[SEARCH]["job"]["test"] and all(configs[step]["job"]["full"] for step in steps[4:])
    noted = [line for path in (tmp_path / "auto").glob("*/test_openings.jsonl") for line in path.open()]
    assert len(noted) == len(steps) - 4, "the test part is read once for each network, at the end"
    assert entries(tmp_path / "auto" / TUNE_NAIVE)[0]["genome"] == entries(tmp_path / "auto" / NAIVE)[0]["genome"]
    assert (tmp_path / "auto/model/plan.json").exists()
    assert "<html" in (tmp_path / "auto/report.html").read_text()[:200]

    other = evonas_here("auto", str(data), *QUICK, "seed=1", "--run-dir", "auto")
    assert other.returncode == 2 and "asked for otherwise" in other.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("clouds.npz", "--budget", "0.5s", "trainer.epochs=2000"),
            "is too small: a training of the plain network takes",
        ),
        (("spirals", "--budget", "0.5s"), "or fewer examples by dataset.n_train"),
        (("scenes", "--budget", "0.5s", "dataset.n_train=40"), "or fewer examples by dataset.n_train"),
        (("clouds.npz", "space=chain_cnn"), "space=mlp reads vectors"),
        (("clouds.npz", "space.width=3"), "has no key width"),
        (("clouds.npz", "objectives=[parameters]"), "parameters comes first"),
        (("table.csv", "--target", "klass"), "table.csv has no column 'klass'"),
        (("copy",), "job=train classifies images"),
        (("clouds.npz", "--budget", "soon"), "--budget is 'soon'"),
        (("--resume", "nowhere", "clouds.npz"), "leave DATA, settings and --run-dir out"),
        ((), "name the data: evonas auto DATA"),
    ],
)
def test_bad_input_is_one_line(
    words: tuple[str, ...], said: str, data: Path, evonas_here: Evonas, tmp_path: Path
) -> None:
    (tmp_path / "table.csv").write_text("a,class\n1,x\n2,y\n")
    done = evonas_here("auto", *words)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "outputs").exists(), "nothing has begun"


def test_a_folder_that_is_no_auto_is_refused(evonas_here: Evonas) -> None:
    done = evonas_here("auto", "--resume", "nowhere")
    assert done.returncode == 3 and "no folder of `evonas auto`" in done.stderr
