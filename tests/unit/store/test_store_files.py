"""Writing into a run: whole files, never through a link, for whom the umask says; and the lock."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from evonas_cli.core.errors import EnvironmentFailure, LockedError, RunError
from evonas_cli.store import files, lock
from evonas_cli.store.files import append_text, moved, write_bytes, write_text
from evonas_cli.store.lock import Lock, held
from evonas_cli.store.reading import read_bytes, read_json


def test_a_file_is_replaced_whole_and_what_a_link_points_to_stays(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("old")
    for name in ("file", files.PARTIAL):
        (tmp_path / name).symlink_to("precious")
    write_text(tmp_path / "file", "new", durable=True)
    assert (tmp_path / "file").read_text() == "new" and not (tmp_path / "file").is_symlink()
    assert (tmp_path / "precious").read_text() == "old" and len(list(tmp_path.iterdir())) == 2


def test_nothing_is_appended_through_a_link_or_to_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("old")
    (tmp_path / "link").symlink_to("precious")
    os.mkfifo(tmp_path / "pipe")
    for name, what in (("link", "a symbolic link"), ("pipe", "no regular file")):
        for write in (lambda path: append_text(path, "x"), Lock):
            with pytest.raises(RunError, match=f"{name} is {what}"):
                write(tmp_path / name)
    assert (tmp_path / "precious").read_text() == "old" and not held(tmp_path / "pipe")


def test_the_umask_says_who_may_read(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "new/file", "x")
        append_text(tmp_path / "lines", "x")
        Lock(tmp_path / "lock").release()
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "new/file", "lines", "lock")]
    assert modes == [0o750, 0o640, 0o640, 0o640]


@pytest.mark.parametrize(
    ("number", "text"), [(errno.ENOSPC, "No space left on device; free the disk and resume"), (errno.EIO, "error")]
)
def test_the_error_is_the_one_that_the_system_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, text: str
) -> None:
    write_bytes(tmp_path / "file", b"old")

    def failing(file: int, data: bytes) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", failing)
    with pytest.raises(EnvironmentFailure, match=f"cannot write .*file: .*{text}$"):
        write_bytes(tmp_path / "file", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"] and read_bytes(tmp_path / "file") == b"old"


def test_names_of_durable_files_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(files, "sync_folder", lambda path: synced.append(path.name))
    write_bytes(tmp_path / "a", b"x")
    assert synced == []
    write_bytes(tmp_path / "b", b"x", durable=True)
    assert synced == [tmp_path.name]


def test_files_that_are_too_large_or_no_objects_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"[" + b" " * 100)
    with pytest.raises(RunError, match="more than 100 bytes"):
        read_bytes(tmp_path / "file", 100)
    with pytest.raises(RunError, match="is damaged"):
        read_json(tmp_path / "file")


def test_a_lock_is_on_the_file_that_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is replaced between its opening and the lock on it: the lock would keep nobody out."""
    path, opened = tmp_path / "lock", []
    real = lock.open_for_writing

    def replaced(where: Path, flags: int) -> int:
        file = real(where, flags)
        opened.append(file)
        if len(opened) == 1:
            where.unlink()
        return file

    monkeypatch.setattr(lock, "open_for_writing", replaced)
    first = Lock(path)
    monkeypatch.undo()
    assert len(opened) == 2 and held(path)
    with pytest.raises(LockedError, match=f"in use by process {os.getpid()}"):
        Lock(path)
    first.release()
    assert not held(path)


def test_what_is_moved_away_takes_a_free_name(tmp_path: Path) -> None:
    for expected in ("x.moved", "x.moved1", "x.moved2"):
        (tmp_path / "x").mkdir()
        assert moved(tmp_path / "x") == expected
