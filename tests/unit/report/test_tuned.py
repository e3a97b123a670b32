"""Which settings a tuning ends with, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from evonas_cli.core.types import Constraint, Failure, Json
from evonas_cli.report.tuned import Checked, checked, finalists, winner


class Known:
    """Losses by the value of x, to which the seed is added."""

    def losses(self, settings: Mapping[str, Json], seeds: Sequence[int], metric: str | None) -> list[float] | Failure:
        if settings.get("x") == "bad":
            return Failure("unbuildable", "x is bad")
        return [float(settings.get("x", 10)) + seed for seed in seeds]  # type: ignore[arg-type]


def entry(id: int, x: Any, loss: float, status: str = "ok") -> dict[str, Any]:
    return {"id": id, "status": status, "genome": {"x": x}, "metrics": {"loss": loss, "cost": loss} if loss else {}}


def test_finalists_are_the_best_different_ones_that_keep_to_the_constraints() -> None:
    journal = [entry(0, 3, 0.3), entry(1, 1, 0.1), entry(2, 1, 0.1), entry(3, 0, 0, "failed"), entry(4, 2, 0.3)]
    assert finalists(journal, (), 2) == [{"x": 1}, {"x": 3}]
    assert finalists(journal, (Constraint("cost", 0.2, "at least"),), 5) == [{"x": 3}, {"x": 2}]


def test_new_seeds_choose_among_finalists_and_what_fails_is_not_chosen() -> None:
    searches: Any = Known()
    assert winner(searches, [{"x": "bad"}, {"x": 4}, {"x": 2}, {"x": 2.0}], (1, 2), None) == {"x": 2}
    assert winner(searches, [{"x": "bad"}], (1, 2), None) == {"x": "bad"}


@pytest.mark.parametrize(
    ("tuned", "verdict"),
    [((1.0, 2.1, 3.0), "better"), ((9.0, 9.1, 9.3), "worse"), ((3.0, 6.0, 6.0), "not different")],
)
def test_the_verdict_is_that_of_the_interval_of_paired_differences(tuned: tuple[float, ...], verdict: str) -> None:
    assert Checked("task", (4.0, 5.0, 6.0), tuned).verdict == verdict


def test_both_settings_search_with_the_same_seeds() -> None:
    searches: Any = Known()
    found = checked("task", searches, {"x": 7}, (1, 5), None)
    assert found == Checked("task", (11.0, 15.0), (8.0, 12.0)) and found.differences == [-3.0, -3.0]
    assert checked("task", searches, {"x": "bad"}, (1, 5), None).document() == {
        "task": "task",
        "failure": "the tuned settings: x is bad",
    }
