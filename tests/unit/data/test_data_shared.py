"""One copy of the prepared data: written once, mapped by all, private where somebody writes."""

from __future__ import annotations

import errno
import logging
import os
import signal
from collections.abc import Iterator
from dataclasses import fields
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest
import torch

from evonas_cli.core.errors import UsageError
from evonas_cli.data.digits import Digits
from evonas_cli.data.resident import Resident
from evonas_cli.data.shared import shared
from evonas_cli.data.splits import Splits
from evonas_cli.evaluation.scratch import Scratch

DIGITS = Digits(valid_fraction=0.5, test_fraction=0.2, limit=128, crop=1, flip=False, cutout=0, mixup=0.5)


@pytest.fixture
def scratch() -> Iterator[Scratch]:
    made = Scratch()
    yield made
    made.close()


def never() -> Splits:
    raise AssertionError("the data was prepared again")


def same(a: Splits, b: Splits) -> bool:
    pairs: list[tuple[Any, Any]] = [(getattr(a, field.name), getattr(b, field.name)) for field in fields(Splits)]
    return all(x.dtype == y.dtype and np.array_equal(x, y) if isinstance(x, np.ndarray) else x == y for x, y in pairs)


def test_only_the_first_prepares_and_all_have_the_same(scratch: Scratch) -> None:
    prepared = DIGITS.prepare(3)
    assert same(shared(scratch.file, lambda: prepared), prepared)
    assert same(shared(scratch.file, never), prepared)


def test_who_writes_changes_only_his_own(scratch: Scratch) -> None:
    first = shared(scratch.file, lambda: DIGITS.prepare(3))
    first.x_train[:] = 0
    assert same(shared(scratch.file, never), DIGITS.prepare(3))


def test_the_mapped_images_are_taken_as_they_lie(scratch: Scratch, recwarn: pytest.WarningsRecorder) -> None:
    mapped = shared(scratch.file, lambda: DIGITS.prepare(3))
    data = Resident(mapped, torch.device("cpu"))
    before = data.batch(torch.arange(3))[0]
    mapped.x_train[:3] += 1
    after = data.batch(torch.arange(3))[0]
    assert torch.allclose(after - before, 1 / data.std.view(1, -1, 1, 1), atol=1e-4)
    assert not recwarn


def prepare_and_die(scratch: Scratch) -> None:
    def prepare() -> Splits:
        os.pwrite(scratch.file, b"half of it", 5000)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")

    shared(scratch.file, prepare)


def test_whoever_comes_after_a_killed_one_prepares_anew(scratch: Scratch) -> None:
    process = get_context("spawn").Process(target=prepare_and_die, args=(scratch,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert same(shared(scratch.file, lambda: DIGITS.prepare(3)), DIGITS.prepare(3))


def write_down(scratch: Scratch, text: bytes) -> None:
    os.pwrite(scratch.file, text, 0)


def test_a_spawned_process_holds_the_same_file(scratch: Scratch) -> None:
    process = get_context("spawn").Process(target=write_down, args=(scratch, b"from the child"))
    process.start()
    process.join()
    assert os.pread(scratch.file, 100, 0) == b"from the child"


def test_the_file_has_no_name(scratch: Scratch) -> None:
    assert os.fstat(scratch.file).st_nlink == 0


def test_what_is_wrong_with_the_data_is_said_by_everyone(scratch: Scratch) -> None:
    def bad() -> Splits:
        raise UsageError("no such file")

    for _ in range(2):
        with pytest.raises(UsageError, match="no such file"):
            shared(scratch.file, bad)


def test_a_full_disk_costs_memory_not_the_run(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(file: int, data: bytes, position: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with caplog.at_level(logging.WARNING):
        assert same(shared(scratch.file, lambda: DIGITS.prepare(3)), DIGITS.prepare(3))
    assert "not shared" in caplog.text and "No space left" in caplog.text
