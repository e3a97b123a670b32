"""The space, the operation, the strategy and the job that CONTRIBUTING.md shows work as printed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")


Run = Callable[..., subprocess.CompletedProcess[str]]
FILES = (
    *(
        "conf/job/activations.yaml",
        "conf/space/dense.yaml",
        "conf/space/scaled.yaml",
        "conf/strategy/hill_climber.yaml",
    ),
    *("my_job.py", "my_scale.py", "my_scaled_space.py", "my_space.py", "my_strategy.py"),
)
SMALL = ("budget.evaluations=8", "trainer.epochs=1", "dataset.limit=300", "evaluator.workers=1", "device=cpu")


def write_shown(folder: Path) -> None:
    """All files that CONTRIBUTING.md shows."""
    shown = dict(
        re.findall(r"^`((?:my|conf)[\w/.]+)`[^\n]*\n\n```(?:python|yaml)\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE)
    )
    assert tuple(sorted(shown)) == FILES
    for name, text in shown.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_the_examples_run_beside_ours(evonas: Run, tmp_path: Path) -> None:
    write_shown(tmp_path)
    trust = ("--config-dir", "conf", "--allow-module", "my_space", "--allow-module", "my_strategy")
    found = evonas(
        *("search", "space=dense", "strategy=hill_climber", *SMALL, *trust, "--run-dir", "run", "--quiet"),
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert found.returncode == 0, found.stderr
    verified = evonas("verify", "run", "--json", *trust[2:], env={"PYTHONPATH": str(tmp_path)})
    assert json.loads(verified.stdout)["ok"]


def test_the_operation_is_trained_in_stacks(evonas: Run, tmp_path: Path) -> None:
    write_shown(tmp_path)
    (command,) = re.findall(r"^evonas (search space=scaled .*)$", TEXT, re.MULTILINE)
    grid = ("space.layers=1", "space.widths=[16]", "strategy=random", "strategy.batch=4", "budget.evaluations=4")
    found = evonas(
        *command.split(),
        *SMALL[1:],
        *grid,
        "trainer.save_state=true",
        "--run-dir",
        "run",
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert found.returncode == 0, found.stderr
    records = [json.loads(line) for line in (tmp_path / "run" / "journal.jsonl").read_text().splitlines()]
    labels = [record["labels"]["stack"] for record in records if "labels" in record]
    assert sorted(labels) == ["0/2", "0/2", "1/2", "1/2"]
    parameters = 64 * 16 + 16 + 16 + 16 * 10 + 10
    assert all(record["metrics"]["parameters"] == parameters for record in records if "labels" in record)
    trust, env = ("--allow-module", "my_scaled_space"), {"PYTHONPATH": str(tmp_path)}
    verified = evonas("verify", "run", "--json", *trust, env=env)
    assert json.loads(verified.stdout)["ok"]
    exported = evonas("export", "run", "--format", "py", "-o", "model", *trust, env=env)
    assert exported.returncode == 0, exported.stderr
    text = (tmp_path / "model" / "model.py").read_text()
    assert "self.layer_scale1 = Scale(16, 0.5)" in text and "class Scale(nn.Module):" in text


def test_the_job_counts_in_workers(evonas: Run, tmp_path: Path) -> None:
    write_shown(tmp_path)
    (command,) = re.findall(r"^evonas (search job=activations .*\n.*)$", TEXT, re.MULTILINE)
    small = ("space.layers=1", "space.widths=[16]", "budget.evaluations=2", "evaluator.workers=1", "--run-dir", "run")
    found = evonas(*command.replace("\\\n", " ").split(), *small, env={"PYTHONPATH": str(tmp_path)})
    assert found.returncode == 0, found.stderr
    records = [json.loads(line) for line in (tmp_path / "run" / "journal.jsonl").read_text().splitlines()]
    assert [record["metrics"] for record in records if "id" in record] == [{"activations": 64 + 64 + 16 + 16 + 10}] * 2
