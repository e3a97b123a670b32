"""The front's hypervolume in figures.jsonl: what fixes its reference point, and that it is the same after a resume."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sessions import run

from evonas_cli.core.errors import UsageError
from evonas_cli.core.hypervolume import hypervolume, reference_point
from evonas_cli.core.pareto import Front
from evonas_cli.run.assembly import Parts
from evonas_cli.run.verify import repair, verify
from evonas_cli.store import figures
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal

Compose = Callable[..., Parts]
TABLE = ("space=bits", "space.length=6", "job=table", "job.key=bits", "job.reward=accuracy", "job.report=null",
         "job.cost=null", "job.parameters=size", "job.multiply_adds=null", "objectives=[valid_accuracy,parameters]",
         "window=1", "snapshot.every=4")  # fmt: skip


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Accuracy rises with the ones, which cost, and with a first bit, which costs nothing."""
    rows = ["bits,accuracy,size"]
    for number in range(64):
        bits = [number >> place & 1 for place in range(6)]
        rows.append(f'"{bits}",{40 + 5 * sum(bits) + 3 * bits[0]},{1 + sum(bits[1:])}')
    path = tmp_path / "table.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def expected(root: Path, first: int, reference: tuple[float, ...] | None = None) -> list[float]:
    """The hypervolume of the front of everything up to each candidate, from the journal alone."""
    losses = [
        (-entry["metrics"]["valid_accuracy"], entry["metrics"]["parameters"])
        for entry in Journal(root / "journal.jsonl", write=False)
    ]
    reference = reference or reference_point(losses[:first])
    front, found = Front(), []
    for id, point in enumerate(losses):
        front.add(id, point)
        found.append(hypervolume([member.losses for member in front.members], reference))
    return found


def test_the_first_population_fixes_the_reference(compose_parts: Compose, table: Path, tmp_path: Path) -> None:
    parts = compose_parts(*TABLE, f"job.path={table}", "strategy=nsga2", "strategy.population_size=6",
                          "budget.evaluations=48")  # fmt: skip
    lines = run(parts, tmp_path / "run")
    volumes = expected(tmp_path / "run", 6)
    assert [line["hypervolume"] for line in lines] == [
        pytest.approx(volumes[line["evaluations"] - 1]) for line in lines
    ]
    assert lines[0]["hypervolume"] > 0 and lines[-1]["hypervolume"] > lines[0]["hypervolume"]
    assert verify(RunDirectory(tmp_path / "run"), parts).ok


def test_single_candidates_fix_it_together(compose_parts: Compose, table: Path, tmp_path: Path) -> None:
    parts = compose_parts(*TABLE, f"job.path={table}", "strategy=random", "budget.evaluations=25")
    lines = run(parts, tmp_path / "run")
    volumes = expected(tmp_path / "run", 10)
    assert [line["hypervolume"] for line in lines] == [None] * 9 + [pytest.approx(one) for one in volumes[9:]]
    assert lines[-1].keys() == {"step", "evaluations", "hypervolume"}


@pytest.mark.parametrize("stop", [3, 9, 14])
def test_a_resumed_run_has_the_same_lines(compose_parts: Compose, table: Path, tmp_path: Path, stop: int) -> None:
    parts = compose_parts(*TABLE, f"job.path={table}", "strategy=random", "budget.evaluations=25")
    whole = run(parts, tmp_path / "whole")
    assert len(run(parts, tmp_path / "run", stop)) < 25
    assert run(parts, tmp_path / "run") == whole
    directory = RunDirectory(tmp_path / "run")
    assert directory.status()["reference"].keys() == {"valid_accuracy", "parameters"}
    run(parts, tmp_path / "run")
    assert directory.status()["reference"] == RunDirectory(tmp_path / "whole").status()["reference"]
    repair(directory, parts)
    assert list(figures.read(directory.figures)) == whole


def test_a_stated_reference_counts_from_the_first_step(compose_parts: Compose, table: Path, tmp_path: Path) -> None:
    parts = compose_parts(*TABLE, f"job.path={table}", "strategy=random", "budget.evaluations=12",
                          "reference={parameters: 7e6, valid_accuracy: 0.3}")  # fmt: skip
    lines = run(parts, tmp_path / "run")
    volumes = expected(tmp_path / "run", 0, (-0.3, 7e6))
    assert [line["hypervolume"] for line in lines] == [pytest.approx(one) for one in volumes]
    assert RunDirectory(tmp_path / "run").status()["reference"] == {"valid_accuracy": 0.3, "parameters": 7e6}


def test_lines_of_a_version_without_hypervolumes_are_no_damage(
    compose_parts: Compose, table: Path, tmp_path: Path
) -> None:
    parts = compose_parts(*TABLE, f"job.path={table}", "strategy=nsga2", "budget.evaluations=40")
    lines = run(parts, tmp_path / "run")
    directory = RunDirectory(tmp_path / "run")
    older = [{key: value for key, value in line.items() if key != "hypervolume"} for line in lines]
    directory.figures.write_text("".join(json.dumps(line) + "\n" for line in older))
    assert verify(directory, parts).ok
    wrong = [{**line, "hypervolume": 1.0} for line in lines]
    directory.figures.write_text("".join(json.dumps(line) + "\n" for line in wrong))
    assert not verify(directory, parts).ok


def test_one_objective_has_no_hypervolume(compose_parts: Compose, table: Path, tmp_path: Path) -> None:
    one = [word for word in TABLE if not word.startswith("objectives")]
    parts = compose_parts(*one, f"job.path={table}", "strategy=nsga2", "budget.evaluations=40")
    assert all("hypervolume" not in line for line in run(parts, tmp_path / "run"))
    assert "reference" not in RunDirectory(tmp_path / "run").status()


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("reference={valid_accuracy: 0.1}", "state one number for each objective"),
        ("reference={valid_accuracy: 0.1, size: 3}", "state one number for each objective"),
        ("reference={valid_accuracy: 0.1, parameters: many}", "reference.parameters is 'many'; it must be a number"),
        ("reference=3", "reference is 3"),
    ],
)
def test_a_reference_that_is_none_is_refused(compose_parts: Compose, table: Path, override: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace(".", r"\.")):
        compose_parts(*TABLE, f"job.path={table}", "strategy=random", override)


def test_a_reference_for_one_objective_is_refused(compose_parts: Compose, table: Path) -> None:
    one = [word for word in TABLE if not word.startswith("objectives")]
    with pytest.raises(UsageError, match="a run of one objective"):
        compose_parts(*one, f"job.path={table}", "strategy=random", "reference={valid_error: 1.0}")


def test_the_reference_belongs_to_the_identity(compose_parts: Compose, table: Path) -> None:
    from evonas_cli.run.identity import identity

    plain = compose_parts(*TABLE, f"job.path={table}", "strategy=random")
    stated = compose_parts(*TABLE, f"job.path={table}", "strategy=random",
                           "reference={parameters: 7e6, valid_accuracy: 0.3}")  # fmt: skip
    assert not any(key.startswith("reference") for key in identity(plain.config))
    assert identity(stated.config)["reference.parameters"] == 7e6
    assert replace(plain, reference=stated.reference).fold().reference == (-0.3, 7e6)
