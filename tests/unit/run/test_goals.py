"""Whole runs with rewards, constraints and latencies from a table; all in this process and without training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.core.types import Metric
from evonas_cli.report.reading import Reading, read_run
from evonas_cli.report.refused import refused
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.measures import measures
from evonas_cli.run.replay import replay
from evonas_cli.run.search import search
from evonas_cli.run.session import create, reopen
from evonas_cli.run.verify import verify
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.store.directory import RunDirectory

OPERATIONS = ("none", "skip_connect", "nor_conv_3x3")
SPACE = NasBench201(operations=OPERATIONS)
MIXED = "scalarize={form: mixed, a: 0.5, accuracy: valid_accuracy, cost: latency_ms, bounds: [0, 6]}"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Accuracy and latency of all 729 cells: both rise with the number of convolutions."""
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    rows = ["arch,c10_val12,c10_test200,c10_train_s200,c10_params_m,c10_flops_m,ms"]
    for code in range(3**6):
        genome = tuple(OPERATIONS[code // 3**place % 3] for place in range(6))
        heavy = genome.count("nor_conv_3x3")
        rows.append(
            f"{SPACE.to_json(genome)},{40 + 8 * heavy + code % 7},50,{100 + code},{1 + heavy},{1 + heavy},{heavy}"
        )
    path.write_text("\n".join(rows) + "\n")
    return path


def made(table: Path, *overrides: str) -> Parts:
    plain = ["space=nasbench201", f"space.operations=[{','.join(OPERATIONS)}]", "job=table", f"job.path={table}"]
    plain += [f"job.latency_table={table}", "job.latency_column=ms", "strategy=regularized_evolution"]
    plain += ["strategy.population_size=10", "budget.evaluations=80"]
    return assembled(*plain, *overrides)


def assembled(*overrides: str) -> Parts:
    """Of overrides of one key the last one counts."""
    last = {text.partition("=")[0]: text for text in overrides}
    return assemble(compose(list(last.values())).config)


def carried_out(root: Path, parts: Parts) -> RunDirectory:
    run = RunDirectory(root)
    session = create(run, parts, {}, lambda candidate, result: None, ["search"])
    search(
        session.fold, session.evaluator, session.recorder, session.deadline, session.cache, session.gate, parts.reward
    )  # fmt: skip
    session.recorder.finish(session.fold, "done", session.why())
    session.close()
    return run


def test_a_reward_is_recorded_verified_and_replayed(table: Path, tmp_path: Path) -> None:
    parts = made(table, MIXED)
    assert parts.metrics["reward"] == Metric("max") and parts.metrics["latency_ms"] == Metric("min", of="ms")
    run = carried_out(tmp_path / "run", parts)
    reading = read_run(str(run.root), tmp_path, [])
    for entry in reading.journal:
        metrics = entry["metrics"]
        assert metrics["reward"] == 0.5 * metrics["valid_accuracy"] - 0.5 * metrics["latency_ms"] / 6
    best = max(entry["metrics"]["reward"] for entry in reading.journal)
    assert reading.front()["front"][0]["metrics"]["reward"] == best
    assert verify(run, parts).ok
    assert {difference for _, difference in replay(run, parts)} == {None}


def test_a_constraint_on_a_latency_ranks_behind_what_it_keeps_out(table: Path, tmp_path: Path) -> None:
    parts = made(table, "objectives=[valid_error]", 'constraints={latency_ms: "<= 2", cost: "<= 10"}')
    run = carried_out(tmp_path / "run", parts)
    reading = read_run(str(run.root), tmp_path, [])
    assert all(member["metrics"]["latency_ms"] <= 2 for member in reading.front()["front"])
    over = [
        sum(e["metrics"][name] > limit for e in reading.journal) for name, limit in (("latency_ms", 2), ("cost", 10))
    ]
    assert over[0] > 0
    assert refused(reading) == {"latency_ms <= 2": over[0], "cost <= 10": over[1]}


def test_a_table_of_latencies_that_changed_is_another_experiment(table: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_bytes(table.read_bytes())
    overrides = ("objectives=[valid_error,latency_ms]", f"job.latency_table={copy}")
    run = carried_out(tmp_path / "run", made(table, *overrides))
    copy.write_text(copy.read_text() + "x,1,1,1,1,1,1\n")
    session = reopen(run, made(table, *overrides, "budget.evaluations=90"), lambda candidate, result: None)
    with pytest.raises(RunError, match="the table of latencies is not the one the run began with"):
        search(session.fold, session.evaluator, session.recorder, session.deadline, session.cache, session.gate)
    session.close()


def test_a_latency_without_a_table_is_refused(table: Path) -> None:
    for wish in ("objectives=[latency_ms]", 'constraints={latency_ms: "<= 2"}', MIXED, "job.measure=[latency_ms]"):
        with pytest.raises(UsageError, match="latency_ms: job=table has no clock; pass job.latency_table=FILE.csv"):
            made(table, wish, "job.latency_table=null", "job.latency_column=null")


def sized(*overrides: str) -> Parts:
    plain = ("space=nasbench201", "job=size", "strategy=random", "window=1", "budget.evaluations=60")
    return assembled(*plain, *overrides)


def test_constraints_that_all_candidates_violate_end_the_run(tmp_path: Path) -> None:
    parts = sized('constraints={depth: "<= 40", model_bytes: "<= 5"}')
    run = RunDirectory(tmp_path / "run")
    session = create(run, parts, {}, lambda candidate, result: None, ["search"])
    search(session.fold, session.evaluator, session.recorder, session.deadline, session.cache, session.gate)
    assert len(session.recorder.journal) == 20
    assert session.why() == (
        "none of the first 20 candidates satisfies the constraints, 20 of them violate model_bytes <= 5"
    )
    session.recorder.finish(session.fold, "failed", session.why())
    session.close()
    assert verify(run, parts).ok
    again = reopen(
        run, sized('constraints={depth: "<= 40", model_bytes: "<= 5"}', "budget.evaluations=90"), lambda c, r: None
    )
    search(again.fold, again.evaluator, again.recorder, again.deadline, again.cache, again.gate)
    assert len(again.recorder.journal) == 20
    again.close()
    assert refused(read_run(str(run.root), tmp_path, [])) == {"depth <= 40": 0, "model_bytes <= 5": 20}


def trained(*overrides: str) -> Parts:
    return assembled("space=nasbench201", "deterministic=false", *overrides)


def test_a_measured_source_makes_the_reward_measured() -> None:
    parts = trained(MIXED)
    assert parts.metrics["reward"] == Metric("max", measured=True, lasting=True)
    assert {"reward", "latency_ms"} <= parts.measured and not {"reward", "latency_ms"} & parts.spent
    with pytest.raises(UsageError, match="scalarize.cost: latency_ms is measured, so the run could not resume exactly"):
        trained(MIXED, "deterministic=true")


def test_copies_keep_a_latency_and_not_a_time() -> None:
    assert trained(MIXED, "dedupe=function").config["dedupe"] == "function"
    for cost in ("train_seconds", "cost"):
        with pytest.raises(UsageError, match=f"dedupe=function: {cost} is 0 for a repeated candidate"):
            trained(MIXED.replace("latency_ms", cost), "dedupe=function")


def test_all_metrics_are_listed_with_what_they_are() -> None:
    found, wrong = measures(["size", "table", "train"])
    assert not wrong and all(one.meaning for one in found.values())
    assert found["latency_ms"].metric.measured and found["latency_ms"].jobs == ("size", "table", "train")
    assert found["energy_j"].jobs == ("train",) and found["reward"].metric.direction == "max"


def test_a_reading_without_constraints_has_nothing_refused(table: Path, tmp_path: Path) -> None:
    run = carried_out(tmp_path / "run", made(table, MIXED, "budget.evaluations=10"))
    reading: Reading = read_run(str(run.root), tmp_path, [])
    assert refused(reading) == {}


def test_a_reward_can_be_bounded_too(table: Path, tmp_path: Path) -> None:
    parts: Any = made(table, MIXED, 'constraints={reward: ">= 0.2"}')
    run = carried_out(tmp_path / "run", parts)
    assert all(m["metrics"]["reward"] >= 0.2 for m in read_run(str(run.root), tmp_path, []).front()["front"])
