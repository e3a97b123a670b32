"""What a table must hold: keys as text, accuracies in the unit that the settings say, a file that can be read."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Candidate, Metric, Proposal, Unit
from evonas_cli.jobs.table import Table
from evonas_cli.store.directory import RunDirectory


class Words:
    """Genomes are words, stored as they are."""

    def to_json(self, genome: str) -> str:
        return genome


def table(path: Path | str, **given: Any) -> Table:
    columns = {"reward": "r", "report": None, "cost": None, "parameters": None, "multiply_adds": None}
    space: Any = Words()
    return Table(**({"space": space, "path": str(path), **columns} | given))


def written(folder: Path, *rows: str, header: str = "arch,r") -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def looked_up(job: Table, genome: str, folder: Path) -> dict[str, float]:
    [result] = job.evaluate(Unit((Candidate(0, 0, 0, Proposal(genome)),)), RunDirectory(folder))
    return dict(result.metrics)


@pytest.mark.parametrize("key", ["02", "NA", "null", "1e3", "0x10", "True", " x", "3.50", "2020-01-01", "9" * 30])
def test_keys_are_text_to_the_last_character(tmp_path: Path, key: str) -> None:
    path = written(tmp_path, f'"{key}",80', "10,70")
    assert looked_up(table(path), key, tmp_path)["valid_accuracy"] == 0.8
    assert looked_up(table(path), "10", tmp_path)["valid_accuracy"] == 0.7


def test_keys_that_are_equal_as_numbers_are_different_rows(tmp_path: Path) -> None:
    path = written(tmp_path, "1,70", "01,80", "1.0,90")
    assert [looked_up(table(path), key, tmp_path)["valid_accuracy"] for key in ("1", "01", "1.0")] == [0.7, 0.8, 0.9]
    with pytest.raises(UsageError, match="has 01 in two rows"):
        table(written(tmp_path, "01,70", "01,80")).environment()


@pytest.mark.parametrize(
    ("given", "rows", "expected"),
    [
        ({}, ["a,0.505", "b,0.8"], r"column r \(job.reward\) never exceeds 1, .*set job.accuracy_unit=fraction"),
        ({}, ["a,0.5", "b,1"], "never exceeds 1"),
        ({}, ["a,80", "b,100.5"], r"column r \(job.reward\) reaches 100.5; with job.accuracy_unit=percent no accuracy"),
        ({}, ["a,5050", "b,8050"], "reaches 8050; .* exceeds 100; bring the column into that unit"),
        ({"accuracy_unit": "fraction"}, ["a,80", "b,90"], "reaches 90; .* exceeds 1; set job.accuracy_unit=percent"),
        ({"accuracy_unit": "fraction"}, ["a,8000"], "reaches 8000; .* exceeds 1; bring the column"),
    ],
)
def test_accuracies_in_another_unit_are_refused(tmp_path: Path, given: Any, rows: list[str], expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        table(written(tmp_path, *rows), **given).environment()


def test_the_unit_of_what_is_reported_and_of_each_fidelity_is_checked(tmp_path: Path) -> None:
    path = written(tmp_path, "a,80,0.7", header="arch,r,f")
    with pytest.raises(UsageError, match=r"column f \(job.report\) never exceeds 1"):
        table(path, report="f").environment()
    with pytest.raises(UsageError, match=r"column f \(job.reward\) never exceeds 1"):
        table(path, fidelities={0.5: {"reward": "f"}, 1.0: {}}).environment()


def test_fractions_are_taken_as_they_are(tmp_path: Path) -> None:
    path = written(tmp_path, "a,0.8,0.75", header="arch,r,f")
    found = looked_up(table(path, report="f", accuracy_unit="fraction"), "a", tmp_path)
    assert found == pytest.approx({"valid_accuracy": 0.8, "valid_error": 0.2, "test_error": 0.25})


@pytest.mark.parametrize("unit", ["per cent", None, 100, True])
def test_an_unknown_unit_is_refused(unit: Any) -> None:
    with pytest.raises(UsageError, match="job.accuracy_unit is .*; it must be one of percent, fraction"):
        table("t.csv", accuracy_unit=unit)


@pytest.mark.parametrize("cell", ["", "NA", "nan", "null", "inf", "-1"])
def test_cells_that_are_no_number_are_still_refused(tmp_path: Path, cell: str) -> None:
    with pytest.raises(UsageError, match=r"column r \(job.reward\) must hold a number of at least 0 in every row"):
        table(written(tmp_path, "a,80", f"b,{cell}")).environment()


def test_a_row_may_say_that_its_training_failed(tmp_path: Path) -> None:
    job = table(written(tmp_path, "a,80", "b,failed"))
    assert looked_up(job, "a", tmp_path)["valid_accuracy"] == 0.8
    [result] = job.evaluate(Unit((Candidate(0, 0, 0, Proposal("b")),)), RunDirectory(tmp_path))
    assert result.status == "failed" and result.error is not None and result.error.kind == "missing_metric"
    only = table(written(tmp_path, "b,failed"))
    [result] = only.evaluate(Unit((Candidate(0, 0, 0, Proposal("b")),)), RunDirectory(tmp_path))
    assert result.status == "failed"
    with pytest.raises(UsageError, match="must hold a number of at least 0 in every row"):
        table(written(tmp_path, "a,80", "b,fail")).environment()


@pytest.mark.parametrize("name", ["t.csv.zip", "t.csv.gz", "t.csv.xz", "t.csv.bz2", "t.csv.zst", "t.tar", "t.csv"])
def test_a_file_that_is_no_table_is_one_line_with_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff\xfe no table \x00\x9f" * 9)
    with pytest.raises(UsageError, match=rf"{name} cannot be read as CSV \(.*\); pass job.path=FILE.csv") as raised:
        table(tmp_path / name).environment()
    assert "\n" not in str(raised.value)


def test_an_archive_of_two_tables_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "w") as file:
        file.writestr("a.csv", "arch,r\na,80\n")
        file.writestr("b.csv", "arch,r\na,80\n")
    with pytest.raises(UsageError, match="t.csv.zip cannot be read as CSV .*files"):
        table(tmp_path / "t.csv.zip").environment()


def test_looking_for_the_table_does_not_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    written(tmp_path, "no number at all")
    table("~/table.csv").check_there()
    for path in ("~/absent.csv", "~", "/dev/null"):
        with pytest.raises(UsageError, match="pass job.path=FILE.csv"):
            table(path).check_there()
    with pytest.raises(UsageError, match="job.path is 3, which is no path"):
        Table(space=Words(), path=3)  # type: ignore[arg-type]


def test_further_columns_are_metrics(tmp_path: Path) -> None:
    path = written(tmp_path, "a,80,12.5,-3", "b,70,9,0", header="arch,r,pixel3_ms,score")
    job = table(path, metrics={"latency_ms": "pixel3_ms", "score": "score"})
    assert job.metrics["latency_ms"] == Metric("min", of="pixel3") and job.metrics["score"] == Metric("min")
    found = looked_up(job, "a", tmp_path)
    assert (found["latency_ms"], found["score"]) == (12.5, -3.0)
    assert "latency_ms" not in table(path).metrics


@pytest.mark.parametrize(
    ("metrics", "rows", "said"),
    [
        ({"valid_error": "ms"}, ["a,80,1"], "job.metrics.valid_error: a metric is named in small letters, and not"),
        ({"Latency": "ms"}, ["a,80,1"], "job.metrics.Latency: a metric is named in small letters"),
        ({"latency": 3}, ["a,80,1"], "job.metrics.latency is 3; it must be the name of a column"),
        ({"latency": "seconds"}, ["a,80,1"], "has no column seconds"),
        ({"latency": "ms"}, ["a,80,"], r"column ms \(job.metrics.latency\) must hold a number in every row"),
        ({"latency": "ms"}, ["a,80,inf"], "must hold a number in every row"),
    ],
)
def test_further_columns_that_are_none_are_refused(tmp_path: Path, metrics: Any, rows: list[str], said: str) -> None:
    path = written(tmp_path, *rows, header="arch,r,ms")
    with pytest.raises(UsageError, match=said):
        table(path, metrics=metrics).environment()
