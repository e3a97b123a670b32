"""What the train job measures of networks when it is asked: exactly that, and no result changes for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benches import bench, unit
from training_jobs import DIGITS, GENOME, SPACE, Folders, candidate, trainer

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Metric, Result
from evonas_cli.core.wanted import NOTHING, Wanted
from evonas_cli.jobs.size import Size
from evonas_cli.jobs.train import Train

OTHER = ("nor_conv_3x3", "none", "none", "skip_connect", "none", "skip_connect")


def job(wanted: Wanted = NOTHING, **settings: Any) -> Train:
    return Train(SPACE, DIGITS, trainer(epochs=1), 5, "cpu", True, 1, wanted=wanted, **settings)


def evaluated(what: Train, *genomes: Any) -> list[Result]:
    asked = [candidate(id, genome) for id, genome in enumerate(genomes or [GENOME])]
    return list(bench(what).evaluate(unit(asked), Folders()))


@pytest.fixture(scope="module")
def plain() -> Result:
    [result] = evaluated(job())
    return result


def test_nothing_more_is_measured_unless_it_is_asked_for(plain: Result) -> None:
    assert not {"depth", "model_bytes", "latency_ms", "peak_memory_mb", "energy_j"} & set(plain.metrics)
    assert "timing" not in bench(job()).environment()
    assert job(Wanted(bounded=("depth",))).metrics == job().metrics
    assert job().static_names == ("parameters", "multiply_adds", "depth")


def test_what_is_asked_for_is_measured_and_no_other_bit_changes(plain: Result) -> None:
    what = job(Wanted(("latency_ms",), ("peak_memory_mb",)), measure=["depth", "model_bytes"], latency_repeats=30)
    [result] = evaluated(what)
    more = {"depth", "model_bytes", "latency_ms", "latency_spread_ms", "peak_memory_mb"}
    assert set(result.metrics) == set(what.metrics) == {*plain.metrics, *more}
    assert {name for name, metric in what.metrics.items() if metric.measured} == {
        *("latency_ms", "latency_spread_ms", "peak_memory_mb", "train_seconds"),
    }
    same = set(plain.metrics) - {"train_seconds"}
    assert {name: result.metrics[name] for name in same} == {name: plain.metrics[name] for name in same}
    assert result.metrics["latency_ms"] > 0 and result.metrics["latency_spread_ms"] >= 0
    assert result.metrics["model_bytes"] > 4 * result.metrics["parameters"]
    assert result.metrics["peak_memory_mb"] * 1e6 > 3 * 4 * result.metrics["parameters"]  # weights, gradients, momentum
    environment = bench(what).environment()
    assert environment["timing"] == {"precision": "fp32", "batch": 1, "repeats": 30, "warmup": 10}


def test_networks_trained_side_by_side_are_measured_one_by_one() -> None:
    what = job(measure=["peak_memory_mb"])
    [one] = evaluated(what)
    asked = [candidate(id) for id in range(3)]
    [together] = what.units(asked, bench(what).environment())
    results = list(bench(what).evaluate(together, Folders()))
    assert together.width > 1 and len(results) == 3
    assert [r.metrics["peak_memory_mb"] for r in results] == pytest.approx([one.metrics["peak_memory_mb"]] * 3, rel=0.1)


def latencies(folder: Path) -> Path:
    path = folder / "latencies.csv"
    path.write_text(f"arch,ms\n{SPACE.to_json(GENOME)},2.5\n")
    return path


def test_a_latency_from_a_table_is_exact_and_known_before_training(tmp_path: Path) -> None:
    table = {"latency_table": str(latencies(tmp_path)), "latency_column": "ms"}
    what = job(Wanted(("latency_ms",)), **table)
    assert what.metrics["latency_ms"] == Metric("min", of="ms") and "latency_spread_ms" not in what.metrics
    environment = bench(what).environment()
    assert len(environment["latency_table"]) == 64 and "timing" not in environment
    known, unknown = (what.static_metrics(genome, environment) for genome in (GENOME, OTHER))
    assert known is not None and known["latency_ms"] == 2.5 and unknown is None
    found, missing = evaluated(what, GENOME, OTHER)
    assert found.metrics["latency_ms"] == 2.5
    assert missing.status == "failed" and missing.error is not None and missing.error.kind == "missing_metric"
    assert "latencies.csv has no row for the genome" in missing.error.text
    bounded = job(Wanted(bounded=("latency_ms",)), **table)
    assert "latency_ms" in bounded.static_names and "latency_ms" not in bounded.metrics
    assert evaluated(bounded, OTHER)[0].status == "failed"


def test_a_table_that_nothing_asks_for_is_refused(tmp_path: Path) -> None:
    table = {"latency_table": str(latencies(tmp_path)), "latency_column": "ms"}
    with pytest.raises(UsageError, match="nothing asks for latency_ms; name latency_ms in objectives"):
        job(**table)
    with pytest.raises(UsageError, match="latency_spread_ms is that of a clock"):
        job(measure=["latency_ms", "latency_spread_ms"], **table)
    with pytest.raises(UsageError, match="has no column s"):
        job(measure=["latency_ms"], **{**table, "latency_column": "s"}).check_there()


def test_the_size_job_counts_bytes_and_looks_latencies_up(tmp_path: Path) -> None:
    assert set(Size(SPACE, DIGITS).metrics) == {"parameters", "multiply_adds", "depth"}
    table = {"latency_table": str(latencies(tmp_path)), "latency_column": "ms"}
    what = Size(SPACE, DIGITS, wanted=Wanted(("latency_ms", "model_bytes", "depth")), **table)
    found, missing = what.evaluate(unit([candidate(0), candidate(1, OTHER)]), Folders())
    assert set(found.metrics) == set(what.metrics) and found.metrics["latency_ms"] == 2.5
    assert missing.error is not None and missing.error.kind == "missing_metric"
    with pytest.raises(UsageError, match="job=size has no clock; pass job.latency_table"):
        Size(SPACE, DIGITS, measure=["latency_ms"])
    with pytest.raises(UsageError, match="peak_memory_mb: job=size does not train"):
        Size(SPACE, DIGITS, measure=["peak_memory_mb"])
