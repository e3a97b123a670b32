"""Damaged files: a torn tail heals, a flipped byte is found and named, repair keeps what is good."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.search import search
from evonas_cli.run.session import create, reopen
from evonas_cli.run.stored import config_yaml
from evonas_cli.run.verify import repair, verify
from evonas_cli.store.directory import RunDirectory

OVERRIDES = (
    *("job=landscape", "space=chain_landscape"),
    *("strategy=regularized_evolution", "strategy.population_size=4"),
    "budget.evaluations=12",
    "snapshot.every=5",
    "window=3",
)


@pytest.fixture(scope="module")
def parts() -> Parts:
    return assemble(compose(OVERRIDES).config)


def finish(session: Any) -> None:
    try:
        search(session.fold, session.evaluator, session.recorder)
        session.recorder.finish(session.fold, "done")
    finally:
        session.close()


@pytest.fixture
def run(parts: Parts, tmp_path: Path) -> RunDirectory:
    made = RunDirectory(tmp_path / "run")
    finish(create(made, parts, {}, lambda candidate, result: None, ["search"]))
    return made


def resume(run: RunDirectory, parts: Parts) -> None:
    finish(reopen(run, parts, lambda candidate, result: None))


def test_the_journal_cut_at_every_byte_of_its_last_line_heals(run: RunDirectory, parts: Parts) -> None:
    expected, whole = verify(run, parts), run.journal.read_bytes()
    assert expected.ok and expected.complete
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(last, len(whole)):
        run.journal.write_bytes(whole[:cut])
        resume(run, parts)
        verdict = verify(run, parts)
        assert (verdict.digest, verdict.evaluations, verdict.problems) == (expected.digest, 12, []), cut


def test_the_journal_cut_anywhere_heals_when_snapshots_are_ahead(run: RunDirectory, parts: Parts) -> None:
    expected, whole = verify(run, parts), run.journal.read_bytes()
    for cut in range(0, len(whole), 97):
        run.journal.write_bytes(whole[:cut])
        resume(run, parts)
        verdict = verify(run, parts)
        assert (verdict.digest, verdict.problems) == (expected.digest, []), cut


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.99])
@pytest.mark.parametrize("number", [1, 5, 11])
def test_a_flipped_byte_in_a_middle_line_is_refused_with_its_number(
    run: RunDirectory, parts: Parts, number: int, place: float
) -> None:
    expected = verify(run, parts)
    lines = run.journal.read_bytes().splitlines(keepends=True)
    middle = bytearray(lines[number - 1])
    at = int(place * (len(middle) - 2))
    middle[at] ^= 0x20
    run.journal.write_bytes(b"".join([*lines[: number - 1], bytes(middle), *lines[number:]]))
    with pytest.raises(RunError, match=f"line {number} is damaged") as caught:
        reopen(run, parts, lambda candidate, result: None)
    assert caught.value.exit_code == 3 and "--repair" in str(caught.value)
    verdict = verify(run, parts)
    assert not verdict.ok and f"line {number} is damaged" in verdict.problems[0]

    repair(run, parts)
    assert (run.root / "journal.damaged.jsonl").exists()
    resume(run, parts)
    assert (verify(run, parts).digest, verify(run, parts).problems) == (expected.digest, [])


def test_damaged_snapshots_are_passed_over(run: RunDirectory, parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    expected = verify(run, parts)
    for path in run.snapshots.glob("*.json"):
        path.write_bytes(path.read_bytes().replace(b"1", b"2"))
    lines = run.journal.read_bytes().splitlines(keepends=True)
    run.journal.write_bytes(b"".join(lines[:-2]))
    resume(run, parts)
    assert "is damaged and is not used" in caplog.text
    assert verify(run, parts).digest == expected.digest


def test_a_changed_derived_file_is_found_and_repaired(run: RunDirectory, parts: Parts) -> None:
    path = sorted((run.root / "populations").glob("*.json"))[0]
    document = json.loads(path.read_text())
    document["population"][0]["metrics"]["valid_error"] += 1e-9
    path.write_text(json.dumps(document))
    verdict = verify(run, parts)
    assert not verdict.ok and path.name in verdict.problems[0]
    repair(run, parts)
    assert verify(run, parts).ok


def test_a_changed_result_is_found(run: RunDirectory, parts: Parts) -> None:
    from evonas_cli.store.journal import line, parse

    lines = run.journal.read_bytes().splitlines(keepends=True)
    entry = parse(lines[2])
    assert entry is not None
    entry.pop("crc", None)
    entry["genome"] = [entry["genome"][0], *entry["genome"][:-1]]
    run.journal.write_bytes(b"".join([*lines[:2], line(entry), *lines[3:]]))
    assert not verify(run, parts).ok


def test_a_second_process_on_the_run_is_refused_with_75(
    evonas: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    words = ["search", "space=bits", "job=landscape", "strategy=random", "window=1"]
    long = [*words, "budget.evaluations=null", "budget.seconds=20", "--run-dir", "run"]
    first = subprocess.Popen(
        [sys.executable, "-m", "evonas_cli", *long], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not (tmp_path / "run" / "journal.jsonl").exists() or not (tmp_path / "run" / "lock").exists():
            assert first.poll() is None
            time.sleep(0.05)
        second = evonas("resume", "run")
    finally:
        first.kill()
        first.wait()
    assert second.returncode == 75
    assert f"in use by process {first.pid}" in second.stderr


def test_a_full_disk_records_nothing_and_stops_with_4(
    evonas_here: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    if not Path("/dev/full").exists() or not shutil.which("bash"):
        pytest.skip("needs bash and a file size limit")
    search = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=1000", "--run-dir")
    limited = f"ulimit -f 40; exec {sys.executable} -m evonas_cli {' '.join(search)} run"
    python = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
    code = f"{python}; import subprocess, sys; sys.exit(subprocess.call(['bash', '-c', {limited!r}]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 4, done.stderr
    assert "cannot write" in done.stderr and "Traceback" not in done.stderr
    assert 0 < (tmp_path / "run/journal.jsonl").read_bytes().count(b"\n") < 1000
    assert evonas_here(*search, "run", "--resume", "must").returncode == 0
    assert evonas_here(*search, "whole").returncode == 0
    digests = [json.loads(evonas_here("verify", name, "--json").stdout)["digest"] for name in ("run", "whole")]
    assert digests[0] == digests[1]


@pytest.mark.parametrize("window", [1, 3])
def test_a_batch_that_the_budget_cuts_is_sound_and_is_completed_by_a_larger_one(tmp_path: Path, window: int) -> None:
    base = ("space=bits", "job=landscape", "strategy=genetic", "strategy.population_size=6", "snapshot.every=3")
    run = RunDirectory(tmp_path / "run")
    for budget in (7, 12, 13, 18, 31):
        grown = assemble(compose([*base, f"window={window}", f"budget.evaluations={budget}"]).config)
        if budget == 7:
            finish(create(run, grown, {}, lambda candidate, result: None, ["search"]))
        else:
            resume(run, grown)
        verdict = verify(run, grown)
        assert verdict.problems == [] and verdict.complete and verdict.evaluations == budget
    fresh = RunDirectory(tmp_path / "fresh")
    finish(create(fresh, grown, {}, lambda candidate, result: None, ["search"]))
    assert verify(fresh, grown).digest == verdict.digest


@pytest.mark.parametrize("broken", [True, False])
@pytest.mark.parametrize(
    ("window", "before", "after"),
    [
        (1, ("budget.evaluations=20",), ("budget.evaluations=35",)),
        (3, ("budget.evaluations=20",), ("budget.evaluations=35",)),
        (3, ("budget.evaluations=null", "budget.cost=20.5"), ("budget.evaluations=null", "budget.cost=35")),
    ],
)
def test_a_run_reopened_under_a_longer_budget_and_killed_at_once_is_sound(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    window: int,
    before: tuple[str, ...],
    after: tuple[str, ...],
    broken: bool,
) -> None:
    """Killed right before (`broken`) or right after the longer budget is written."""
    base = ("space=bits", "job=landscape", "strategy=genetic", "strategy.population_size=6", "snapshot.every=3")
    short, long = (assemble(compose([*base, f"window={window}", *budget]).config) for budget in (before, after))
    run = RunDirectory(tmp_path / "run")
    finish(create(run, short, {}, lambda candidate, result: None, ["search"]))
    assert verify(run, short).problems == []
    if broken:
        monkeypatch.setattr("evonas_cli.run.session.write_text", lambda *args, **options: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            reopen(run, long, lambda candidate, result: None)
        monkeypatch.undo()
        assert verify(run, short).problems == []
    else:
        reopen(run, long, lambda candidate, result: None).close()
        assert run.config_text() == config_yaml(long.config)
        assert verify(run, long).problems == []
    resume(run, long)
    assert verify(run, long).problems == [] and verify(run, long).complete


TOY = ("space=bits", "job=landscape", "snapshot.every=1", "window=1")


def toy(*more: str) -> Parts:
    return assemble(compose([*TOY, *more]).config)


def test_a_larger_cost_continues_what_a_smaller_one_ended(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    evolution = ("strategy=regularized_evolution", "budget.evaluations=null")
    finish(create(run, toy(*evolution, "budget.cost=43.5"), {}, lambda candidate, result: None, ["search"]))
    assert verify(run, toy(*evolution, "budget.cost=43.5")).evaluations == 44
    grown = toy(*evolution, "budget.cost=80")
    resume(run, grown)
    fresh = RunDirectory(tmp_path / "fresh")
    finish(create(fresh, grown, {}, lambda candidate, result: None, ["search"]))
    assert verify(run, grown).document() == verify(fresh, grown).document()
    assert verify(run, grown).evaluations == 80


@pytest.mark.parametrize(
    ("first", "second"),
    [("budget.cost=50", "budget.cost=20"), ("budget.evaluations=50", "budget.evaluations=20")],
)
def test_a_budget_below_what_is_used_is_refused(tmp_path: Path, first: str, second: str) -> None:
    run, base = RunDirectory(tmp_path / "run"), ("strategy=random",)
    other = ("budget.evaluations=null",) if "cost" in first else ()
    finish(create(run, toy(*base, *other, first), {}, lambda candidate, result: None, ["search"]))
    before = run.config_text()
    with pytest.raises(UsageError, match="is less than the 5[01] that .* has used"):
        reopen(run, toy(*base, *other, second), lambda candidate, result: None)
    assert run.config_text() == before


def test_a_run_that_its_seconds_ended_keeps_everything_when_resumed(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "run")
    parts = toy("strategy=random", "budget.evaluations=null", "budget.seconds=0.3")
    session = create(run, parts, {}, lambda candidate, result: None, ["search"])
    search(session.fold, session.evaluator, session.recorder, session.deadline)
    session.recorder.finish(session.fold, "done")
    session.close()
    expected = verify(run, parts)
    for _ in range(2):
        for folder in (run.snapshots, run.root / "populations"):
            for path in folder.glob("*.json"):
                path.unlink()
        session = reopen(run, parts, lambda candidate, result: None)
        search(session.fold, session.evaluator, session.recorder, session.deadline)
        assert session.fold.front.members
        session.recorder.finish(session.fold, "done")
        session.close()
        assert verify(run, parts).document() == expected.document()


def test_whole_numbers_are_objectives_too(tmp_path: Path) -> None:
    """Losses that are integers in JSON survive snapshots of every strategy."""
    run = RunDirectory(tmp_path / "run")
    parts = toy("strategy=genetic", "objectives=[cost,valid_error]", "budget.evaluations=60")
    finish(create(run, parts, {}, lambda candidate, result: None, ["search"]))
    assert verify(run, parts).problems == []
