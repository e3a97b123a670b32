"""Ctrl-C and SIGTERM while a process is started are heard afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from evonas_cli.evaluation.interrupts import deferred


@pytest.mark.parametrize("elsewhere", [False, True])
def test_it_takes_effect_at_the_end(elsewhere: bool) -> None:
    done, heard = [], signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), deferred():
        sender = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT))
        _ = (sender.start(), sender.join()) if elsewhere else os.kill(os.getpid(), signal.SIGINT)
        done.append(sum(range(10_000)))
    assert done and signal.getsignal(signal.SIGINT) is heard
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())


def test_the_first_of_several_counts() -> None:
    def stop(number: int, frame: object) -> None:
        raise SystemExit(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with pytest.raises(SystemExit, match=str(int(signal.SIGTERM))), deferred():
            os.kill(os.getpid(), signal.SIGTERM)
            done = sum(range(10_000))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert done


def test_nothing_happens_without() -> None:
    with deferred():
        pass


def test_processes_started_meanwhile_do_not_hear_it() -> None:
    program = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('lives')"
    with deferred():
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "lives\n"
