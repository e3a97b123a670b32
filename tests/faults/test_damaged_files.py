"""Derived files and folders, damaged in each way: verify names them, repair heals them, no resume breaks down."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.cli.app import run
from evonas_cli.store import recorder

TOY = ("search", "space=bits", "job=landscape", "strategy=genetic", "budget.evaluations=70", "snapshot.every=20")
NUMBERED = ("snapshots/1.json", "populations/0.json", "fronts/0.json")
DECIDED = (*NUMBERED, "figures.jsonl", "pareto.csv", "status.json")
FOLDERS = ("snapshots", "populations", "fronts")

Damage = Callable[[Path], None]


def holds(content: bytes) -> Damage:
    return lambda path: void(path.write_bytes(content))


def void(value: object) -> None:
    """For an expression that is made for what it does."""


def links(to: str) -> Damage:
    return lambda path: path.symlink_to(to)


CONTENTS: dict[str, Damage] = {
    "garbage": holds(b"\x00\xff{\n"),
    "shape": holds(b"[1, 2]\n"),
    "deep": holds(b"[" * 100_000 + b"\n"),
    "infinite": holds(b'{"step": 1e999, "elapsed_seconds": 1e999}\n'),
    "none": holds(b'{"step": NaN, "evaluations": NaN}\n'),
    "digits": holds(b'{"step": ' + b"9" * 5000 + b', "state": ' + b"9" * 5000 + b"}\n"),
    "surrogate": holds(b'{"step": 0, "reason": "\\ud800"}\n'),
    "members": holds(b'{"step": "x", "state": 5, "format": 2, "snapshot": 7}\n'),
}
KINDS: dict[str, Damage] = {
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "link": links("../precious"),
    "dangling": links("../nothing"),
    "device": links("/dev/zero"),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, to be copied."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorder, "SNAPSHOT_SHARE", 1e9)
        assert run([*TOY, "--run-dir", str(folder), "--quiet"]) == 0
    assert all((folder / name).is_file() for name in (*DECIDED, "throughput.jsonl", "lock"))
    return folder


@pytest.fixture
def say(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs words beside a copy of that run; returns the code and what was printed, in which no breakdown shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recorder, "SNAPSHOT_SHARE", 1e9)
    shutil.copytree(finished, "run")
    Path("precious").write_text("not the run's\n")
    capsys.readouterr()

    def call(*words: str) -> tuple[int, str]:
        code = run(list(words))
        captured = capsys.readouterr()
        assert "internal error" not in captured.err and "Traceback" not in captured.err
        return code, captured.out + captured.err

    return call


def damage(name: str, how: Damage) -> None:
    path = Path("run", name)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    how(path)


def check(say: Callable[..., tuple[int, str]], name: str) -> None:
    """verify names it, finds nothing once it is repaired, and nothing outside was touched."""
    code, said = say("verify", "run")
    assert code == 1 and name in said and "--repair" in said
    assert say("verify", "run", "--repair")[0] == 0
    code, said = say("verify", "run")
    assert code == 0 and said.startswith("ok: 70 evaluations, complete, digest ")
    assert Path("precious").read_text() == "not the run's\n" and not Path("nothing").exists()


@pytest.mark.parametrize(
    ("name", "how"),
    [*((name, "deep") for name in DECIDED), *(("status.json", how) for how in CONTENTS if how != "deep")],
)
def test_damaged_content_is_named_and_healed(say: Callable[..., tuple[int, str]], name: str, how: str) -> None:
    damage(name, CONTENTS[how])
    check(say, name)


@pytest.mark.parametrize("how", KINDS)
@pytest.mark.parametrize("name", ["populations/0.json", "figures.jsonl", "pareto.csv", "status.json"])
def test_what_is_no_file_is_named_and_healed(say: Callable[..., tuple[int, str]], name: str, how: str) -> None:
    damage(name, KINDS[how])
    check(say, name)


@pytest.mark.parametrize("how", ["file", "pipe", "link", "dangling"])
@pytest.mark.parametrize("name", FOLDERS)
def test_what_is_no_folder_is_named_and_healed(say: Callable[..., tuple[int, str]], name: str, how: str) -> None:
    Path("elsewhere").mkdir()
    Path("elsewhere/1.json").write_text("not the run's\n")
    damage(name, {**KINDS, "file": holds(b"x"), "link": links("../elsewhere")}[how])
    check(say, name)
    assert Path("elsewhere/1.json").read_text() == "not the run's\n" and len(os.listdir("elsewhere")) == 1


@pytest.mark.parametrize("name", [*DECIDED, *FOLDERS, "throughput.jsonl", "lock"])
def test_a_resume_writes_through_no_link(say: Callable[..., tuple[int, str]], name: str) -> None:
    Path("elsewhere").mkdir()
    damage(name, links("../elsewhere" if name in FOLDERS else "../precious"))
    code, said = say("resume", "run", "budget.evaluations=100", "--quiet")
    assert Path("precious").read_text() == "not the run's\n" and not os.listdir("elsewhere")
    if name in NUMBERED:  # such a file is replaced, or removed, without being followed
        assert code == 0
    else:
        assert code == 3 and said.count("\n") == 1 and f"run/{name} is a symbolic link" in said


@pytest.mark.parametrize("how", KINDS)
def test_a_lock_that_is_no_file_is_refused_and_healed(say: Callable[..., tuple[int, str]], how: str) -> None:
    damage("lock", KINDS[how])
    code, said = say("resume", "run", "budget.evaluations=100", "--quiet")
    assert code == 3 and said.count("\n") == 1 and "run/lock is" in said
    assert say("verify", "run", "--repair")[0] == 0
    assert say("resume", "run", "budget.evaluations=100", "--quiet")[0] == 0
    assert Path("precious").read_text() == "not the run's\n" and not Path("nothing").exists()


@pytest.mark.parametrize("how", [*CONTENTS, "folder", "pipe", "device"])
@pytest.mark.parametrize("name", ["snapshots/1.json", "throughput.jsonl"])
def test_a_resume_ends_in_order_whatever_was_damaged(say: Callable[..., tuple[int, str]], name: str, how: str) -> None:
    damage(name, {**CONTENTS, **KINDS}[how])
    code, said = say("resume", "run", "budget.evaluations=75", "--quiet")
    assert code in (0, 3) and (code == 0 or said.count("\n") == 1), said
