"""What `--dry-run` looks at: whether the data is there, and whether trainings are long enough to learn anything."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evonas_cli.cli.app import run

JOB = """
from pathlib import Path

from evonas_cli.core.errors import UsageError
from evonas_cli.jobs.landscape import Landscape


class Filed(Landscape):
    def __init__(self, space, path: str, noise: float = 0.0):
        super().__init__(space, noise)
        self.path = path

    def check_there(self):
        if not Path(self.path).exists():
            raise UsageError(f"{self.path} not found; pass job.path=FILE")
"""
WORDS = ("space=bits", "strategy=random", "job=filed", "budget.evaluations=2", "--config-dir", "own")
TRUST = ("--allow-module", "filed_job")


@pytest.fixture
def filed(refused: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`refused`, with a job that can look whether a file is there."""
    (tmp_path / "own" / "job").mkdir(parents=True)
    (tmp_path / "own" / "job" / "filed.yaml").write_text(
        "defaults:\n  - override /evaluator@_global_.evaluator: serial\n\n"
        "_target_: filed_job.Filed\npath: ???\n_objectives_: [valid_error]\n"
    )
    (tmp_path / "filed_job.py").write_text(JOB)
    (tmp_path / "there").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    return refused


def test_a_file_that_is_not_there_is_found_without_a_start(filed: Callable[..., str]) -> None:
    words = ("search", *WORDS, *TRUST, "--dry-run")
    assert "gone not found; pass job.path=FILE" in filed(2, *words, "job.path=gone")
    assert run([*words, "job.path=there"]) == 0
    assert run(["config", *WORDS, *TRUST, "job.path=gone"]) == 0


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_sweep_looks_before_its_first_child(filed: Callable[..., str], more: tuple[str, ...]) -> None:
    line = filed(2, "sweep", *WORDS, *TRUST, "job.path=there,gone", *more)
    assert "child 001-path-gone" in line and "gone not found; pass job.path=FILE" in line
    assert not Path("outputs").exists()


def test_a_job_that_cannot_look_is_let_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["search", "space=bits", "job=landscape", "strategy=random", "--dry-run"]) == 0


FEW = "updates of the weights"
MLP = ("dataset=npz", "dataset.path=d.npz", "space=mlp", "space.layers=1", "space.widths=[4]", "strategy=random")


def test_few_updates_of_the_weights_are_told_before_anything_is_trained(
    evonas_here: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    x = np.random.default_rng(0).normal(size=(70, 5)).astype(np.float32)
    np.savez(tmp_path / "d.npz", x_train=x, y_train=np.arange(70) % 2)
    said = "evonas: each training makes only 8 updates of the weights (8 epochs x 1 batch of 50 examples); raise"
    done = evonas_here("search", *MLP, "--dry-run")
    assert done.stderr.count(FEW) == 1 and done.stderr.startswith(said)
    assert FEW not in evonas_here("search", *MLP, "trainer.epochs=100", "--dry-run").stderr
    full = evonas_here("search", *MLP, "job.full=true", "objectives=[train_loss,parameters]", "--dry-run")
    assert "batch of 56 examples" in full.stderr


def test_few_updates_of_the_weights_are_told_once_when_a_search_starts(
    evonas: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    x = np.random.default_rng(0).normal(size=(70, 5)).astype(np.float32)
    np.savez(tmp_path / "d.npz", x_train=x, y_train=np.arange(70) % 2)
    done = evonas("search", *MLP, "budget.evaluations=2", "evaluator.workers=2")
    assert done.returncode == 0 and done.stderr.count(FEW) == 1, done.stderr
    assert done.stderr.index(FEW) < done.stderr.index("candidate 0")


def test_the_default_search_makes_enough_updates(
    evonas_here: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = evonas_here("search", "--dry-run")
    assert done.returncode == 0 and done.stderr == ""


def test_a_warning_of_the_space_is_given_once(caplog: pytest.LogCaptureFixture) -> None:
    words = ["space=neurons", "job=neurons", "dataset=xor", "strategy=neat", "budget.evaluations=300"]
    assert run(["search", *words, "space.functions=[add]", "--dry-run"]) == 0
    assert caplog.text.count("every network is linear") == 1
