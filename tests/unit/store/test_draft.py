"""Folders that appear whole, and what killed starts have left."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evonas_cli.store.draft import ABANDONED_SECONDS, clear, clear_drafts, draft

FILLING = """
import sys, time
from pathlib import Path
from evonas_cli.store.draft import draft
with draft(Path(sys.argv[1])) as folder:
    (folder / "run.json").write_text("{}")
    (folder / "journal.jsonl").touch()
    print("filling", flush=True)
    time.sleep(60)
"""


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def test_a_draft_becomes_the_folder_for_whom_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with draft(tmp_path / "deep/run") as folder:
            (folder / "run.json").touch()
    finally:
        os.umask(before)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["run"]
    assert stat.S_IMODE((tmp_path / "deep/run").stat().st_mode) == 0o750


def test_nothing_is_left_of_a_draft_that_failed(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/file").touch()
    with pytest.raises(FileExistsError), draft(tmp_path / "taken"):
        pass
    with pytest.raises(ZeroDivisionError), draft(tmp_path / "run"):
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_the_draft_of_a_process_is_removed_once_it_is_dead(tmp_path: Path) -> None:
    words = [sys.executable, "-c", FILLING, str(tmp_path / "run")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "filling\n"
        clear_drafts(tmp_path)
        assert len(hidden(tmp_path)) == 1
        process.kill()
        process.wait()
    clear_drafts(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_only_drafts_are_removed(tmp_path: Path) -> None:
    names = (".evonas-partial", ".evonas-backup_s", ".evonas-1-0000000a", ".evonas-notes", ".evonas-1-0000000b")
    for name in names[1:]:
        (tmp_path / name).mkdir()
    (tmp_path / names[0]).touch()
    (tmp_path / names[1] / "thesis.tex").touch()
    (tmp_path / names[2] / "journal.jsonl").write_text("a line\n")
    (tmp_path / names[4] / ".run.json.99").touch()
    clear_drafts(tmp_path)
    assert hidden(tmp_path) == sorted(names[:4])


def test_empty_folders_of_killed_starts_go_when_they_are_old(tmp_path: Path) -> None:
    long_ago = time.time() - 2 * ABANDONED_SECONDS
    for name in ("2026-01-01/101010-toy", "2026-01-02/101010-full", "2026-01-03/101010-new", "mine/101010-toy"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "2026-01-02/101010-full/file").touch()
    for path in tmp_path.rglob("*"):
        if "new" not in path.name:
            os.utime(path, (long_ago, long_ago))
    clear(tmp_path)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*-*"))
    assert left == ["2026-01-02", "2026-01-02/101010-full", "2026-01-03", "2026-01-03/101010-new", "mine/101010-toy"]
