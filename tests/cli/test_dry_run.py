"""`--dry-run`, and a sweep before its first child, look whether a job's data is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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
