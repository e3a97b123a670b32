"""Runs whose candidates fail say why, wherever they are looked at."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import evonas_cli
from evonas_cli.cli.app import run

CONF = Path(evonas_cli.__file__).parents[1] / "conf"

SPACE = """
from evonas_cli.network.plan import PlanError
from evonas_cli.spaces.hyperparameters import Hyperparameters


class Failing(Hyperparameters):
    def decode(self, genome, task):
        if sum(map(float, genome)) > {limit}:
            raise PlanError("too \\x1b[31mlarge")
        raise ValueError("surprising")
"""
REASON = r"unbuildable: too \x1b[31mlarge"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("failed")
    (folder / "conf/space").mkdir(parents=True)
    leaf = (CONF / "space/hyperparameters.yaml").read_text(encoding="utf-8")
    own = leaf.replace("evonas_cli.spaces.hyperparameters.Hyperparameters", "failing_space.Failing")
    assert own != leaf
    (folder / "conf/space/failing.yaml").write_text(own)
    (folder / "failing_space.py").write_text(SPACE.replace("{limit}", "0"))
    return folder


@pytest.fixture
def call(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs words in the folder and returns stdout and stderr together.

    The check before the first training would refuse a space of which nothing can be built.
    """
    monkeypatch.setattr("evonas_cli.run.contracts.check_networks", lambda *_, **__: None)
    monkeypatch.chdir(home)
    monkeypatch.syspath_prepend(str(home))

    def called(code: int, *words: str) -> str:
        assert run([*words, "--allow-module", "failing_space"]) == code, capsys.readouterr().err
        out, error = capsys.readouterr()
        assert "\x1b" not in out + error and "Traceback" not in error
        return out + error

    return called


@pytest.fixture
def failed(call: Callable[..., str]) -> Callable[..., str]:
    """`call` in a folder with a run of which all six candidates failed alike."""
    if not Path("run").exists():
        train = ("trainer.epochs=1", "dataset.limit=100", "evaluator=serial", "device=cpu", "window=1")
        words = ("search", "space=failing", "strategy=random", "budget.evaluations=6", *train, "--run-dir", "run")
        text = call(1, *words, "--config-dir", "conf")
        assert f"evonas: none of the 6 candidates succeeded; most often (6): {REASON}" in text
        assert f"] 6 failed; most often (6): {REASON}" in text
    return call


def test_show_counts_the_reasons(failed: Callable[..., str]) -> None:
    assert f"failed          unbuildable 6\n                6 {REASON}\n" in failed(0, "show", "run")
    document = json.loads(failed(0, "show", "run", "--json"))
    assert document["failures"] == [{"kind": "unbuildable", "text": "too \x1b[31mlarge", "count": 6}]
    assert document["failed"] == {"unbuildable": 6}


@pytest.mark.parametrize(
    ("limit", "reason"), [("0", r"PlanError: too \x1b[31mlarge"), ("1e9", "ValueError: surprising")]
)
def test_a_genome_without_a_network_is_shown_with_its_reason(
    limit: str, reason: str, failed: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "failing_space")
    Path("failing_space.py").write_text(SPACE.replace("{limit}", limit))
    text = failed(0, "show", "run", "0")
    assert text.endswith(f"\nno network: {reason}\n") and "\ngenome          {" in text


def test_a_front_that_is_empty_says_so(failed: Callable[..., str]) -> None:
    assert "evonas: run has no front yet; `evonas show run` says what has failed" in failed(0, "pareto", "run")
    assert "run has no successful evaluation to compare; leave it out" in failed(3, "compare", "run")


def test_spaces_that_do_not_fit_are_refused_by_tune(failed: Callable[..., str]) -> None:
    Path("failing_space.py").write_text(SPACE.replace("{limit}", "1e9"))
    words = ("tune", "space=failing", "strategy=random", "device=cpu", "dataset.limit=100", "--seconds", "0.1")
    reason = "a network of the space cannot be made: ValueError: surprising"
    assert reason in failed(2, *words, "--config-dir", "conf")


def test_there_is_nothing_to_draw(failed: Callable[..., str]) -> None:
    for form, why in (("--front", "has succeeded"), ("--history", "counts (failed, or breaks a constraint)")):
        text = failed(3, "plot", "run", form, "-o", "x.svg")
        assert f"no candidate of run {why}; there is nothing to draw" in text
    assert not Path("x.svg").exists()
