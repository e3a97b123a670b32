"""The job that scores networks before training: alone, beside another job, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benches import bench, unit

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Candidate, Proposal, Result
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.store.directory import RunDirectory
from evonas_cli.training.zero_cost.scores import SCORES

CELLS = ("space=nasbench201", "space.channels=4", "space.cells_per_stage=1")
SMALL = ("dataset.limit=200", "device=cpu", *CELLS)
BUSY, SKIPS, DEAD = (("nor_conv_3x3",) * 6, ("skip_connect",) * 6, ("none",) * 6)


def parts(*words: str) -> Parts:
    return assemble(compose(["job=zero_cost", "strategy=random", *words]).config)


def scored(job: Any, folder: Path, *genomes: Any, name: str = "") -> list[Result]:
    asked = [Candidate(id, 0, 7, Proposal(genome, job=name)) for id, genome in enumerate(genomes)]
    return list(bench(job).evaluate(unit(asked), RunDirectory(folder)))


@pytest.mark.parametrize("score", SCORES)
def test_more_is_better_for_every_score(score: str, tmp_path: Path) -> None:
    job: Any = parts(f"job.score={score}", "job.batch=8", *SMALL).job
    assert job.metrics["score"].direction == "max"
    busy, skips = scored(job, tmp_path, BUSY, SKIPS)
    assert busy.status == skips.status == "ok"
    assert busy.metrics["parameters"] > skips.metrics["parameters"]
    if score not in ("jacob_cov", "naswot"):
        assert busy.metrics["score"] > skips.metrics["score"]
    static = job.static_metrics(BUSY, bench(job).environment())
    assert static == {name: busy.metrics[name] for name in static}


def test_a_network_without_a_score_fails(tmp_path: Path) -> None:
    [dead] = scored(parts("job.score=naswot", "job.batch=8", *SMALL).job, tmp_path, DEAD)
    assert dead.error is not None and dead.error.kind == "not_finite"
    assert dead.error.text == "the network has no naswot, which comes out as -inf"


def test_a_network_above_the_trainers_cap_fails(tmp_path: Path) -> None:
    [busy] = scored(parts("trainer.max_parameters=100", *SMALL).job, tmp_path, BUSY)
    assert busy.error is not None and busy.error.kind == "over_cap"


def test_as_a_further_job_it_scores_as_alone(tmp_path: Path) -> None:
    node = "{zero: {_target_: evonas_cli.jobs.zero_cost.ZeroCost, batch: 8}}"
    beside: Any = assemble(compose([f"jobs={node}", "strategy=random", "trainer.epochs=1", *SMALL]).config).job
    [found], [alone] = (
        scored(beside, tmp_path, BUSY, name="zero"),
        scored(parts("job.batch=8", *SMALL).job, tmp_path, BUSY),
    )
    assert found.metrics == alone.metrics and found.labels == alone.labels


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("job.score=synflo",), "job.score is 'synflo'; did you mean synflow. .it may be parameters, multiply_adds,"),
        (("job.batch=1",), "job.batch is 1; it must be an integer of at least 2"),
        (("space=bits",), "job ZeroCost needs a space that is Buildable, which Bits is not"),
        (("dataset=copy",), "job=zero_cost needs examples with targets, which the dataset Copy has not"),
    ],
)
def test_what_does_not_fit_is_refused(words: tuple[str, ...], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        parts(*words)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("job.batch=500",), "job.batch is 500, and there are .* training examples; lower it"),
        (("job.score=jacob_cov", "job.batch=64"), "job.batch is 64, and an input has 64 numbers"),
    ],
)
def test_a_batch_that_the_data_has_not_is_refused(words: tuple[str, ...], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        bench(parts(*words, *SMALL).job).environment()
