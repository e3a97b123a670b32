"""Damaged files: a torn tail heals, a flipped byte is found and named, repair keeps what is good."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import UsageError
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
