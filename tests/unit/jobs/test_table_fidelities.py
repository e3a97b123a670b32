"""A table that answers for several fidelities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Candidate, Proposal, Unit
from evonas_cli.jobs.table import Table
from evonas_cli.spaces.bits import Bits
from evonas_cli.store.directory import RunDirectory

SPACE = Bits(1)
LEVELS = {0.06: {"reward": "short", "cost_scale": 0.06}, 1: {"reward": "long", "cost_scale": 1}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two genomes, each trained shortly and in full."""
    rows = [f'"{SPACE.to_json(genome)}",{70 + 5 * genome[0]},{90 - genome[0]},95,1000' for genome in ((0,), (1,))]
    file = tmp_path / "table.csv"
    file.write_text("\n".join(["arch,short,long,test,seconds", *rows]) + "\n")
    return file


def table(path: Path, **given: Any) -> Table:
    columns = {"reward": "short", "report": "test", "cost": "seconds", "parameters": None, "multiply_adds": None}
    return Table(**({"space": SPACE, "path": str(path), **columns} | given))


def looked_up(job: Table, path: Path, fidelity: float) -> dict[str, float]:
    proposal = Proposal((1,), fidelity=fidelity)
    [result] = job.evaluate(Unit((Candidate(4, 0, 0, proposal),)), RunDirectory(path.parent))
    return dict(result.metrics)


def test_each_fidelity_has_its_columns_and_costs_its_epochs(path: Path) -> None:
    job = table(path, fidelities=LEVELS)
    short, full = looked_up(job, path, 12 / 200), looked_up(job, path, 1.0)
    assert (short["valid_accuracy"], short["cost"], short["test_error"]) == pytest.approx((0.75, 60.0, 0.05))
    assert (full["valid_accuracy"], full["cost"], full["test_error"]) == pytest.approx((0.89, 1000.0, 0.05))
    assert set(job.metrics) <= set(short) == set(full)


def test_without_fidelities_the_columns_are_those_of_full_training(path: Path) -> None:
    assert looked_up(table(path), path, 1.0) == looked_up(table(path, fidelities={1.0: {}}), path, 1.0)
    assert looked_up(table(path), path, 1.0)["cost"] == pytest.approx(60.0)


def test_a_fraction_is_found_by_its_decimals(path: Path) -> None:
    job = table(path, fidelities={0.3333333: {}, 1.0: {"reward": "long"}})
    assert looked_up(job, path, 1 / 3)["valid_accuracy"] == pytest.approx(0.75)


@pytest.mark.parametrize(("levels", "known"), [(None, "has 1"), (LEVELS, r"has 0\.06, 1")])
def test_another_fidelity_is_refused_with_those_there_are(path: Path, levels: Any, known: str) -> None:
    with pytest.raises(UsageError, match=rf"candidate 4 .* fidelity 0\.5, .*{known}\)"):
        looked_up(table(path, fidelities=levels), path, 0.5)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ({}, "job.fidelities is empty"),
        ({1.5: {}}, "job.fidelities.1.5: a fidelity is a number above 0, at most 1"),
        ({0: {}}, "job.fidelities.0: a fidelity"),
        ({"half": {}}, "job.fidelities.half: a fidelity"),
        ({0.5: "short"}, "it must say which columns differ"),
        ({0.5: {"rewards": "short"}}, r"names rewards, which it cannot replace \(it can: reward, report, cost, cost_s"),
        ({0.5: {"parameters": "long"}}, "names parameters, which it cannot replace"),
        ({0.5: {"reward": None}}, "job.fidelities.0.5.reward is None; it must be the name of a column"),
        ({0.5: {"cost_scale": 0}}, "job.fidelities.0.5.cost_scale is 0; it must be a number above 0"),
    ],
)
def test_fidelities_that_make_no_sense(path: Path, levels: Any, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        table(path, fidelities=levels)


def test_a_column_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(UsageError, match="has no column longer"):
        looked_up(table(path, fidelities={1.0: {"reward": "longer"}}), path, 1.0)
