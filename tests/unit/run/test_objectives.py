"""Which objectives a run has that names none, and which it may have on its data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json, Metric
from evonas_cli.run.fit import check_measured, preferred


class Plain:
    """A job as far as these checks look at it."""

    def __init__(self, *names: str) -> None:
        self.metrics = {name: Metric("min") for name in names}


class Narrow(Plain):
    """A job that measures b on large data alone, and prefers it."""

    objectives = ("b",)

    def measured_on(self, environment: Mapping[str, Json]) -> Mapping[str, Metric]:
        return {name: metric for name, metric in self.metrics.items() if name != "b" or environment["large"]}

    def foreseen(self) -> Mapping[str, Metric]:
        return self.metrics


def test_a_job_that_prefers_nothing_has_the_usual_objectives_as_far_as_it_measures_them() -> None:
    job: Any = Plain("parameters", "valid_error", "x")
    assert preferred(job) == ["valid_error", "parameters"]
    only: Any = Plain("valid_error")
    assert preferred(only) == ["valid_error"]
    odd: Any = Plain("y", "x")
    with pytest.raises(UsageError, match="Plain prefers none; name some of its metrics: x, y"):
        preferred(odd)


def test_a_jobs_preference_and_what_it_measures_on_the_data() -> None:
    job: Any = Narrow("a", "b")
    assert preferred(job) == ["b"]
    check_measured(job, [("objectives", "b"), ("constraints", "b")], {"large": True})
    with pytest.raises(UsageError, match=r"objectives: the job measures no b on this data.* \(known: a\)"):
        check_measured(job, [("objectives", "b")], {"large": False})
    with pytest.raises(UsageError, match=r"constraints: the job measures no b on this data.* \(known: a\)"):
        check_measured(job, [("objectives", "a"), ("constraints", "b")], {"large": False})
