"""The journal: lines, torn tails, reading back, and what a full disk leaves."""

from __future__ import annotations

import errno
import gc
import json
import json.encoder
import os
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import EnvironmentFailure, RunError
from evonas_cli.store import journal as module
from evonas_cli.store.journal import Journal, line, parse, scan

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
plain = st.none() | st.booleans() | numbers | st.text()
nested = st.recursive(
    plain, lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner), max_leaves=12
)
documents = st.dictionaries(
    st.text(min_size=1).filter(lambda key: key != "crc"), numbers | st.text() | st.lists(numbers), min_size=1
)


def entry(id: int, seconds: float = 0.0, genome: object = None) -> dict[str, Any]:
    asked = {"id": id, "step": id, "seed": id, "genome": genome or f"|ö~{id}|", "operator": "sample", "parents": []}
    return {**asked, "status": "ok", "metrics": {"error": 0.5}, "seconds": seconds, "elapsed": 0.0}


@given(documents)
def test_a_line_is_its_entry(document: dict[str, object]) -> None:
    raw = line(document)
    assert raw.endswith(b"\n") and raw.count(b"\n") == 1
    assert parse(raw) == document


@given(st.dictionaries(st.text(), nested, min_size=1))
def test_a_line_is_written_as_the_standard_library_writes_it(document: dict[str, object]) -> None:
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"))[:-1].encode()
    assert line(document) == body + f',"crc":"{zlib.crc32(body):08x}"}}\n'.encode()


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), {1}, b"bytes"])
def test_what_is_no_json_is_refused(broken: object) -> None:
    with pytest.raises((ValueError, TypeError), match="JSON"):
        line({"id": 0, "value": [broken]})


@pytest.mark.parametrize("make", [None, json.encoder.c_make_encoder])
def test_lines_do_not_depend_on_the_encoder_in_c(make: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json.encoder, "c_make_encoder", make)
    assert module._encoder()({"id": 0, "genome": "|ö|", "parents": (1, 2)}) == '{"id":0,"genome":"|ö|","parents":[1,2]}'


@given(documents, st.data())
def test_any_changed_byte_is_noticed(document: dict[str, object], data: st.DataObject) -> None:
    raw = bytearray(line(document))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    assert parse(bytes(raw)) is None


def test_entries_read_back_in_any_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.append([entry(2), entry(0)])
    journal.append([entry(1)])
    assert [journal.read(id)["genome"] for id in (0, 1, 2)] == ["|ö~0|", "|ö~1|", "|ö~2|"]
    assert [e["id"] for e in journal] == [0, 1, 2] and journal.last["id"] == 1
    journal.close()
    again = Journal(tmp_path / "j", write=False)
    assert len(again) == 3 and 2 in again and 3 not in again
    again.close()


def test_readers_that_are_not_closed_hold_no_files(tmp_path: Path) -> None:
    Journal(tmp_path / "j").append([entry(0)])
    gc.collect()  # closes journals that other tests have left
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        assert len(list(Journal(tmp_path / "j", write=False))) == 1
    assert len(os.listdir("/proc/self/fd")) == before


def test_long_entries_read_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.append([entry(0, genome="x" * 100_000), entry(1)])
    assert len(journal.read(0)["genome"]) == 100_000
    journal.close()


def test_a_torn_tail_is_cut_by_the_writer_alone(tmp_path: Path) -> None:
    whole = line(entry(0)) + line(entry(1))
    (tmp_path / "j").write_bytes(whole + line(entry(2))[:-5])
    reader = Journal(tmp_path / "j", write=False)
    assert len(reader) == 2 and (tmp_path / "j").stat().st_size > len(whole)
    reader.close()
    writer = Journal(tmp_path / "j")
    assert writer.torn == len(line(entry(2))) - 5
    writer.append([entry(2)])
    writer.close()
    assert (tmp_path / "j").read_bytes() == whole + line(entry(2))


def test_several_torn_lines_at_the_end_are_one_tail(tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(line(entry(0)) + bytes(300) + b"\n" + line(entry(1))[3:])
    assert scan(tmp_path / "j").damaged == []
    assert scan(tmp_path / "j").end == len(line(entry(0)))


def test_damage_in_the_middle_is_refused_with_its_line(tmp_path: Path) -> None:
    lines = [line(entry(id)) for id in range(4)]
    lines[2] = lines[2].replace(b"~2", b"~3")
    (tmp_path / "j").write_bytes(b"".join(lines))
    with pytest.raises(RunError, match="line 3 is damaged"):
        Journal(tmp_path / "j")
    assert (tmp_path / "j").read_bytes() == b"".join(lines)


def test_a_candidate_recorded_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j").write_bytes(line(entry(0)) + line(entry(0)))
    with pytest.raises(RunError, match="candidate 0 is recorded twice"):
        Journal(tmp_path / "j")


def test_costly_evaluations_are_synced_at_once_and_cheap_ones_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, now = [], [100.0]
    monkeypatch.setattr(module.os, "fsync", lambda file: synced.append(file))
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    journal = Journal(tmp_path / "j")
    journal.append([entry(0, seconds=0.2)])
    assert len(synced) == 1
    journal.append([entry(1, seconds=0.03)])
    assert len(synced) == 1
    journal.append([entry(2, seconds=0.03)])
    assert len(synced) == 2
    journal.append([entry(3)])
    now[0] += 0.06
    journal.append([entry(4)])
    assert len(synced) == 3
    journal.append([entry(5)])
    journal.sync()
    journal.sync()
    assert len(synced) == 4
    journal.close()


def test_what_the_disk_does_not_take_leaves_no_half_line_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, real, wrong = Journal(tmp_path / "j"), os.write, [errno.EIO]
    journal.append([entry(0)])

    def failing(file: int, data: bytes) -> int:
        if len(data) < 100:
            raise OSError(wrong[0], os.strerror(wrong[0]))
        return real(file, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", failing)
    with pytest.raises(EnvironmentFailure, match="j: Input/output error$"):
        journal.append([entry(1)])
    wrong[0] = errno.ENOSPC
    with pytest.raises(EnvironmentFailure, match="j: No space left on device; free the disk and resume$"):
        journal.append([entry(1)])
    monkeypatch.undo()
    assert 1 not in journal
    journal.append([entry(1)])
    journal.close()
    assert scan(tmp_path / "j").torn == 0 and len(scan(tmp_path / "j").good) == 2


def test_a_call_that_takes_a_part_of_the_bytes_is_followed_by_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, real = Journal(tmp_path / "j"), os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:7]))
    journal.append([entry(0), entry(1)])
    journal.close()
    assert (tmp_path / "j").read_bytes() == line(entry(0)) + line(entry(1))
