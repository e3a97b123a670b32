"""`evonas list` beside runs of which one is damaged in any way, and behind symbolic links."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evonas_cli.cli.app import run
from evonas_cli.report.samples import locate
from evonas_cli.store.directory import below

TOY = ("search", "space=bits", "job=landscape", "strategy=random", "budget.evaluations=5", "--quiet")


@pytest.fixture
def listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[], dict[str, str]]:
    """The states of the runs by name, beside a good run `outputs/good`."""
    monkeypatch.chdir(tmp_path)
    assert run([*TOY, "--run-dir", "outputs/good"]) == 0
    capsys.readouterr()

    def call() -> dict[str, str]:
        assert run(["list", "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)["runs"]
        assert len({row["run"] for row in rows}) == len(rows)
        return {row["run"]: row["state"] for row in rows}

    return call


@pytest.mark.parametrize("name", ["run.json", "status.json", "journal.jsonl"])
@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"format": 1e999, "elapsed_seconds": 1e999}',
        b'{"format": NaN, "evaluations": NaN}',
        b'{"format": ' + b"9" * 5000 + b"}",
        b'{"created": "\\ud800"}',
        b"[]",
        b'{"format": 1, "identity": [], "state": 5}',
        b'{"format": 1, "elapsed_seconds": -1}',
        b"\xff\xfe",
        None,
    ],
)
def test_a_damaged_run_does_not_hide_the_others(
    listed: Callable[[], dict[str, str]], name: str, content: bytes | None
) -> None:
    shutil.copytree("outputs/good", "outputs/bad")
    path = Path("outputs/bad", name)
    path.unlink()
    if content is None:
        os.mkfifo(path)
    else:
        path.write_bytes(content)
    assert listed() == {"good": "done", "bad": "damaged"}


def test_a_file_that_is_endless_is_not_read_on(listed: Callable[[], dict[str, str]]) -> None:
    for name in ("run.json", "status.json", "lock"):
        shutil.copytree("outputs/good", f"outputs/{name}")
        Path("outputs", name, name).unlink()
        Path("outputs", name, name).symlink_to("/dev/zero")
    os.truncate("outputs/good/throughput.jsonl", 1 << 40)
    assert listed() == {"good": "done", "run.json": "damaged", "status.json": "damaged", "lock": "done"}


def test_runs_behind_links_are_found_once(
    listed: Callable[[], dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*TOY, "--run-dir", "disk/far"]) == 0
    assert run([*TOY, "--run-dir", "disk/deep/farther"]) == 0
    Path("outputs/a-link").symlink_to("../disk")
    Path("outputs/alias").symlink_to("good")
    Path("outputs/b-link").symlink_to("../disk/far")
    Path("outputs/loop").symlink_to(".")
    Path("disk/back").symlink_to("../outputs")
    Path("outputs/dangling").symlink_to("nowhere")
    capsys.readouterr()
    assert listed() == dict.fromkeys(("good", "a-link/far", "a-link/deep/farther"), "done")
    assert [str(found.root) for found in below(Path("disk"))] == ["disk/back/good", "disk/deep/farther", "disk/far"]
    assert len(locate("outputs", Path("outputs"))) == 3
    for name in ("farther", "latest", "a-link/deep"):
        assert run(["show", name]) == 0
