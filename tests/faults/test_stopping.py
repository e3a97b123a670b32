"""Signals at many moments: always one line and the documented code, never a traceback, never death by the signal."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from evonas_cli.cli.stopping import PATIENCE

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
TOY = ("search", "space=bits", "job=landscape", "strategy=genetic", "budget.evaluations=100000", "--run-dir", "run")
PROGRAM = (
    "import sys\n"
    "from evonas_cli import __main__\n"
    "from evonas_cli.cli import stopping\n"
    "stopping.PATIENCE = float(sys.argv.pop(1))\n"
    "leave = stopping.leave_at_once\n"
    "stopping.leave_at_once = lambda: (leave(), print('listening', file=sys.stderr, flush=True))\n"
    "__main__.main()\n"
)


def started(folder: Path, words: Sequence[str], patience: float = PATIENCE) -> subprocess.Popen[str]:
    """The command, from when it begins to listen: what comes before is Python's own start."""
    command = [sys.executable, "-c", PROGRAM, str(patience), *words]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None and process.stderr.readline() == "listening\n"
    return process


def ended(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """The one line that the command ends with. Fails for another code, another line or a traceback."""
    _, error = process.communicate(timeout=60)
    said = [line for line in error.splitlines() if not line.startswith("[")]
    assert process.returncode == CODES[number], (process.returncode, error)
    assert len(said) == 1 and said[0].startswith("evonas: stopped by "), error
    return said[0]


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("moment", [0.0, 0.05, 0.1, 0.15])
def test_at_the_start_nothing_is_left(number: signal.Signals, moment: float, tmp_path: Path) -> None:
    process = started(tmp_path, TOY)
    time.sleep(moment)
    process.send_signal(number)
    said = ended(process, number)
    if not (tmp_path / "run").exists():  # how far a command comes in `moment` depends on the machine
        assert list(tmp_path.iterdir()) == []
    else:
        assert "resume" in said


@pytest.mark.parametrize("seed", range(6))
def test_many_signals_are_one(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    first = rng.choice(list(CODES))
    process = started(tmp_path, TOY)
    time.sleep(rng.uniform(0.2, 2.0))
    process.send_signal(first)
    for _ in range(8):
        time.sleep(rng.uniform(0.0, 0.05))
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(rng.choice(list(CODES)))
    ended(process, first)


def test_signals_to_the_very_end(tmp_path: Path) -> None:
    """Until the process is gone, also while the interpreter ends."""
    process = started(tmp_path, TOY)
    time.sleep(1.0)
    process.send_signal(signal.SIGTERM)
    sender = threading.Thread(target=_send_until_it_ends, args=(process,))
    sender.start()
    ended(process, signal.SIGTERM)
    sender.join()


def _send_until_it_ends(process: subprocess.Popen[str]) -> None:
    while process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        time.sleep(0.002)


def test_nobody_reads_what_the_command_says(tmp_path: Path) -> None:
    """A command that waits for a full pipe ends all the same for who insists: at the third signal, since the first one
    lets what is under way end, and the second one raises."""
    process = started(tmp_path, TOY, patience=0.5)
    time.sleep(3.0)
    for _ in range(3):
        process.send_signal(signal.SIGTERM)
        time.sleep(1.0)
    assert process.wait(timeout=10) == CODES[signal.SIGTERM]
    assert process.stderr is not None
    process.stderr.close()


def test_who_insists_is_obeyed(tmp_path: Path) -> None:
    """A command that does not stop ends at once when the signal comes again after the time of patience."""
    stuck = (
        "import time\nfrom evonas_cli.cli import stopping\n"
        "stopping.PATIENCE = 0.2\nstopping.listen()\n"
        "with stopping.parting(b'parting '):\n"
        "    while True:\n"
        "        try:\n            print('ready', flush=True)\n            time.sleep(60)\n"
        "        except BaseException:\n            continue\n"
    )
    process = subprocess.Popen([sys.executable, "-c", stuck], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    for _ in range(2):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.4)
    said = process.communicate(timeout=10)[1]
    assert said == b"parting evonas: stopped by SIGTERM at once; what was recorded is safe\n"
    assert process.returncode == 143
