"""The first signal lets candidates under way reach an epoch's end, the second does not wait; a script that requeues."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli import stopping
from evonas_cli.core.halting import Clock, StopRequest
from evonas_cli.run.in_flight import InFlight

Evonas = Callable[..., subprocess.CompletedProcess[str]]
SCRIPT = Path(__file__).parents[2] / "scripts" / "search_slurm"
SMALL = ("dataset=digits", "dataset.limit=200", "device=cpu", "space=chain_cnn", "space.filters=[2]", "space.layers=2")
SEARCH = ("search", *SMALL, "strategy=random", "trainer.epochs=6", "budget.evaluations=2", "evaluator=serial", "-q")


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process hears signals as a command does, for the first time."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(stopping, "_since", None)
    monkeypatch.setattr(stopping, "_heard", None)
    stopping.listen()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_training_reaches_its_epochs_end_and_goes_on_from_there(
    listening: None, evonas_here: Evonas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert evonas_here(*SEARCH, "--run-dir", "whole").returncode == 0
    due, asked = Clock.due, list[float]()

    def stopped(self: Clock, seconds: float) -> bool:
        asked.append(seconds)
        if len(asked) == 3:  # before the third epoch
            signal.raise_signal(signal.SIGTERM)
        return due(self, seconds)

    with monkeypatch.context() as patched:
        patched.setattr(Clock, "due", stopped)
        done = evonas_here(*SEARCH, "--run-dir", "run")
    assert done.returncode == 143 and "Traceback" not in done.stderr
    words = "evonas: stopped by SIGTERM; what was recorded is safe, `evonas resume run` goes on (1 training stopped at"
    assert done.stderr.splitlines()[-1] == f"{words} an epoch's end)"
    assert json.loads((tmp_path / "run/status.json").read_text())["state"] == "interrupted"
    assert (tmp_path / "run/candidates/0/checkpoint.pt").exists()
    begun: list[int] = []
    monkeypatch.setattr(InFlight, "report", lambda self, training: begun.append(training.epoch))
    assert evonas_here("resume", "run", "-q").returncode == 0
    assert begun[0] == 3, "it begins with the epoch after the last one"
    verdicts = [json.loads(evonas_here("verify", run, "--json").stdout) for run in ("run", "whole")]
    assert verdicts[0]["complete"] and verdicts[0]["digest"] == verdicts[1]["digest"]


def test_the_second_signal_does_not_wait(listening: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "TOGETHER", 0.05)
    request, said = StopRequest(), list[str]()
    with pytest.raises(KeyboardInterrupt), stopping.graceful(30.0, request, lambda: True, said.append):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)  # taken for the first one
        assert isinstance(request.cause, KeyboardInterrupt)
        assert request.deadline is not None and 29 < request.deadline.grace <= 30
        time.sleep(0.3)
        assert said == ["Ctrl-C"]
        signal.raise_signal(signal.SIGTERM)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0.0


def test_who_does_not_stop_in_time_is_stopped(listening: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "_LATE", 0.0)
    monkeypatch.setattr(stopping, "_UNSAID", 0.01)
    with pytest.raises(stopping.Terminated), stopping.graceful(0.1, StopRequest(), lambda: True, lambda name: None):
        signal.raise_signal(signal.SIGTERM)
        time.sleep(10)


@pytest.mark.parametrize(("grace", "busy"), [(0.0, True), (30.0, False)])
def test_where_nothing_is_awaited_the_first_signal_stops(listening: None, grace: float, busy: bool) -> None:
    request = StopRequest()
    with pytest.raises(stopping.Terminated), stopping.graceful(grace, request, lambda: busy, lambda name: None):
        signal.raise_signal(signal.SIGTERM)
    assert request.cause is None


@pytest.mark.parametrize("seconds", ["-1", "nan", "1e9", "soon"])
def test_a_grace_is_some_seconds(seconds: str, refused: Callable[..., str]) -> None:
    assert "is no number of seconds from 0 to 86400" in refused(2, "search", "--grace", seconds)


SEARCHING = """#!/bin/bash
echo "$*" >>lines
trap 'sleep 0.2; exit 143' TERM
[ -e again ] && exit 0
touch again
sleep 30 & wait
"""


def test_a_slurm_job_queues_itself_again(tmp_path: Path) -> None:
    """Told before its end, it tells the search, waits for it, and goes back to the queue; the next one is done."""
    for name, text in (("evonas", SEARCHING), ("scontrol", '#!/bin/sh\necho "$*" >>requeued\n')):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    environment: dict[str, Any] = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "41"}
    job = subprocess.Popen([SCRIPT, "runs/a b", "seed=3"], cwd=tmp_path, env=environment)
    while not (tmp_path / "again").exists():
        time.sleep(0.01)
    job.send_signal(signal.SIGTERM)
    assert job.wait(timeout=10) == 143 and (tmp_path / "requeued").read_text() == "requeue 41\n"
    assert subprocess.run([SCRIPT, "runs/a b", "seed=3"], cwd=tmp_path, env=environment).returncode == 0
    line = "search --resume auto --run-dir runs/a b --grace 30 --quiet seed=3\n"
    assert (tmp_path / "lines").read_text() == 2 * line and (tmp_path / "requeued").read_text() == "requeue 41\n"
