"""Rows that kill processes of a search: at random moments, and when a line or a file is half there."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from evonas_cli.store.directory import RunDirectory
from evonas_cli.torture.child import Fault
from evonas_cli.torture.ground import Ground
from evonas_cli.torture.row import Row, Unable, holds, same
from evonas_cli.torture.warm import Started

JOURNAL = "journal.jsonl"
COLD = 4
"""One kill of so many meets a process of its own with the evaluator of the configuration; the others meet forks."""
ORPHANED = 2.0
"""Seconds in which workers are gone whose search was killed."""
LOOK = 0.002
"""Seconds between two looks at a journal that grows."""


def _coordinator(ground: Ground) -> str:
    kills, finished, run = 0, 0, ground.free()
    for _ in range(20 * ground.kills):
        if kills == ground.kills:
            break
        cold = kills % COLD == 0
        process = ground.begun(run, cold=cold)
        wanted = ground.rng.randint(begun := run.recorded(), ground.count)
        _wait(process, run, wanted)
        longest = (1.0 if wanted == begun else 0.1) * (ground.seconds if cold else ground.forked)
        time.sleep(ground.rng.uniform(0.0, longest))
        if process.poll() is None:
            process.kill()
            kills += 1
        done = ground.processes.ended(process)
        if done.code != -signal.SIGKILL:
            done.check()
            ground.compare(run)
            finished, run = finished + 1, ground.free()
    observed = ground.resume(run)
    return f"{observed} after {kills} kills in {finished + 1} searches"


def _wait(process: Started, run: RunDirectory, lines: int) -> None:
    """Waits until the journal has so many lines or the process is gone."""
    while run.recorded() < lines and process.poll() is None:
        time.sleep(LOOK)


def _wants_workers(ground: Ground) -> None:
    """Raises Unable for a configuration without worker processes."""
    if not ground.parts.config["evaluator"]["_target_"].endswith(".Pool"):
        raise Unable("the configuration has no worker processes (evaluator=pool)")


def _worker(ground: Ground) -> str:
    _wants_workers(ground)
    killed, attempts = 0, 0
    while killed < max(1, ground.kills // 5) and attempts < 5 * ground.kills:
        run, attempts = ground.free(), attempts + 1
        process = ground.begun(run, cold=True)
        _wait(process, run, ground.rng.randint(1, max(1, ground.count // 2)))
        workers = _workers(process.pid)
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(ground.rng.choice(workers), signal.SIGKILL)
                killed += 1
        ground.processes.ended(process).check()
        ground.compare(run)
    holds(killed, "the search was over each time before a worker could be killed")
    return f"same digest after {killed} killed workers"


def _workers(pid: int) -> list[int]:
    """The processes that a search has spawned to evaluate in, not the one that tracks semaphores."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(one) for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]
    except FileNotFoundError:
        return []


def _killed(call: str, of: str, act: str, ground: Ground, number: int) -> str:
    run, done = ground.broken(Fault(call, of, act, number))
    if done.code in (0, 1):
        raise Unable("so short a search has no such moment")
    same(done.code, -signal.SIGKILL, "exit code")
    return ground.resume(run)


def _first(ground: Ground) -> str:
    return _killed("write", JOURNAL, "kill", ground, 1)


def _last(ground: Ground) -> str:
    run = ground.free()
    process = ground.begun(run, faults=[Fault("replace", "pareto.csv", "stop", times=0)])
    while process.poll() is None and (run.recorded() < ground.count or not stopped(process.pid)):
        if stopped(process.pid):
            os.kill(process.pid, signal.SIGCONT)
        time.sleep(LOOK)
    process.kill()
    same(ground.processes.ended(process).code, -signal.SIGKILL, "exit code")
    same(run.recorded(), ground.count, "lines")
    return ground.resume(run)


def stopped(pid: int) -> bool:
    """Whether the process has been stopped by SIGSTOP."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except FileNotFoundError:
        return False


def _append(ground: Ground) -> str:
    return _killed("write", JOURNAL, "kill", ground, ground.somewhere())


def _torn(ground: Ground) -> str:
    return _killed("write", JOURNAL, "half", ground, ground.somewhere())


def _sync(ground: Ground) -> str:
    return _killed("fsync", JOURNAL, "kill", ground, 1)


def _snapshot(ground: Ground) -> str:
    return _killed("replace", "snapshots", "kill", ground, 1)


def _rename(ground: Ground) -> str:
    return _killed("rename", ground.folder.name, "kill", ground, 1)


def _parents(ground: Ground) -> str:
    _wants_workers(ground)
    run = ground.free()
    process = ground.begun(run, cold=True)
    _wait(process, run, 1)
    workers = _workers(process.pid)
    process.kill()
    ground.processes.ended(process)
    if not workers:
        raise Unable("the search was over before it could be killed")
    began = time.monotonic()
    while any(map(_alive, workers)) and time.monotonic() < began + ORPHANED:
        time.sleep(0.01)
    holds(not any(map(_alive, workers)), f"workers are there {ORPHANED:g} s after the search")
    return f"{len(workers)} workers gone after {time.monotonic() - began:.2f} s, {ground.resume(run)}"


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


_SAME = "same digest after a resume"
ROWS = (
    Row(
        "kill -9, coordinator",
        "kill -9 at random moments, a resume after each",
        _SAME,
        _coordinator,
        0.9,
        0.3,
        kills=True,
    ),
    Row(
        "kill -9, worker",
        "kill -9 of a random worker",
        "the search goes on, same digest",
        _worker,
        cold=0.3,
        kills=True,
    ),
    Row("kill -9, no result yet", "kill -9 before the first result is written", _SAME, _first, 1.8),
    Row("kill -9, all results", "kill -9 after the last result, before the last files", _SAME, _last, 1.8),
    Row("kill -9, append", "kill -9 between a result and its line", _SAME, _append, 1.8),
    Row("kill -9, half a line", "kill -9 when half of a line is written", _SAME, _torn, 1.8),
    Row("kill -9, fsync", "kill -9 between write and fsync of the journal", _SAME, _sync, 1.8),
    Row("kill -9, snapshot", "kill -9 between temporary file and rename of a snapshot", _SAME, _snapshot, 1.8),
    Row("kill -9, new run", "kill -9 between the draft of a run and its rename", _SAME, _rename, 1.8),
    Row("kill -9, orphans", "kill -9 while workers train", "no worker 2 s later, same digest", _parents, 0.9, 0.9),
)
