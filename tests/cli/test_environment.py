"""What a strategy's bits depend on is recorded with the run, and a resume elsewhere warns."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from evonas_cli import RESULTS
from evonas_cli.cli.app import run

TOY = ("search", "space=chain_landscape", "job=landscape", "window=1", "--quiet", "--run-dir", "run")


@pytest.mark.parametrize("strategy", ["reinforce", "ppo"])
def test_a_policy_that_moves_to_another_machine_is_warned_of(
    strategy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([*TOY, f"strategy={strategy}", "strategy.children=4", "budget.evaluations=8"]) == 0
    metadata = json.loads(Path("run/run.json").read_text())
    here = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
    assert metadata["environment"] == {"strategy_cpu": here, "strategy_torch": torch.__version__}
    assert run(["resume", "run", "budget.evaluations=12", "--quiet"]) == 0
    assert "may differ" not in caplog.text
    metadata["environment"]["strategy_cpu"] = "another"
    Path("run/run.json").write_text(json.dumps(metadata))
    assert run(["resume", "run", "--quiet"]) == 0
    assert "may differ" not in caplog.text  # nothing was left to evaluate
    assert run(["resume", "run", "budget.evaluations=16", "--quiet"]) == 0
    assert f"may differ in their last bits from an uninterrupted run (strategy_cpu: another -> {here})" in caplog.text


def test_a_strategy_of_plain_python_depends_on_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([*TOY, "strategy=random", "budget.evaluations=2"]) == 0
    assert json.loads(Path("run/run.json").read_text())["environment"] == {}


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is there")
def test_a_device_that_is_not_there_is_not_written_down(refused: Callable[..., str]) -> None:
    words = ("search", "dataset.limit=60", "trainer.epochs=1", "budget.evaluations=1", "device=cpu", "evaluator=serial")
    assert run([*words, "strategy=random", "space.channels=2", "--quiet", "--run-dir", "run"]) == 0
    before = Path("run/config.yaml").read_text()
    assert "device=cuda is not there" in refused(4, "resume", "run", "device=cuda", "--quiet")
    assert Path("run/config.yaml").read_text() == before
    fault = "evaluator.devices=[0]: there is no CUDA device 0 (torch sees 0)"
    assert fault in refused(4, "resume", "run", "evaluator=pool", "device=auto", "--devices", "0", "--quiet")
    assert Path("run/config.yaml").read_text() == before
    assert run(["verify", "run", "--replay"]) == 0


@pytest.mark.parametrize("recorded", [None, RESULTS - 1])
def test_code_that_gives_other_results_is_warned_of(
    recorded: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([*TOY, "strategy=random", "budget.evaluations=2"]) == 0
    metadata = json.loads(Path("run/run.json").read_text())
    assert metadata.pop("results") == RESULTS
    Path("run/run.json").write_text(json.dumps(metadata if recorded is None else {**metadata, "results": recorded}))
    assert run(["resume", "run", "budget.evaluations=4", "--quiet"]) == 0
    assert f"may differ in their last bits from an uninterrupted run (results: {recorded} -> {RESULTS})" in caplog.text
