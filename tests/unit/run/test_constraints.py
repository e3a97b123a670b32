"""The root key `constraints` is read, and refused in one line."""

from __future__ import annotations

from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Constraint, Metric
from evonas_cli.run.constraints import constraints

METRICS = {
    "error": Metric("min"),
    "train_seconds": Metric("min", measured=True),
    "test_error": Metric("min", test=True),
}


def read(stated: dict[str, Any], deterministic: bool = True) -> tuple[Constraint, ...]:
    return constraints(stated, METRICS, ["depth"], deterministic, ["latency_ms"])


def test_bounds_are_read_in_the_order_in_which_they_are_stated() -> None:
    assert read({}) == ()
    assert read({"depth": [">= 2", " <=1e2 "], "error": "<= -0.5"}) == (
        Constraint("depth", 2.0, "at least"),
        Constraint("depth", 100.0, "at most"),
        Constraint("error", -0.5, "at most"),
    )
    assert read({"depth": ["<= 2", ">= 2"]})[1].bound == "at least"
    assert read({"train_seconds": "<= 2"}, deterministic=False)


@pytest.mark.parametrize(
    ("stated", "says"),
    [
        (
            {"errors": "<= 1"},
            "no errors; did you mean error? (known: depth, error, latency_ms, test_error, train_seconds)",
        ),
        ({"train_seconds": "<= 1"}, "train_seconds is measured, so the run could not resume exactly"),
        ({"test_error": "<= 1"}, "test_error is measured on the test part, which no search may see"),
        ({"error": "< 1"}, "constraints.error is '< 1'; write a bound, such as \"<= 500000\""),
        ({"error": 1}, "constraints.error is 1; write a bound"),
        ({"error": "<= many"}, "constraints.error is '<= many'"),
        ({"error": "<= inf"}, "constraints.error is '<= inf'"),
        ({"error": []}, "state one bound, or a list of one <= and one >="),
        ({"error": ["<= 1", "<= 2"]}, "state one bound, or a list of one <= and one >="),
        ({"error": [">= 2", "<= 1"]}, "constraints.error: no number is >= 2 and <= 1; change one of them"),
    ],
)
def test_what_is_no_bound_is_refused(stated: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(stated)
    assert says in str(refused.value) and "\n" not in str(refused.value)
