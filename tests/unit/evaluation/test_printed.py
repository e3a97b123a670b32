"""What is printed while a candidate is evaluated is kept in its folder, as far as there is room."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from evonas_cli.core.types import Unit
from evonas_cli.evaluation.printed import HEAD, LOG, TAIL, hearing
from evonas_cli.store.directory import RunDirectory
from evonas_cli.testing.doubling import candidate


def log(root: Path, id: int) -> str:
    return (root / "candidates" / str(id) / LOG).read_text()


def test_words_go_to_the_candidates_that_are_evaluated_and_to_the_streams(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunDirectory(tmp_path)
    with hearing() as printed:
        print("before")
        with printed.during(Unit((candidate(3, 1), candidate(4, 1))), run):
            print("out")
            print("err", file=sys.stderr)
            logging.StreamHandler().emit(logging.makeLogRecord({"msg": "logged"}))
        with printed.during(Unit((candidate(5, 1),)), run):
            pass
        print("after")
    assert log(tmp_path, 3) == log(tmp_path, 4)
    assert log(tmp_path, 3) == "out\nerr\nlogged\n" and not (tmp_path / "candidates" / "5").exists()
    assert capsys.readouterr().out == "before\nout\nafter\n"


def test_a_file_has_the_first_words_and_the_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunDirectory(tmp_path)
    with hearing() as printed:
        for _ in range(2):
            with printed.during(Unit((candidate(3, 1),)), run):
                print("first")
                assert log(tmp_path, 3).startswith("first\n"), "at once"
                for _ in range(200):
                    print("x" * 999)
                print("last")
    text = log(tmp_path, 3)
    assert HEAD + 2 * TAIL < len(text) < HEAD + 2 * TAIL + 200 and text.endswith("x\nlast\n")
    assert text.count(" bytes were left out here]") == 2


class _Deaf:
    def write(self, text: str) -> int:
        raise BrokenPipeError

    flush = write


def test_nobody_has_to_read_the_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", _Deaf())
    with hearing() as printed, printed.during(Unit((candidate(3, 1),)), RunDirectory(tmp_path)):
        print("kept")
    assert log(tmp_path, 3) == "kept\n"


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "candidates/3").mkdir(parents=True)
    (tmp_path / "candidates/3" / LOG).symlink_to(tmp_path / "target")
    unit, run = Unit((candidate(3, 1),)), RunDirectory(tmp_path)
    with hearing() as printed, printed.during(unit, run), pytest.raises(OSError, match="symbolic links"):
        print("no")
    assert not (tmp_path / "target").exists()
