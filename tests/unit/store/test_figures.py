"""figures.jsonl has one line for each told step, whatever happened to the process that wrote it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sessions

from evonas_cli.core.types import Json
from evonas_cli.run.assembly import Parts
from evonas_cli.store.directory import RunDirectory
from evonas_cli.strategies.random import Count, RandomSearch


@dataclass(frozen=True, kw_only=True)
class Counting(RandomSearch[object]):
    """Random search that tells how many it has asked."""

    def figures(self, state: Count) -> dict[str, Json]:
        return {"asked": state.asked, "halves": [state.asked / 2]}


def run(parts: Parts, root: Path, evaluations: int, stop_after: int | None = None) -> list[dict[str, Json]]:
    """A session under a budget of so many evaluations."""
    return sessions.run(
        replace(parts, config={**parts.config, "budget": {"evaluations": evaluations}}), root, stop_after
    )


@pytest.fixture
def parts(compose_parts: Callable[..., Parts]) -> Parts:
    made = compose_parts("space=bits", "job=landscape", "strategy=random", "window=1")
    return replace(made, strategy=Counting(space=made.space))


def test_a_line_a_step(parts: Parts, tmp_path: Path) -> None:
    lines = run(parts, tmp_path / "run", 10)
    assert lines == [{"step": n, "evaluations": n + 1, "asked": n + 1, "halves": [(n + 1) / 2]} for n in range(10)]


@pytest.mark.parametrize("stop", [3, 6, 9])
def test_a_killed_run_ends_with_the_same_lines(parts: Parts, tmp_path: Path, stop: int) -> None:
    whole = run(parts, tmp_path / "whole", 10)
    assert len(run(parts, tmp_path / "run", 10, stop)) < 10
    with (tmp_path / "run/figures.jsonl").open("a") as file:
        file.write('{"step": 4, "eval')
    assert run(parts, tmp_path / "run", 10) == whole


def test_a_longer_budget_continues_the_file(parts: Parts, tmp_path: Path) -> None:
    run(parts, tmp_path / "run", 6)
    assert run(parts, tmp_path / "run", 10) == run(parts, tmp_path / "whole", 10)


def test_a_strategy_without_figures_has_no_file(compose_parts: Callable[..., Parts], tmp_path: Path) -> None:
    assert run(compose_parts("space=bits", "job=landscape", "strategy=random", "window=1"), tmp_path / "run", 5) == []
    assert not (tmp_path / "run/figures.jsonl").exists()


def test_verification_compares_the_lines(parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from evonas_cli.run.verify import verify

    run(parts, tmp_path / "run", 6)
    directory = RunDirectory(tmp_path / "run")
    parts = replace(parts, config={**parts.config, "budget": {"evaluations": 6}})
    assert verify(directory, parts).ok
    lines = directory.figures.read_text().splitlines()
    entry = json.loads(lines[2])
    lines[2] = json.dumps({**entry, "asked": 99})
    directory.figures.write_text("\n".join(lines) + "\n")
    [problem] = verify(directory, parts).problems
    assert "figures.jsonl is not what the journal gives" in problem
