"""The space and the strategy that CONTRIBUTING.md shows work as printed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_the_examples_run_beside_ours(evonas: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    shown = dict(
        re.findall(r"^`((?:my|conf)[\w/.]+)`[^\n]*\n\n```(?:python|yaml)\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE)
    )
    assert sorted(shown) == ["conf/space/mlp.yaml", "conf/strategy/hill_climber.yaml", "my_space.py", "my_strategy.py"]
    for name, text in shown.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    trust = ("--config-dir", "conf", "--allow-module", "my_space", "--allow-module", "my_strategy")
    small = ("budget.evaluations=8", "trainer.epochs=1", "dataset.limit=300", "evaluator.workers=1", "device=cpu")
    found = evonas(
        *("search", "space=mlp", "strategy=hill_climber", *small, *trust, "--run-dir", "run", "--quiet"),
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert found.returncode == 0, found.stderr
    verified = evonas("verify", "run", "--json", *trust[2:], env={"PYTHONPATH": str(tmp_path)})
    assert json.loads(verified.stdout)["ok"]
