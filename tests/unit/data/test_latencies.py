"""Tables of latencies: what is found in them, and what is wrong with them, before anything is trained."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.data.latencies import Latencies


class Words:
    """Genomes are stored as they are."""

    def to_json(self, genome: Any) -> Any:
        return genome


SPACE: Any = Words()


def written(folder: Path, text: str) -> Path:
    path = folder / "latencies.csv"
    path.write_text(text)
    return path


def of(path: Path, column: str = "ms", key: str = "arch") -> Latencies:
    return Latencies(str(path), key, column)


def test_rows_are_found_by_the_genome_as_it_is_written(tmp_path: Path) -> None:
    path = written(tmp_path, 'n,arch,ms,other\n0,a,1.5,9\n1,"[1, 2]",0,9\n2,02,7e-1,9\n')
    table = of(path)
    assert [table.of(genome, SPACE) for genome in ("a", [1, 2], "02", "2")] == [1.5, 0.0, 0.7, None]
    assert table.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [of(path, column).device for column in ("pixel3_ms", "ms", "other")] == ["pixel3", "ms", "other"]
    packed = tmp_path / "latencies.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert of(packed, "other").of("a", SPACE) == 9.0
    assert "latencies.csv has no row for the genome in its column arch" in table.lack


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("arch,x\na,1\n", "has no column ms (it has arch, x); set job.latency_key and job.latency_column"),
        ("", "has no column arch, ms"),
        ("arch,ms\na,1\na,2\n", "has a in two rows; keep one of them"),
        ("arch,ms\na,-1\n", "column ms has '-1' in row 2; a latency is a number of milliseconds"),
        ("arch,ms\na,1\nb,\n", "column ms has '' in row 3"),
        ("arch,ms\na,inf\n", "column ms has 'inf'"),
        ("arch,ms\na\n", "row 2 has 1 cells, the header 2"),
        ('arch,ms\n"a,1\n', "cannot be read as CSV"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        of(written(tmp_path, text)).check_there()
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_a_table_that_is_not_there_and_one_without_a_column(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none.csv not found; pass job.latency_table=FILE.csv"):
        of(tmp_path / "none.csv").check_there()
    with pytest.raises(UsageError, match="pass job.latency_column=NAME"):
        Latencies("x.csv", "arch", None)
