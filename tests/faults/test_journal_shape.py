"""Journal lines with a right CRC and a wrong shape are damage; a candidate with unwritable words ends no search."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run
from evonas_cli.config.compose import compose
from evonas_cli.core.halting import Deadline
from evonas_cli.core.types import Failure, Result
from evonas_cli.run.assembly import assemble
from evonas_cli.run.search import search
from evonas_cli.run.session import create
from evonas_cli.run.verify import verify
from evonas_cli.store.directory import RunDirectory

TOY = ("space=bits", "job=landscape", "strategy=genetic", "budget.evaluations=20", "strategy.population_size=5")


def sealed(body: bytes) -> bytes:
    """A line with the CRC that its content has."""
    return b'%b,"crc":"%08x"}\n' % (body[:-1], zlib.crc32(body[:-1]))


WRONG: dict[str, Callable[[dict[str, Any]], object]] = {
    "metrics": lambda entry: entry.update(metrics=[1]),
    "metric": lambda entry: entry["metrics"].update(valid_error="0.5"),
    "id": lambda entry: entry.update(id="3"),
    "negative": lambda entry: entry.update(id=-3),
    "large": lambda entry: entry.update(seconds=10**400),
    "status": lambda entry: entry.update(status="good"),
    "parents": lambda entry: entry.update(parents=None),
    "error": lambda entry: entry.update(error="bad"),
    "labels": lambda entry: entry.update(labels={"stack": 1}),
    "genome": lambda entry: entry.pop("genome"),
    "elapsed": lambda entry: entry.pop("elapsed"),
    "deep": lambda entry: entry.update(payload=json.loads("[" * 500 + "]" * 500)),
    "surrogate": lambda entry: entry.update(operator="\ud800"),
}


@pytest.mark.parametrize("wrong", [*WRONG, "list", "infinite"])
def test_a_line_of_wrong_shape_is_damage_and_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["search", *TOY, "--run-dir", "run", "--quiet"]) == 0
    whole = verified("run")
    journal = Path("run/journal.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    entry = json.loads(lines[3])
    del entry["crc"]
    if wrong in WRONG:
        WRONG[wrong](entry)
    body = json.dumps(entry).encode()
    body = {"list": b"[1,2]", "infinite": body.replace(b'"elapsed": ', b'"elapsed": 1e999')}.get(wrong, body)
    journal.write_bytes(b"".join([*lines[:3], sealed(body), *lines[4:]]))
    capsys.readouterr()
    for words in (["resume", "run", "--quiet"], ["show", "run"], ["pareto", "run"]):
        assert run(words) == 3
        assert "run/journal.jsonl: line 4 is damaged" in capsys.readouterr().err
    assert run(["verify", "run"]) == 1
    assert run(["verify", "run", "--repair"]) == 0
    assert run(["resume", "run", "--quiet"]) == 0
    assert verified("run") == whole


def verified(name: str) -> tuple[str, list[str]]:
    found = RunDirectory(Path(name))
    verdict = verify(found, assemble(compose(TOY).config))
    return verdict.digest, verdict.problems


def test_words_that_utf8_cannot_hold_end_no_search(tmp_path: Path) -> None:
    """Every third candidate fails with a byte that is no character, every third has a label and a payload with one."""
    parts, directory = assemble(compose(TOY).config), RunDirectory(tmp_path / "run")
    session = create(directory, parts, {}, lambda candidate, result: None, ["search"])
    evaluator = session.evaluator.evaluator
    real = evaluator.collect

    def collect(deadline: Deadline | None = None) -> list[Result]:
        return [spoilt(result) for result in real(deadline)]

    def spoilt(result: Result) -> Result:
        if result.id % 3 == 1:
            return Result(result.id, "failed", error=Failure("error", "no file \udcff.bin"))
        if result.id % 3 == 2:
            return Result(result.id, "ok", result.metrics, "\ud800", labels={"file": "\udcff.bin"})
        return result

    evaluator.collect = collect  # type: ignore[method-assign]
    try:
        search(session.fold, session.evaluator, session.recorder)
        session.recorder.finish(session.fold, "done")
        entries = list(session.recorder.journal)
    finally:
        session.close()
    assert len(entries) == 20
    assert entries[1]["error"] == {"kind": "error", "text": "no file \\udcff.bin"}
    assert entries[2]["error"]["text"] == "not_finite: payload" and entries[2]["labels"] == {"file": "\\udcff.bin"}
    assert verify(directory, parts).problems == []
