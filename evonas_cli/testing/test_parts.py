"""The cases that `evonas_cli.testing.plugin` makes; without the plugin there are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from evonas_cli.run.assembly import Parts
from evonas_cli.store.directory import RunDirectory
from evonas_cli.testing.jobs import sampled
from evonas_cli.testing.strategies import LAWS_ON_DISK


def test_space(space_law: Callable[[Any], None], space: Any) -> None:
    """One law of spaces."""
    space_law(space)


def test_strategy(strategy_law: Callable[..., None], strategy: Any, space: Any, tmp_path: Path) -> None:
    """One law of strategies."""
    strategy_law(strategy, space, *((tmp_path,) if strategy_law in LAWS_ON_DISK else ()))


def test_job(job_law: Callable[..., None], parts: Callable[[], Parts], tmp_path: Path) -> None:
    """One law of jobs, on genomes of the search's own space."""
    made = parts()
    job_law(made.job, sampled(made.space), tmp_path)


def test_evaluator(evaluator_law: Callable[..., None], make: Callable[..., Any], tmp_path: Path) -> None:
    """One law of evaluators."""
    evaluator_law(lambda job: make(job=job, context=RunDirectory(tmp_path)))
