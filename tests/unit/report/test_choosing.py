"""The knee of a front: the member farthest below the line between the front's ends."""

from __future__ import annotations

from typing import Any

import pytest

from evonas_cli.report.choosing import knee_of


def front(points: list[tuple[float, float]], directions: tuple[str, str] = ("min", "min")) -> dict[str, Any]:
    return {
        "objectives": ["a", "b"],
        "directions": dict(zip("ab", directions, strict=True)),
        "front": [{"id": 10 + n, "metrics": {"a": a, "b": b}} for n, (a, b) in enumerate(points)],
    }


@pytest.mark.parametrize(
    ("points", "directions", "expected"),
    [
        ([(0.0, 9.0), (1.0, 1.0), (5.0, 0.0)], ("min", "min"), 11),
        ([(0.0, 9000.0), (0.9, 1000.0), (1.0, 0.0)], ("min", "min"), 10),
        ([(0.0, 9.0), (1.0, 2.0), (2.0, 0.0)], ("min", "min"), 11),
        ([(9.0, 5.0), (8.0, 1.0), (0.0, 0.0)], ("max", "min"), 11),
        ([(3.0, 3.0)], ("min", "min"), 10),
    ],
    ids=["bend", "none-bends-inwards", "nearly-straight", "maximised", "one"],
)
def test_the_knee_is_the_member_with_the_least_sum_of_scaled_losses(
    points: list[tuple[float, float]], directions: tuple[str, str], expected: int
) -> None:
    assert knee_of(front(points, directions)) == expected


def test_of_one_objective_the_knee_is_the_best() -> None:
    document = front([(0.1, 0.0), (0.2, 0.0)])
    document["objectives"] = ["a"]
    assert knee_of(document) == 10
