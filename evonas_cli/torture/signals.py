"""Rows in which a search is asked to stop, is stopped, or two processes want the same run."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

from evonas_cli.torture.child import Fault
from evonas_cli.torture.ground import Ground
from evonas_cli.torture.kills import JOURNAL, LOOK, stopped
from evonas_cli.torture.processes import Done
from evonas_cli.torture.row import Differs, Row, holds, same

CODES = {"interrupt": 128 + signal.SIGINT, "terminate": 128 + signal.SIGTERM}
GRACE = 0.5
"""Seconds for which a search stays stopped: nothing in evonas takes a run away from a process by a time."""


def _one_line(ground: Ground, done: Done, code: int) -> None:
    """The documented code, one line beside those of any such search, no traceback. Raises Differs."""
    same(done.code, code, "exit code")
    holds("Traceback" not in done.err, "a traceback")
    said = [line.partition(" by ")[0] for line in done.said if line not in ground.advice]
    same(said, ["evonas: stopped"], "lines")


def _asked(act: str, call: str, of: str, ground: Ground, *others: Fault) -> str:
    number = ground.somewhere() if of == JOURNAL else 1
    run, done = ground.broken(Fault(call, of, act, number), *others)
    _one_line(ground, done, CODES[act])
    if not run.exists():
        return "one line, nothing was left"
    return f"one line, {ground.resume(run)}"


def _again(ground: Ground) -> str:
    """The second time while the search writes its last files."""
    return _asked("interrupt", "write", JOURNAL, ground, Fault("replace", "", "interrupt", follows=True))


def _killed(ground: Ground) -> str:
    run = ground.free()
    faults = [Fault("write", JOURNAL, "terminate", 1), Fault("replace", "", "kill", follows=True)]
    same(ground.carry_out(run, faults=faults).code, -signal.SIGKILL, "exit code")
    return ground.resume(run)


def _twice(ground: Ground) -> str:
    times, refused = ground.kills, 0
    for _ in range(times):
        run = ground.half()
        processes = [ground.begun(run) for _ in range(2)]
        ended = [ground.processes.ended(process) for process in processes]
        codes = sorted(done.code for done in ended)
        holds(codes[0] in (0, 1) and codes[1] in (0, 1, 75), f"exit codes {codes}")
        refused += codes[1] == 75
        ground.compare(run)
    return f"same digest {times} times, {refused} refused with 75"


def _asleep(ground: Ground) -> str:
    run = ground.free()
    process = ground.begun(run, faults=[Fault("write", JOURNAL, "stop", 2)])
    while process.poll() is None and not stopped(process.pid):
        time.sleep(LOOK)
    if process.poll() is not None:
        raise Differs(f"ended with {process.returncode} before it was stopped")
    time.sleep(GRACE)
    second = ground.carry_out(run)
    same(second.code, 75, "exit code of the other resume")
    os.kill(process.pid, signal.SIGCONT)
    ground.processes.ended(process).check()
    return f"the other one refused with 75, {ground.compare(run)}"


_STOPPED = "one line, exit {}; same digest after a resume"
ROWS = (
    Row(
        "Ctrl-C, once",
        "SIGINT in the midst",
        _STOPPED.format(130),
        partial(_asked, "interrupt", "write", JOURNAL),
        1.8,
    ),
    Row("Ctrl-C, twice", "SIGINT in the midst and while it stops", _STOPPED.format(130), _again, 1.8),
    Row(
        "Ctrl-C, at start",
        "SIGINT while the run is made",
        "one line, exit 130; nothing or a run is there",
        partial(_asked, "interrupt", "replace", "config.yaml"),
        1.8,
    ),
    Row(
        "Ctrl-C, saving",
        "SIGINT while a file is replaced",
        _STOPPED.format(130),
        partial(_asked, "interrupt", "replace", "status.json"),
        1.8,
    ),
    Row("SIGTERM", "SIGTERM in the midst", _STOPPED.format(143), partial(_asked, "terminate", "write", JOURNAL), 1.8),
    Row("SIGTERM, SIGKILL", "SIGTERM, then SIGKILL while it stops", "same digest after a resume", _killed, 1.8),
    Row(
        "two resumes",
        "two resumes at once, again and again",
        "one works, one may be refused; same digest",
        _twice,
        1.5,
        kills=True,
    ),
    Row(
        "SIGSTOP",
        f"SIGSTOP for {GRACE} s and more, then another resume",
        "the other one exits 75; same digest",
        _asleep,
        1.8,
    ),
)
