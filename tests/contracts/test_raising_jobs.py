"""The place in a user's code where a job raised is named, in a candidate's failure and when a worker cannot begin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made import HERE, make

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Json, Result, Unit
from evonas_cli.testing.doubling import Doubling, alone, candidate
from evonas_cli.testing.evaluators import collect


class Unlucky(Doubling):
    """Raises for every candidate."""

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        raise ValueError("bad\nluck")
        yield


class Homeless(Doubling):
    """Raises before the first candidate is there."""

    def environment(self) -> dict[str, Json]:
        raise KeyError("no such device")


@pytest.mark.parametrize("name", HERE)
def test_a_failure_names_the_line(name: str, tmp_path: Path) -> None:
    evaluator = make(name, tmp_path, Unlucky())
    evaluator.start()
    evaluator.submit(alone(candidate(1, 3)))
    [result] = collect(evaluator, 1)
    evaluator.close()
    assert result.error is not None and result.error.kind == "error"
    assert result.error.text.startswith("test_raising_jobs.py:")
    assert result.error.text.endswith("Unlucky.evaluate: ValueError: bad luck")
    assert "bad\nluck" in (tmp_path / "candidates" / "1" / "traceback.txt").read_text()


def test_a_worker_that_cannot_begin_for_the_users_code_is_no_broken_machine(tmp_path: Path) -> None:
    pool = make("pool", tmp_path, Homeless())
    with pytest.raises(
        UsageError, match=r"test_raising_jobs.py:\d+ in Homeless.environment: KeyError: 'no such device'"
    ):
        pool.start()
    pool.close()
