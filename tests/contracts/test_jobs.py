"""Every configured job keeps the contract of Job, and the candidate's seed is its only randomness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.config.folders import options
from evonas_cli.core.evaluating import Place
from evonas_cli.core.types import Candidate, Proposal, Unit
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.store.directory import RunDirectory
from evonas_cli.testing import jobs as contract

SMALL = ("trainer.epochs=1", "dataset.limit=200", "space.channels=4")
INNER = "['strategy=regularized_evolution','space=bits','job=landscape','budget.evaluations=70']"
CAPTIONS = ("dataset.n_train=64", "dataset.n_valid=20", "job.scores=[bleu1,token_accuracy]", "trainer.epochs=1")
NEEDED: dict[str, tuple[str, ...]] = {
    "captions": CAPTIONS,
    "control": ("strategy=random", "space.inputs=4", "space.outputs=2", "job.episodes=2", "job.steps=20"),
    "diffusion": ("job.samples=20", "trainer.epochs=1", "dataset.n_train=128", "dataset.n_valid=20"),
    "landscape": ("space=chain_landscape",),
    "language": ("space=rnn_cell", "job.hidden=8", "trainer.epochs=1"),
    "neurons": ("strategy=random", "job.steps=20", "job.check_every=10"),
    "neurons_evolved": ("strategy=random",),
    "search": ("strategy=random", "space=settings", "job.common=false", f"job.inner={INNER}"),
    "size": ("space=nasbench201",),
    "table": ("space=nasbench201",),
    "train": ("space=nasbench201", *SMALL),
    "zero_cost": ("space=nasbench201", "job.batch=8", *SMALL),
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
    if name == "control":
        pytest.importorskip("gymnasium", reason="needs gymnasium: pip install 'evonas[control]'")
    more = (f"job.path={table}",) if name == "table" else ()
    config = compose([f"job={name}", *NEEDED[name], *more]).config
    own = {"space": {"_target_": "neural_space.Graphs"}} if name == "neurons" else {}
    return name, assemble({**config, **own}, ("neural_space",))


def asked(name: str, parts: Parts) -> list[Candidate[Any]]:
    found = contract.sampled(parts.space, 2)
    if name != "table":
        return found
    return [replace(each, proposal=Proposal((op,) * 6)) for each, op in zip(found, OPERATIONS[1:3], strict=True)]


def test_every_job_is_covered() -> None:
    assert set(NEEDED) == set(options("job"))


@pytest.mark.parametrize("law", contract.LAWS)
def test_the_law_holds(law: Callable[[Any, Any, Path], None], case: tuple[str, Parts], tmp_path: Path) -> None:
    name, parts = case
    law(parts.job, asked(name, parts), tmp_path)


def test_the_candidates_seed_is_the_only_randomness(case: tuple[str, Parts], tmp_path: Path) -> None:
    name, parts = case
    if name in ("control", "table", "size", "neurons", "neurons_evolved"):
        pytest.skip("a table, the size of a plan, genomes with weights, and starts of episodes have no randomness")
    bench, context = parts.job.open(Place()), RunDirectory(tmp_path)
    [one, _] = asked(name, parts)
    [first], [other] = (list(bench.evaluate(Unit((replace(one, seed=seed),)), context)) for seed in (1, 2))
    metric = {"landscape": "valid_error", "search": "loss", "zero_cost": "score"}.get(name, "valid_loss")
    assert first.metrics[metric] != other.metrics[metric]
