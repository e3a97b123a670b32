"""Paths of settings, and what becomes of whatever a reader raises."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.core.errors import EnvironmentFailure, RunError, UsageError
from evonas_cli.core.files import located, reading

FILE = Path("data.bin")


def read(error: BaseException) -> None:
    with reading(FILE, "a picture", "repair it"):
        raise error


def test_home_folders_are_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert located("~/a.csv", "job.path", "FILE.csv") == Path("/somewhere/a.csv")
    assert located(Path("a.csv"), "job.path", "FILE.csv") == Path("a.csv")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "job.path is not set; pass job.path=FILE.csv"),
        ("", "job.path is not set; pass job.path=FILE.csv"),
        (3, "job.path is 3, which is no path; pass job.path=FILE.csv"),
        (["a"], r"job.path is \['a'\], which is no path"),
        ("~nobody-of-this-name/x", "job.path: ~nobody-of-this-name is the home of no user here"),
    ],
)
def test_what_is_no_path_is_refused(value: Any, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        located(value, "job.path", "FILE.csv")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "MemoryError"),
        (RecursionError("too deep"), "too deep"),
        (NotImplementedError("no\nDeflate64"), "no Deflate64"),
        (OSError("truncated"), "truncated"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "data.bin"), "Permission denied"),
        (OSError(errno.EINVAL, os.strerror(errno.EINVAL)), "Invalid argument"),
        (KeyError("x" * 900), "'" + "x" * 199),
    ],
)
def test_whatever_a_reader_raises_is_one_line(error: Exception, reason: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(error)
    assert str(raised.value) == f"data.bin cannot be read as a picture ({reason}); repair it"


def test_a_failing_disk_is_the_machines_fault() -> None:
    with pytest.raises(EnvironmentFailure, match=r"data.bin cannot be read \(Input/output error\)"):
        read(OSError(errno.EIO, os.strerror(errno.EIO)))


@pytest.mark.parametrize("error", [UsageError("no"), RunError("no"), EnvironmentFailure("no"), KeyboardInterrupt()])
def test_errors_of_evonas_and_interrupts_pass(error: BaseException) -> None:
    with pytest.raises(type(error)) as raised:
        read(error)
    assert raised.value is error
