"""`evonas watch` beside a run that another process writes: what it says while it goes on, and how it ends."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from screen import Terminal

from evonas_cli.cli import watch
from evonas_cli.cli.app import run
from evonas_cli.core.errors import RunError
from evonas_cli.report.following import Follower
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.lock import Lock

TOY = ("search", "space=bits", "job=landscape", "strategy=genetic", "strategy.population_size=4")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert run([*TOY, "budget.evaluations=20", "--run-dir", str(folder), "--quiet"]) == 0
    return folder


class Elsewhere:
    """A run of which another process holds the lock: it writes the lines of a finished run one after the other."""

    def __init__(self, finished: Path, root: Path) -> None:
        shutil.copytree(finished, root)
        self.root, self._lines = root, (root / "journal.jsonl").read_bytes().splitlines(keepends=True)
        (root / "journal.jsonl").write_bytes(b"")
        self._status = json.loads((root / "status.json").read_text())
        self.write(0)
        self.lock = Lock(root / "lock")

    def write(self, count: int, state: str = "running", torn: bytes = b"", **more: Any) -> None:
        """The journal has so many lines, and status.json says so."""
        path, wanted = self.root / "journal.jsonl", b"".join(self._lines[:count]) + torn
        if wanted.startswith(there := path.read_bytes()):
            with path.open("ab") as journal:  # as a search does: nobody ever reads less than before
                journal.write(wanted[len(there) :])
        else:
            path.write_bytes(wanted)
        status = {**self._status, "state": state, "evaluations": count, **more}
        (self.root / "status.new").write_text(json.dumps(status))
        (self.root / "status.new").rename(self.root / "status.json")


@pytest.fixture
def elsewhere(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    monkeypatch.setattr(watch, "SECONDS", 0.01)
    made = Elsewhere(finished, tmp_path / "run")
    yield made
    made.lock.release()


def test_a_line_per_change_and_the_end(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def on(count: int) -> None:
        elsewhere.write(count, in_flight=[[count], [count + 1]])

    steps = iter([lambda: on(4), lambda: on(12), lambda: on(12), lambda: elsewhere.write(20, "done")])
    monkeypatch.setattr(watch.time, "sleep", lambda seconds: next(steps)())  # the run goes on between two looks
    assert run(["watch", str(elsewhere.root)]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert len(lines) == len({line.partition("] ")[2] for line in lines}), "each line says something new"
    assert sum("] 12/20  best valid_error so far: 0." in line and "2 in flight" in line for line in lines) == 1
    assert last.startswith(f"{elsewhere.root}: done (budget.evaluations=20 is used up)  20/20  best valid_error so far")


def test_a_run_that_is_killed_meanwhile(elsewhere: Elsewhere, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere.write(4)
    killer = threading.Timer(0.2, elsewhere.lock.release)
    killer.start()
    assert run(["watch", str(elsewhere.root)]) == 0
    killer.join()
    last = capsys.readouterr().out.splitlines()[-1]
    assert f"{elsewhere.root}: interrupted  4/20" in last and last.endswith(f"`evonas resume {elsewhere.root}` goes on")
    elsewhere.lock = Lock(elsewhere.root / "lock")


def test_a_run_that_is_over_says_so_at_once(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["watch", str(finished)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert run(["watch", "nothing"]) == 3


def test_ctrl_c_leaves(elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watch.time, "sleep", interrupted)
    assert run(["watch", str(elsewhere.root)]) == 0


def test_only_new_lines_are_read_and_only_whole_ones(elsewhere: Elsewhere) -> None:
    follower = Follower(RunDirectory(elsewhere.root))
    assert list(follower.entries()) == []
    elsewhere.write(3, torn=b'{"id":3,')
    assert [entry["id"] for entry in follower.entries()] == [0, 1, 2]
    elsewhere.write(5)
    assert [entry["id"] for entry in follower.entries()] == [3, 4] and follower.began_anew == 0
    elsewhere.write(2)
    assert [entry["id"] for entry in follower.entries()] == [0, 1] and follower.began_anew == 1
    elsewhere.write(2, torn=b"damage\n")
    with pytest.raises(RunError, match="line 3 is damaged"):
        list(follower.entries())


def on_board(text: str) -> bool:
    return "best valid_error so far" in text and "running" in text


@pytest.mark.parametrize("key", [b"q", b"\x03"])
def test_a_board_on_a_terminal(key: bytes, elsewhere: Elsewhere) -> None:
    elsewhere.write(8, in_flight=[[8]])
    terminal = Terminal(elsewhere.root.parent, ["watch", "run"], {})
    terminal.wait_for(on_board)
    terminal.press(key)
    assert terminal.end() == 0 and "in flight (1): 8" in terminal.shown and terminal.screen.cursor_shown
    lines = [line for line in terminal.screen.lines() if line]
    assert not lines if key == b"\x03" else lines[0].startswith("run: running  8/20  best valid_error so far: 0.")


def test_the_board_goes_when_the_run_ends(elsewhere: Elsewhere) -> None:
    elsewhere.write(8)
    terminal = Terminal(elsewhere.root.parent, ["watch", "run"], {})
    terminal.wait_for(on_board)
    elsewhere.write(20, "done")
    assert terminal.end() == 0
    assert terminal.screen.lines()[0].startswith("run: done (budget.evaluations=20 is used up)  20/20  best")


def test_the_lines_of_another_file_are_not_added_to_the_old_ones(
    elsewhere: Elsewhere, make_watched: Callable[[Path], watch.Watched]
) -> None:
    elsewhere.write(8)
    watched = make_watched(elsewhere.root)
    watched.look()
    elsewhere.write(3)
    watched.look()
    assert watched.progress.done == 3


@pytest.fixture
def make_watched() -> Callable[[Path], watch.Watched]:
    from evonas_cli.report.reading import read_parts

    def make(root: Path) -> watch.Watched:
        found, parts = read_parts(str(root), Path("outputs"), [])
        return watch.Watched(parts, Follower(found))

    return make
