"""Derived files that tell of more than the journal holds: found by verify, dropped by repair and by a resume."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.cli.app import run
from evonas_cli.store import recorder

TOY = ("search", "space=bits", "job=landscape", "strategy=genetic", "budget.evaluations=70", "snapshot.every=10")
DERIVED = ("snapshots", "populations", "fronts", "figures.jsonl", "pareto.csv", "status.json")

Say = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, to be copied."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorder, "SNAPSHOT_SHARE", 1e9)
        assert run([*TOY, "--run-dir", str(folder), "--quiet"]) == 0
    return folder


@pytest.fixture
def say(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs words beside a copy of that run, `run`; returns stdout and stderr."""
    monkeypatch.setattr(recorder, "SNAPSHOT_SHARE", 1e9)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished, "run")
    capsys.readouterr()

    def call(*words: str, code: int = 0) -> tuple[str, str]:
        found = run(list(words))
        captured = capsys.readouterr()
        assert found == code, captured
        return captured.out, captured.err

    return call


def forget(*kept: str, lines: int) -> None:
    """Cuts the journal of `run` to so many lines, and removes all that is derived but for what is named."""
    journal = Path("run/journal.jsonl")
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:lines]))
    for name in set(DERIVED) - set(kept):
        path = Path("run") / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("lines", [0, 45])
@pytest.mark.parametrize("name", DERIVED)
def test_verify_names_what_tells_of_more(say: Say, name: str, lines: int) -> None:
    forget(name, lines=lines)
    out, _ = say("verify", "run", code=1)
    problems = out.splitlines()[:-1]
    assert problems and all(name in line for line in problems)
    say("verify", "run", "--repair")
    say("verify", "run")


def test_a_table_with_another_value_is_found(say: Say) -> None:
    table = Path("run/pareto.csv")
    whole = table.read_text()
    for text in ('"', whole.replace(",0.", ",1.", 1), whole.replace("id,valid_error", "id,error")):
        table.write_text(text)
        out, _ = say("verify", "run", code=1)
        assert "run/pareto.csv is not what the journal gives; --repair writes it again" in out
    say("verify", "run", "--repair")
    assert table.read_text() == whole


def test_repair_of_a_lost_journal_says_what_it_did(say: Say) -> None:
    Path("run/journal.jsonl").unlink()
    out, _ = say("verify", "run", code=1)
    assert "it is missing; --repair begins an empty one and drops what was derived from the old one" in out
    _, err = say("verify", "run", "--repair")
    assert err.splitlines() == [
        "evonas: made an empty journal",
        "evonas: wrote status.json again",
        "evonas: dropped snapshots, populations, fronts, figures.jsonl and pareto.csv, "
        "for which the journal holds too little",
    ]
    assert not Path("run/pareto.csv").exists() and not any(Path("run/snapshots").iterdir())
    _, err = say("verify", "run", "--repair")
    assert err == "evonas: wrote status.json again\n"


def test_repair_of_a_whole_journal_writes_everything_again(say: Say) -> None:
    before = Path("run/pareto.csv").read_bytes()
    _, err = say("verify", "run", "--repair")
    names = "snapshots, populations, fronts, figures.jsonl, pareto.csv and status.json"
    assert err == f"evonas: wrote {names} again\n"
    assert Path("run/pareto.csv").read_bytes() == before


def test_snapshots_ahead_of_the_journal_do_not_crowd_out_new_ones(say: Say) -> None:
    assert sorted(path.name for path in Path("run/snapshots").iterdir()) == ["2.json", "3.json"]
    forget("snapshots", lines=15)
    say("resume", "run", "budget.evaluations=40", "--quiet")
    assert sorted(path.name for path in Path("run/snapshots").iterdir()) == ["1.json", "2.json"]
    say("verify", "run")
