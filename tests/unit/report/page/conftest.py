"""Runs made by hand: a real run of one evaluation whose journal is written anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run
from evonas_cli.report.reading import Reading, read_run
from evonas_cli.store.journal import line

Made = Callable[..., Reading]
SEARCHES = {
    "bits": ("space=bits", "space.length=8", "job=landscape", "strategy=random", "strategy.batch=1"),
    "cells": ("space=nasbench201", "dataset=digits", "job=size", "strategy=random", "strategy.batch=1")
    + ("objectives=[parameters,depth]",),
    "bounded": ("space=bits", "space.length=8", "job=landscape", "strategy=random", "strategy.batch=1")
    + ('constraints={valid_error: "<= 0.8"}',),
}


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A finished run of one evaluation, made once for each kind."""
    found: dict[str, Path] = {}

    def base(kind: str) -> Path:
        if kind not in found:
            root = tmp_path_factory.mktemp(kind) / "run"
            assert run(["search", "-q", *SEARCHES[kind], "budget.evaluations=1", "--run-dir", str(root)]) == 0
            found[kind] = root
        return found[kind]

    return base


@pytest.fixture
def made(bases: Callable[[str], Path], tmp_path: Path) -> Made:
    """A run of a kind whose journal has these entries; what an entry leaves out is filled in."""

    def make(entries: Sequence[dict[str, Any]], kind: str = "bits", name: str = "run") -> Reading:
        root = tmp_path / name
        shutil.copytree(bases(kind), root)
        whole = [candidate(id, **given) for id, given in enumerate(entries)]
        (root / "journal.jsonl").write_bytes(b"".join(map(line, whole)))
        return read_run(str(root), tmp_path, [])

    return make


def candidate(id: int, **given: Any) -> dict[str, Any]:
    """A journal entry of a success; `error` is the kind of a failure, `valid_error` stands for the metrics."""
    entry: dict[str, Any] = {"id": id, "step": id, "seed": id, "genome": [id >> k & 1 for k in range(8)]}
    entry |= {"operator": "sample", "parents": [], "status": "ok", "metrics": {}, "seconds": 1.0, "elapsed": float(id)}
    if "valid_error" in given:
        entry["metrics"] = {"valid_error": given.pop("valid_error"), "true_error": 0.0, "cost": 1.0}
    if "error" in given:
        kind, _, text = given.pop("error").partition(": ")
        entry |= {"status": "failed", "error": {"kind": kind, "text": text}}
    return entry | given
