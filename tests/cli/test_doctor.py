"""`evonas doctor`: what it says is what a search then uses, and it leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import torch

from evonas_cli.cli.app import run
from evonas_cli.training.device.setup import gains_by_bf16


def examined(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert run(["doctor", *words, "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_settings_are_those_that_a_search_uses(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = examined(capsys, "device=cpu", "evaluator.workers=3", "evaluator.threads=2", "trainer.stack=4")
    assert list(found) == ["schema", "versions", "processor", "gpus", "disk", "search"]
    assert found["versions"]["torch"] == metadata.version("torch")
    search = found["search"]
    faster = gains_by_bf16(torch.cpu.get_capabilities())
    precision = "bf16 for images, fp32 for others" if faster else "fp32"
    assert (search["device"], search["workers"], search["evaluator.threads"]) == ("cpu", 3, 2)
    assert (search["trainer.stack"], search["trainer.precision"], search["trainer.graph"]) == (4, precision, False)
    assert search["job.in_flight"] == 1
    assert found["disk"]["sync_ms"] > 0 and list(tmp_path.iterdir()) == []
    plain = examined(capsys, "space=chain_landscape", "job=landscape")["search"]
    assert plain["evaluator"] == "serial" and not any(key.startswith("trainer") for key in plain)


def test_people_read_a_line_a_fact(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.fsync", lambda file: (_ for _ in ()).throw(OSError(30, "Read-only file system")))
    assert run(["doctor", "device=cpu", "evaluator=serial"]) == 0
    lines = capsys.readouterr().out.splitlines()
    facts = {line[10:32].strip(): line[32:] for line in lines}
    assert facts["evaluator"] == "serial" and facts["trainer.precision"].startswith(("fp32", "bf16 for images"))
    assert facts["deterministic"] == "yes" and facts["sync_ms"] == "unknown"
    assert list(tmp_path.iterdir()) == []


def test_what_a_search_refuses_is_refused(refused: Callable[..., str]) -> None:
    assert "known:" in refused(2, "doctor", "space=nope")
    assert "device is 'gpu'" in refused(2, "doctor", "device=gpu")


def test_what_a_search_would_refuse_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "space=hyperparameters", "device=cpu", "trainer.graph=true", "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "trainer.graph=true needs a CUDA device" in said.err and said.err.count("\n") == 1
