"""Workers are gone two seconds after their search, by whatever signal it dies, while they work or start."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest
from deaf_search import SEARCH, begun, started, written

SECONDS = 2.0
POOL = ("evaluator=pool", "evaluator.workers=2", "--grace", "0")


def workers(pid: int) -> list[int]:
    """The processes that a search has spawned to evaluate in."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


def alive(pid: int) -> bool:
    """Whether the process is there and no mere entry of the table."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Sends the signal to the search alone. Fails for workers that are there two seconds after its end."""
    left = workers(process.pid)
    assert len(left) == 2
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode != 0
    until = time.monotonic() + SECONDS
    while any(map(alive, left)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(map(alive, left)), f"workers are there {SECONDS} s after their search died by {number.name}"


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT", "SIGABRT", "SIGSEGV", "SIGQUIT"])
def test_workers_that_work(name: str, tmp_path: Path) -> None:
    gone(begun(written(tmp_path), *POOL), signal.Signals[name])


def test_workers_that_start(tmp_path: Path) -> None:
    process = started(written(tmp_path), "search", *SEARCH, *POOL, "--run-dir", "run")
    while process.poll() is None and len(workers(process.pid)) < 2:
        time.sleep(0.001)
    gone(process, signal.SIGKILL)
