"""`evonas clean` names what no run needs, and takes nothing else away."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.store.lock import Lock

Evonas = Callable[..., subprocess.CompletedProcess[str]]
TOY = ("search", "job=landscape", "space=bits", "budget.evaluations=12", "evaluator=serial", "--quiet")


@pytest.fixture
def left(evonas_here: Evonas, tmp_path: Path) -> dict[str, Path]:
    """A finished run with all that can be left over, beside what is needed; the paths by what they are."""
    assert evonas_here(*TOY, "--run-dir", "outputs/run").returncode == 0
    front = json.loads(evonas_here("pareto", "outputs/run", "--json").stdout)["front"]
    best = front[0]["id"]
    other = next(id for id in range(12) if id not in {member["id"] for member in front})
    candidates = tmp_path / "outputs" / "run" / "candidates"
    paths = {
        "empty": candidates / "4" if other != 4 and best != 4 else candidates / "5",
        "checkpoint": candidates / str(other) / "checkpoint.pt",
        "weights": candidates / str(other) / "state.pt",
        "best": candidates / str(best) / "state.pt",
        "in flight": candidates / "12" / "checkpoint.pt",
        "draft": tmp_path / "outputs" / ".evonas-123-aabbccdd",
        "no draft": tmp_path / "outputs" / ".evonas-123-aabbccde",
    }
    for name in ("empty", "draft", "no draft"):
        paths[name].mkdir(parents=True)
    (paths["draft"] / "config.yaml").write_text("seed: 1\n")
    (paths["no draft"] / "notes.txt").write_text("mine")
    for name in ("checkpoint", "weights", "best", "in flight"):
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        paths[name].write_bytes(b"12345")
    return paths


def cleaned(evonas: Evonas, *words: str) -> tuple[dict[str, Any], set[Path]]:
    done = evonas("clean", *words, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    return document, {Path(one["path"]).absolute() for one in document["files"]}


def test_nothing_goes_without_delete(evonas_here: Evonas, left: dict[str, Path]) -> None:
    document, found = cleaned(evonas_here)
    assert found == {left["empty"], left["checkpoint"], left["draft"]}
    assert not document["deleted"] and document["bytes"] == 5 + len("seed: 1\n")
    assert all(path.exists() for path in left.values())
    assert "--delete removes them" in evonas_here("clean").stderr


def test_what_is_needed_stays(evonas_here: Evonas, left: dict[str, Path]) -> None:
    _, found = cleaned(evonas_here, "--delete", "--weights")
    assert found == {left[name] for name in ("empty", "checkpoint", "weights", "draft")}
    assert {name for name, path in left.items() if path.exists()} == {"best", "in flight", "no draft"}
    assert not left["checkpoint"].parent.exists()
    assert cleaned(evonas_here, "--delete", "--weights")[1] == set()
    assert evonas_here("verify", "outputs/run").returncode == 0


def test_a_run_in_use_is_left_alone(evonas_here: Evonas, left: dict[str, Path], tmp_path: Path) -> None:
    lock = Lock(tmp_path / "outputs" / "run" / "lock")
    try:
        done = evonas_here("clean", "outputs/run", "--delete")
    finally:
        lock.release()
    assert done.returncode == 75 and "in use by process" in done.stderr
    assert all(path.exists() for path in left.values())
