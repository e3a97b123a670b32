"""Rows of `evonas verify --torture` on a toy, the verb itself, and what it refuses. The long form: -m torture."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evonas_cli.torture.ground import Ground, ground
from evonas_cli.torture.row import Differs, Row, Unable
from evonas_cli.torture.table import ROWS
from evonas_cli.torture.torturing import outcomes

TOY = (
    *("space=chain_landscape", "job=landscape", "strategy=regularized_evolution", "strategy.population_size=4"),
    *("budget.evaluations=12", "snapshot.every=5", "window=3"),
)
SHORT = (
    *("kill -9, coordinator", "kill -9, half a line", "kill -9, snapshot", "Ctrl-C, once", "SIGTERM", "SIGSTOP"),
    *("disk full, write", "identity key", "workers mixed", "hash seed"),
)
"""What the suite carries out of the rows that start processes; the long form has all of them."""
ALIKE = (
    "derived files, shape",
    "derived files, infinite",
    "derived files, empty",
    "candidates, NaN",
    "candidates, names",
)
"""Rows without processes that another one resembles."""
ROWS_HERE = [row for row in ROWS if (row.name in SHORT if row.searches or row.cold else row.name not in ALIKE)]


@pytest.fixture(scope="module")
def toy() -> Iterator[Ground]:
    made = ground(TOY, kills=1)
    try:
        made.begin()
        yield made
    finally:
        made.close()
    assert not made.folder.exists()


@pytest.mark.parametrize("row", ROWS_HERE, ids=lambda row: row.name)
def test_a_toy_comes_out_the_same(row: Row, toy: Ground) -> None:
    try:
        assert row.act(toy)
    except Unable as reason:
        pytest.skip(str(reason))


@pytest.mark.torture
@pytest.mark.parametrize("words", [(), TOY], ids=["trainings", "toy"])
def test_everything_comes_out_the_same(
    words: tuple[str, ...], evonas: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "evonas_cli", "verify", "--torture", *words, "--kills", "10", "--json"],
        capture_output=True,
        text=True,
    )
    document = json.loads(done.stdout)
    assert [row for row in document["rows"] if row["verdict"] == "DIFFERS"] == []
    assert done.returncode == 0 and len(document["rows"]) == len(ROWS)


def test_every_row_says_what_it_does() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS) and {*SHORT, *ALIKE} <= {row.name for row in ROWS}
    assert all(row.injected and row.expected for row in ROWS)


def test_a_difference_is_told_and_ends_nothing(toy: Ground) -> None:
    def differs(ground: Ground) -> str:
        raise Differs("digest 1, expected 2")

    def breaks(ground: Ground) -> str:
        raise ValueError("a bug")

    rows = [Row("a", "b", "c", differs), Row("d", "e", "f", breaks), Row("g", "h", "i", lambda ground: "well")]
    found = [(outcome.verdict, outcome.observed) for outcome in outcomes(toy, rows)]
    assert found == [("DIFFERS", "digest 1, expected 2"), ("DIFFERS", "ValueError: a bug"), ("ok", "well")]


def test_a_command_in_the_background_of_a_script_can_be_tortured_too() -> None:
    """A shell has such a command ignore Ctrl-C, and so would what the command starts."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        made = ground(TOY, kills=1)
        try:
            made.begin()
            assert next(row for row in ROWS if row.name == "Ctrl-C, once").act(made)
        finally:
            made.close()
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_changed_result_differs(toy: Ground) -> None:
    run = toy.copy()
    lines = run.journal.read_bytes().splitlines(keepends=True)
    run.journal.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(Differs, match="the journal holds 11"):
        toy.compare(run)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--torture", "budget.seconds=5"), "set budget.evaluations, not budget.seconds"),
        (("--torture", "deterministic=false"), "promises no equal results"),
        (("--torture", "--kills", "0"), "--kills is 0"),
        (("--torture", "--replay"), "leave out --replay"),
        (("latest", "--kills", "3"), "--kills goes with --torture"),
        (("one", "two"), "takes one run"),
        ((), "Missing argument 'RUN'"),
        (("--torture", "space=bits", "job=train"), "bits"),
    ],
)
def test_refused_in_one_line(
    words: tuple[str, ...], said: str, evonas_here: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = evonas_here("verify", *words)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1


def test_the_verb_prints_a_table_and_a_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    words = [sys.executable, "-m", "evonas_cli", "verify", "--torture", *TOY, "--kills", "1"]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = [process.stderr.readline() for _ in range(3)]
    assert f"{len(ROWS)} rows in {tmp_path}/evonas-torture-" in said[0]
    assert "all rows take about" in said[1] and f"1/{len(ROWS)} journal, torn tail: same digest" in said[2]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err.splitlines()[-1] == "evonas: stopped by Ctrl-C" and not out
    assert list(tmp_path.iterdir()) == [] and tempfile.gettempdir() != str(tmp_path)


def test_the_table(
    toy: Ground, monkeypatch: pytest.MonkeyPatch, evonas_here: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """On a ground that is already made, and is left to the other tests."""

    def differs(ground: Ground) -> str:
        raise Differs("other bits")

    rows = (Row("one", "a kill", "same digest", lambda ground: "same digest"), Row("two", "a flip", "refused", differs))
    monkeypatch.setattr("evonas_cli.torture.ground.ground", lambda *given: toy)
    for name in ("begin", "close"):
        monkeypatch.setattr(toy, name, lambda: None)
    monkeypatch.setattr("evonas_cli.torture.table.ROWS", rows)
    words = ("verify", "--torture", "space=bits", "job=landscape", "strategy=random")
    done = evonas_here(*words)
    assert done.returncode == 1
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["row", "injected", "expected", "observed"],
        ["ok", "one", "a", "kill", "same", "digest", "same", "digest"],
        ["DIFFERS", "two", "a", "flip", "refused", "other", "bits"],
        ["NOT", "OK:", "1", "ok,", "1", "DIFFERS,", "0", "skipped"],
    ]
    monkeypatch.setattr("evonas_cli.torture.table.ROWS", rows[:1])
    document = json.loads(evonas_here(*words, "--json").stdout)
    assert document["ok"] and [row["row"] for row in document["rows"]] == ["one"]
