"""A sweep that is killed or stopped takes its searches along, and `sweep resume` ends as if nothing had happened.

EVONAS_KILLS sets the kills (default 1).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run
from evonas_cli.sweep.folder import find

KILLS = int(os.environ.get("EVONAS_KILLS", "1"))
EVONAS = (sys.executable, "-m", "evonas_cli")
TRUST = ("--allow-module", "slow_job")
SWEEP = ("space=chain_landscape", "job=slow", "budget.evaluations=40", "strategy=regularized_evolution",
         "seed=0,1,2", "--config-dir", "own", *TRUST, "--jobs", "2")  # fmt: skip
N_CHILDREN, N_EVALUATIONS = 3, 40
SLOW = """
import time

from evonas_cli.jobs.landscape import Landscape


class Slow(Landscape):
    def evaluate(self, unit, context):
        time.sleep(0.01)
        yield from super().evaluate(unit, context)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a job whose evaluations take a while, and the sweep `whole` that ran undisturbed."""
    folder = tmp_path_factory.mktemp("sweeps")
    (folder / "slow_job.py").write_text(SLOW)
    (folder / "own/job").mkdir(parents=True)
    text = "defaults:\n  - override /evaluator@_global_.evaluator: serial\n_target_: slow_job.Slow\nnoise: 0.01\n"
    (folder / "own/job/slow.yaml").write_text(f"{text}_objectives_: [valid_error]\n")
    subprocess.run([*EVONAS, "sweep", *SWEEP, "--name", "whole"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def expected(home: Path) -> list[str]:
    """The digests of the undisturbed sweep, all different."""
    found = digests(home, "whole")
    assert len(set(found)) == N_CHILDREN
    return found


def start(home: Path, *words: str) -> subprocess.Popen[str]:
    command = [*EVONAS, "sweep", *words]
    return subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def journals(sweep: Path) -> list[Path]:
    """The journals of the children that have begun; a folder with a dot is a draft, which vanishes when it is done."""
    return list(sweep.glob("[!.]*/journal.jsonl"))


def recorded(sweep: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in journals(sweep))


def wait_for(sweep: Path, process: subprocess.Popen[str], n_evaluations: int) -> None:
    """Waits until the children have recorded so many evaluations together."""
    limit = time.monotonic() + 60
    while recorded(sweep) < n_evaluations and time.monotonic() < limit:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def wait_for_one_midway(sweep: Path, process: subprocess.Popen[str]) -> None:
    """Waits until some child has recorded something but is far from its end."""
    while not any(0 < path.read_bytes().count(b"\n") < N_EVALUATIONS // 2 for path in journals(sweep)):
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def descendants(pid: int) -> list[int]:
    try:
        found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
    return [*found, *(below for child in found for below in descendants(child))]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


def all_gone(pids: list[int], seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < limit:
        time.sleep(0.02)
    return not any(map(alive, pids))


def status(home: Path, name: str) -> dict[str, Any]:
    """What `evonas sweep status --json` prints."""
    sweep = find(name, home / "outputs")
    return sweep.document([sweep.standing(child) for child in sweep.manifest().children])


def digests(home: Path, name: str) -> list[str]:
    """The digests of the children of a sweep, each of which must verify."""
    runs = [str(path.parent) for path in sorted(home.glob(f"outputs/sweep-{name}/*/run.json"))]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as out:
        patch.syspath_prepend(home)
        assert all(run(["verify", path, "--json", *TRUST]) == 0 for path in runs)
    verdicts = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(verdicts) == N_CHILDREN
    assert all(v["ok"] and v["complete"] and v["evaluations"] == N_EVALUATIONS for v in verdicts)
    return [verdict["digest"] for verdict in verdicts]


def test_killed_at_random_moments_it_ends_the_same(home: Path, expected: list[str]) -> None:
    rng, sweep = random.Random(f"sweep-{time.time_ns()}"), home / "outputs/sweep-killed"
    words: tuple[str, ...] = (*SWEEP, "--name", "killed")
    for _ in range(KILLS):
        process = start(home, *words)
        so_far = recorded(sweep)
        wait_for(sweep, process, rng.randint(so_far + 1, min(so_far + 60, N_CHILDREN * N_EVALUATIONS - 10)))
        below = descendants(process.pid)
        process.kill()
        process.communicate()
        assert below and all_gone(below, 5)
        document = status(home, "killed")
        assert not document["active"] and set(document["states"]) <= {"done", "interrupted", "waiting"}
        words = ("resume", "killed", "--jobs", "2", *TRUST)
        if recorded(sweep) > N_CHILDREN * N_EVALUATIONS - 20:
            break
    process = start(home, *words)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out.splitlines()[-1] == "outputs/sweep-killed" and "3 done; 120 evaluations" in out
    assert digests(home, "killed") == expected


def test_nothing_outlives_a_killed_sweep(home: Path) -> None:
    sweep = home / "outputs/sweep-long"
    long = [word.replace("evaluations=40", "evaluations=100000") for word in SWEEP]
    process = start(home, *long, "--name", "long", "evaluator=pool", "evaluator.workers=2")
    wait_for(sweep, process, 5)
    below = descendants(process.pid)
    assert len(below) >= 4
    process.kill()
    gone = all_gone(below, 20)
    for pid in filter(alive, below):
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    assert gone


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_it_stops_its_children_and_goes_on(
    number: signal.Signals, code: int, home: Path, expected: list[str]
) -> None:
    name = f"stopped-{code}"
    sweep = home / f"outputs/sweep-{name}"
    process = start(home, *SWEEP, "--name", name)
    wait_for(sweep, process, 5)
    process.send_signal(signal.SIGSTOP)  # so that it cannot end meanwhile
    second = subprocess.run([*EVONAS, "sweep", "resume", name, *TRUST], cwd=home, capture_output=True, text=True)
    assert second.returncode == 75 and f"in use by process {process.pid}" in second.stderr
    process.send_signal(signal.SIGCONT)
    wait_for_one_midway(sweep, process)
    below = descendants(process.pid)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code and "Traceback" not in err
    assert f"`evonas sweep resume {name}` goes on" in err
    assert below and not any(map(alive, below))
    document = status(home, name)
    begun = [child for child in document["children"] if child["state"] == "interrupted"]
    assert begun and set(document["states"]) <= {"done", "interrupted", "waiting"}
    for child in begun:
        written = json.loads((Path(child["run"]) / "status.json").read_text())
        assert written["state"] == "interrupted" and written["process"] in below
    subprocess.run([*EVONAS, "sweep", "resume", name, "--jobs", "2", *TRUST], cwd=home, check=True, capture_output=True)
    assert digests(home, name) == expected
