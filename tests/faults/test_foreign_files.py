"""Derived files of another run, or of another version, decide nothing: the journal alone does."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.cli.app import run
from evonas_cli.core.fold import Position
from evonas_cli.store import recorder, snapshots

TOY = ("space=bits", "job=landscape", "strategy=genetic", "snapshot.every=20", "--quiet")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two seeds, one of which was interrupted, and one that was not: to be copied."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorder, "SNAPSHOT_SHARE", 1e9)
        for name, *words in (("one", "seed=0"), ("other", "seed=1"), ("again", "seed=1")):
            assert run(["search", *TOY, *words, "budget.evaluations=70", "--run-dir", str(folder / name)]) == 0
        assert run(["search", *TOY, "seed=1", "budget.evaluations=100", "--run-dir", str(folder / "whole")]) == 0
    return folder


@pytest.fixture
def say(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Callable[..., str]:
    """Runs words beside copies of the runs; returns what was printed and logged."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recorder, "SNAPSHOT_SHARE", 1e9)
    shutil.copytree(runs, tmp_path, dirs_exist_ok=True)
    capsys.readouterr()

    def call(*words: str, code: int = 0) -> str:
        caplog.clear()
        found = run(list(words))
        said = "".join(capsys.readouterr()) + caplog.text
        assert found == code, said
        return said

    return call


def digest(said: str) -> str:
    return said.split("digest ")[1].split()[0]


@pytest.mark.parametrize("source", ["one", "again"])
def test_snapshots_of_another_run_are_passed_over(say: Callable[..., str], source: str) -> None:
    shutil.rmtree("other/snapshots")
    shutil.copytree(f"{source}/snapshots", "other/snapshots")
    assert "other/snapshots/1.json is not what the journal gives" in say("verify", "other", code=1)
    said = say("resume", "other", "budget.evaluations=100", "--quiet")
    assert said.count("other/snapshots/1.json is another run's and is not used") == 1
    assert digest(say("verify", "other")) == digest(say("verify", "whole"))


def test_snapshots_of_other_results_are_passed_over(say: Callable[..., str]) -> None:
    shutil.copy("one/journal.jsonl", "other/journal.jsonl")
    Path("other/config.yaml").write_text(Path("one/config.yaml").read_text())
    described = json.loads(Path("other/run.json").read_text())
    identity = json.loads(Path("one/run.json").read_text())["identity"]
    Path("other/run.json").write_text(json.dumps(described | {"identity": identity}))
    document = json.loads(Path("other/snapshots/1.json").read_text())
    from evonas_cli.store.directory import RunDirectory

    rewrite(document["snapshot"] | {"run": RunDirectory(Path("other")).mark()}, snapshots.FORMAT)
    said = say("resume", "other", "budget.evaluations=100", "--quiet")
    assert "other/snapshots/1.json was written from other results than the journal holds and is not used" in said
    say("verify", "other")


def rewrite(content: object, format: int) -> None:
    body = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    text = f'{{"format":{format},"crc":"{zlib.crc32(body.encode()):08x}","snapshot":{body}}}\n'
    Path("other/snapshots/1.json").write_text(text)


@pytest.mark.parametrize("format", [1, 99])
def test_a_snapshot_of_another_version_is_no_damage(say: Callable[..., str], format: int) -> None:
    content = json.loads(Path("other/snapshots/1.json").read_text())["snapshot"]
    rewrite({name: content[name] for name in ("position", "state", "front")}, format)
    say("verify", "other")
    said = say("resume", "other", "budget.evaluations=100", "--quiet")
    assert said.count("was written by another version of evonas and is not used") == 1
    assert digest(say("verify", "other")) == digest(say("verify", "whole"))


def test_the_format_rises_with_the_members() -> None:
    """Whoever adds a member changes both lines of this test, and thereby the format."""
    assert snapshots.FORMAT == 5
    assert list(Position.__slots__) == [
        *("asked", "told", "next_id", "told_evaluations", "cost", "over", "succeeded", "cached", "repeats", "refused"),
        "pending",
    ]


def test_the_status_of_another_run_does_not_end_this_one(
    say: Callable[..., str],
) -> None:
    status = json.loads(Path("one/status.json").read_text())
    foreign = json.dumps(status | {"elapsed_seconds": 1e9, "evaluations": 5000, "state": "failed"})
    Path("other/status.json").write_text(foreign)
    assert json.loads(say("list", "--outputs", "other", "--json"))["runs"][0]["state"] == "damaged"
    assert "other/status.json is another run's; --repair writes it again" in say("verify", "other", code=1)
    say("resume", "other", "budget.evaluations=100", "budget.seconds=1000", "--quiet")
    assert json.loads(Path("other/status.json").read_text())["elapsed_seconds"] < 1000
    assert digest(say("verify", "other")) == digest(say("verify", "whole"))


@pytest.mark.parametrize("name", ["populations", "fronts", "figures.jsonl", "pareto.csv", "throughput.jsonl"])
def test_other_files_of_another_run_change_no_result(say: Callable[..., str], name: str) -> None:
    path = Path("other", name)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(f"one/{name}", path) if os.path.isdir(f"one/{name}") else shutil.copy(f"one/{name}", path)
    if name != "throughput.jsonl":  # which is measured, and never compared
        assert name in say("verify", "other", code=1)
    say("resume", "other", "budget.evaluations=100", "--quiet")
    say("verify", "other", "--repair")
    assert digest(say("verify", "other")) == digest(say("verify", "whole"))
