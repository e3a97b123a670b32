"""Every configured job keeps the contract of Job: one result a candidate, declared metrics, the same bits again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.config.folders import options
from evonas_cli.core.evaluating import Job
from evonas_cli.core.types import Candidate, Proposal
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.store.directory import RunDirectory

SMALL = ("trainer.epochs=1", "dataset.limit=200", "space.channels=4")
NEEDED: dict[str, tuple[str, ...]] = {
    "landscape": ("space=chain_landscape",),
    "language": ("space=rnn_cell", "job.hidden=8", "trainer.epochs=1"),
    "size": ("space=nasbench201",),
    "table": ("space=nasbench201",),
    "train": ("space=nasbench201", *SMALL),
}
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table in NAS-Bench-201's form of the five cells that repeat one operation."""
    lines = ["arch,c10_val12,c10_test200,c10_train_s200,c10_params_m,c10_flops_m"]
    for n, op in enumerate(OPERATIONS):
        cell = f"|{op}~0|+|{op}~0|{op}~1|+|{op}~0|{op}~1|{op}~2|"
        lines.append(f"{cell},{50 + 7 * n},{60 + 5 * n},{1000 + n},{0.1 * (n + 1)},{10 + n}")
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(params=list(options("job")))
def case(request: pytest.FixtureRequest, table: Path) -> tuple[str, Parts]:
    name = request.param
    more = (f"job.path={table}",) if name == "table" else ()
    return name, assemble(compose([f"job={name}", *NEEDED[name], *more]).config)


def candidates(name: str, parts: Parts) -> list[Candidate[Any]]:
    rng = Random(3)
    genomes = (
        [tuple([op] * 6) for op in OPERATIONS[1:3]] if name == "table" else [parts.space.sample(rng) for _ in "ab"]
    )
    return [Candidate(id, id, 100 + id, Proposal(genome)) for id, genome in enumerate(genomes)]


def test_every_job_is_covered() -> None:
    assert set(NEEDED) == set(options("job"))


def test_one_result_each_with_the_declared_metrics(case: tuple[str, Parts], tmp_path: Path) -> None:
    name, parts = case
    job, context = parts.recipe(), RunDirectory(tmp_path)
    assert isinstance(job, Job)
    asked = candidates(name, parts)
    results = {result.id: result for result in job(asked, context)}
    assert sorted(results) == [candidate.id for candidate in asked]
    for result in results.values():
        assert result.status == "ok" and result.error is None
        assert set(job.metrics) <= set(result.metrics)
        assert all(math.isfinite(value) for value in result.metrics.values())
        assert all(metric.direction in ("min", "max") for metric in job.metrics.values())


def test_the_same_candidate_gives_the_same_bits(case: tuple[str, Parts], tmp_path: Path) -> None:
    name, parts = case
    context, asked = RunDirectory(tmp_path), candidates(name, parts)
    first, second = parts.recipe(), parts.recipe()
    assert first.environment() == second.environment()

    def unmeasured(results: Iterator[Any]) -> list[Any]:
        return sorted(
            (r.id, r.status, sorted((k, v) for k, v in r.metrics.items() if not k.endswith("_seconds")))
            for r in results
        )

    together = unmeasured(first(asked, context))
    apart = unmeasured(iter([result for candidate in reversed(asked) for result in second([candidate], context)]))
    assert together == apart


def test_the_candidates_seed_is_the_only_randomness(case: tuple[str, Parts], tmp_path: Path) -> None:
    name, parts = case
    if name in ("table", "size"):
        pytest.skip("a table, and the size of a plan, have no randomness")
    job, context = parts.recipe(), RunDirectory(tmp_path)
    [one, _] = candidates(name, parts)
    [first], [other] = (list(job([replace(one, seed=seed)], context)) for seed in (1, 2))
    assert (
        first.metrics["valid_error" if name == "landscape" else "valid_loss"]
        != (other.metrics["valid_error" if name == "landscape" else "valid_loss"])
    )
