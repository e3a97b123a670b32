"""A search whose candidates ask nobody whether to stop: the second signal ends it, and so does the end of the grace."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from deaf_search import OWN, SEARCH, begun, started, written

Evonas = Callable[..., subprocess.CompletedProcess[str]]

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.fixture
def search(folder: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """A search in the midst of that candidate, with so many seconds of grace and that evaluator."""
    grace, evaluator = request.param
    place = (f"evaluator={evaluator}", *(("evaluator.workers=2",) if evaluator == "pool" else ()))
    process = begun(folder, *place, "--grace", grace)
    yield process
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The verdict on a search that nobody stopped."""
    folder = written(tmp_path_factory.mktemp("whole"))
    (folder / "free").touch()
    assert started(folder, "search", *SEARCH, "evaluator=serial", "--run-dir", "whole").wait() == 0
    verdict: dict[str, Any] = json.loads(started(folder, "verify", "whole", "--json").communicate()[0])
    assert verdict["ok"] and verdict["complete"] and verdict["evaluations"] == 6
    return verdict


@pytest.fixture
def evonas_there(folder: Path, evonas_here: Evonas, monkeypatch: pytest.MonkeyPatch) -> Evonas:
    """Runs commands in the search's folder, in this process."""
    monkeypatch.syspath_prepend(folder)
    return lambda *words: evonas_here(*words, *OWN)


def goes_on(
    folder: Path, process: subprocess.Popen[str], number: signal.Signals, evonas: Evonas, expected: dict[str, Any]
) -> None:
    """It has ended in order, and ends as a search that nobody stopped."""
    _, said = process.communicate(timeout=60)
    assert process.returncode == CODES[number] and "Traceback" not in said, said
    assert said.splitlines()[-1].startswith("evonas: stopped by ") and "`evonas resume run` goes on" in said
    (folder / "free").touch()
    assert evonas("resume", "run", "--quiet").returncode == 0
    assert json.loads(evonas("verify", "run", "--json").stdout) == expected


@pytest.mark.parametrize("search", [("100", "serial"), ("100", "pool")], indirect=True, ids=["serial", "pool"])
@pytest.mark.parametrize("number", CODES)
def test_the_second_signal_stops_now(
    number: signal.Signals, search: subprocess.Popen[str], folder: Path, evonas_there: Evonas, expected: dict[str, Any]
) -> None:
    assert search.stderr is not None
    search.send_signal(number)
    search.stderr.readline()  # what is awaited
    time.sleep(0.6)  # signals of half a second are one
    assert search.poll() is None
    began = time.monotonic()
    search.send_signal(number)
    search.wait(timeout=60)
    assert time.monotonic() - began < 30, "it waited for its grace"
    goes_on(folder, search, number, evonas_there, expected)


@pytest.mark.parametrize("search", [("1", "serial"), ("1", "pool")], indirect=True, ids=["serial", "pool"])
def test_the_end_of_the_grace_stops(
    search: subprocess.Popen[str], folder: Path, evonas_there: Evonas, expected: dict[str, Any]
) -> None:
    began = time.monotonic()
    search.send_signal(signal.SIGTERM)
    search.wait(timeout=60)
    assert 1 <= time.monotonic() - began < 30
    goes_on(folder, search, signal.SIGTERM, evonas_there, expected)
