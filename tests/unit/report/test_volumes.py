"""Comparison by hypervolume: by hand, when it is the default, and the median attainment surface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.core.types import Objective
from evonas_cli.report.comparison import compare
from evonas_cli.report.curves import Track
from evonas_cli.report.groups import Sample
from evonas_cli.report.plot import SURFACES, draw, staircase
from evonas_cli.report.volumes import attainment, measured_by

Make = Callable[..., Sample]
ERROR, SPEED = Objective("error", "min"), Objective("speed", "max")
POINTS = [(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]


def searched(
    sample: Make, strategy: str, seed: int, points: Sequence[tuple[float, float] | None], chooses: str = "all"
) -> Sample:
    """A run whose evaluations have these losses: errors, and speeds with the sign changed."""
    track = Track("error", "min")
    for losses in points:
        metrics = {} if losses is None else {"error": losses[0], "speed": -losses[1]}
        track.add(losses is not None, metrics, 1.0, losses=losses)
    return replace(sample(strategy, seed), track=track, objectives=(ERROR, SPEED), chooses=chooses)


def pair(sample: Make) -> list[Sample]:
    """Ranges of 5 in both objectives, from 0 to 5, so that the reference point is (5.5, 5.5)."""
    return [
        searched(sample, "random", 0, [(5.0, 5.0), None, (5.0, 0.0)], "none"),
        searched(sample, "nsga2", 0, [(0.0, 5.0), POINTS[1], POINTS[0]]),
    ]


def test_by_hand(sample: Make) -> None:
    found = compare(pair(sample))
    assert (found["by"], found["metric"], found["direction"]) == ("hypervolume", "hypervolume", "max")
    assert found["reference"] == {"error": 5.5, "speed": -5.5}
    assert found["objectives"] == {"error": "min", "speed": "max"}
    random, nsga2 = found["groups"]
    assert random["values"] == [pytest.approx(0.5 * 5.5)]
    assert nsga2["values"] == [pytest.approx(5.5 * 0.5 + 4.5 * 2 + 3.5 * 1)]
    assert nsga2["runs"][0]["curve"]["value"] == pytest.approx([2.75, 5.5 * 0.5 + 3.5 * 3, 2.75 + 4.5 * 2 + 3.5])
    assert nsga2["attainment"] == [[0.0, -5.0], [1.0, -3.0], [2.0, -2.0]]
    assert random["failed_share"] == pytest.approx(1 / 3) and nsga2["verdict"]["word"] == "undecidable"


def test_the_first_objective_on_request(sample: Make) -> None:
    found = compare(pair(sample), by="first")
    assert (found["by"], found["metric"], found["direction"]) == ("first", "error", "min")
    assert found["groups"][1]["values"] == [0.0]
    assert "reference" not in found and "attainment" not in found["groups"][0]


@pytest.mark.parametrize(
    ("chooses", "by"),
    [
        (["all", "all"], "hypervolume"),
        (["all", "none"], "hypervolume"),
        (["all", "first"], "first"),
        (["none", "none"], "first"),
        (["first", "first"], "first"),
    ],
)
def test_the_default_is_what_every_strategy_chooses_by(sample: Make, chooses: list[str], by: str) -> None:
    runs = [searched(sample, "x", seed, POINTS, how) for seed, how in enumerate(chooses)]
    assert measured_by(runs, None) == by
    assert measured_by(runs, "first") == "first" and measured_by(runs, "hypervolume") == "hypervolume"
    other = [runs[0], replace(runs[1], objectives=(ERROR,))]
    assert measured_by(other, None) == "first"
    with pytest.raises(UsageError, match=r"objectives differ \(error, speed and error\)"):
        measured_by(other, "hypervolume")


def test_one_objective_is_refused_and_compared_as_before(sample: Make) -> None:
    runs = [sample("random"), sample("genetic")]
    with pytest.raises(UsageError, match="runs of one objective have no hypervolume"):
        compare(runs, by="hypervolume")
    assert compare(runs)["by"] == "first"
    failed = [searched(sample, "x", seed, [None, None]) for seed in range(2)]
    with pytest.raises(RunError, match="no run has a successful evaluation"):
        compare(failed)


def test_the_verdict_has_the_same_statistics(sample: Make) -> None:
    runs = [searched(sample, "random", seed, [(5.0, 5.0), (4.0 + seed / 10, 4.0)], "none") for seed in range(5)]
    runs += [searched(sample, "nsga2", seed, [(5.0, 5.0), (1.0 + seed / 10, 1.0)]) for seed in range(5)]
    [found] = compare(runs)["pairs"]
    assert found["a12"] == 1.0 and found["p"] == pytest.approx(2 / 252)
    assert compare(runs)["groups"][1]["verdict"]["text"].startswith("better than random")


def test_half_of_the_runs_attain_the_median_surface(sample: Make) -> None:
    runs = [searched(sample, "x", seed, [(1.0 + seed, 3.0), (3.0, 1.0 + seed)]) for seed in range(3)]
    [group] = compare(runs)["groups"]
    assert group["attainment"] == [[2.0, -3.0], [3.0, -2.0]]
    three = replace(runs[0], objectives=(ERROR,) * 4)
    assert attainment(type("Group", (), {"runs": [three]})(), [2], three.objectives) is None


def test_a_staircase_by_hand() -> None:
    corners = [[1.0, -3.0], [2.0, -2.0]]
    assert staircase(corners, ["min", "max"], (4.0, -5.0)) == [
        (1.0, -5.0), (1.0, -3.0), (2.0, -3.0), (2.0, -2.0), (4.0, -2.0),
    ]  # fmt: skip


def test_the_picture_has_the_surfaces(sample: Make) -> None:
    document = compare(pair(sample))
    root = ElementTree.fromstring(draw(document))
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {SURFACES, "speed (higher is better)", "error (lower is better)", "trainings (number)"} <= set(texts)
    lines = [node.get("points") or "" for node in root.iter("{http://www.w3.org/2000/svg}polyline")]
    assert len(lines) == 4 and [len(line.split()) for line in lines[2:]] == [3, 7]
    assert SURFACES not in draw(compare(pair(sample), by="first"))
