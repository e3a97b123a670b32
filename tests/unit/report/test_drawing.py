"""Pictures of runs: fronts are staircases with names, extreme values are drawn, and text stays text."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from evonas_cli.core.types import Objective
from evonas_cli.report.curves import Track
from evonas_cli.report.drawing.front import Cloud, _stairs, draw_front
from evonas_cli.report.drawing.history import draw_history
from evonas_cli.report.drawing.learning import draw_curves
from evonas_cli.report.drawing.marks import MOST_DOTS, thinned
from evonas_cli.report.drawing.units import axis_title, on_log
from evonas_cli.report.learning import curves_of

SVG = "{http://www.w3.org/2000/svg}"
ERROR, SIZE = Objective("valid_error", "min"), Objective("parameters", "min")
HOSTILE = '<img src=x onerror="alert(1)">\x1b[31m'


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg.encode()).iter(f"{SVG}text")]


def marks(svg: str, tag: str) -> list[ElementTree.Element]:
    return [
        node
        for node in ElementTree.fromstring(svg.encode()).iter(f"{SVG}{tag}")
        if node.get("transform") or tag != "path"
    ]


def test_a_front_is_a_staircase_of_what_it_dominates() -> None:
    members = [(1, 0.9, 10.0), (2, 0.5, 20.0)]
    assert _stairs(members, [ERROR, SIZE]) == [(10.0, 0.9), (20.0, 0.9), (20.0, 0.5)]
    accuracy = Objective("valid_accuracy", "max")
    assert _stairs([(1, 0.1, 10.0), (2, 0.5, 20.0)], [accuracy, SIZE]) == [(10.0, 0.1), (20.0, 0.1), (20.0, 0.5)]


def test_members_are_named_and_the_outlier_is_counted() -> None:
    points = [(k, 0.5 + k / 100, 1000.0 + k) for k in range(30)] + [(30, 0.2, 3000.0), (31, 0.4, 9e9)]
    svg = draw_front([Cloud("run", points, {0, 30})], [ERROR, SIZE], "Front of run")
    shown = texts(svg)
    assert {"Front of run", "0", "30"} <= set(shown)
    assert "parameters (number, lower is better)" in shown
    assert "valid_error (share of examples, lower is better)" in shown
    assert "1 candidate lies beyond the end of an axis; a triangle at the border stands for it." in shown
    assert len(marks(svg, "circle")) == 31 and len(marks(svg, "path")) == 1
    assert not any("label" in text for text in shown)


def test_labels_that_have_no_room_are_counted() -> None:
    points = [(k, 0.5, 1000.0) for k in range(40)] + [(99, 0.1, 5000.0)]
    shown = texts(draw_front([Cloud("run", points, set(range(40)))], [ERROR, SIZE], "t"))
    placed = [text for text in shown if text.isdecimal() and int(text) < 40]
    assert placed and f"{40 - len(placed)} labels had no room." in shown


def test_several_runs_have_a_legend_and_three_objectives_a_word() -> None:
    clouds = [Cloud(name, [(0, 0.5, 10.0), (1, 0.6, 20.0)], {0}) for name in ("a", HOSTILE)]
    svg = draw_front(clouds, [ERROR, SIZE, Objective("cost", "min")], HOSTILE)
    shown = texts(svg)
    assert "a" in shown and '<img src=x onerror="alert(1)">\\x1b[31m' in shown and "\x1b" not in svg
    assert not list(ElementTree.fromstring(svg.encode()).iter(f"{SVG}img"))
    assert any("3 objectives, of which two are drawn" in text for text in shown)


def track(values: list[float | None]) -> Track:
    found = Track("valid_error", "min")
    for value in values:
        found.add(value is not None, {} if value is None else {"valid_error": value}, 1.0)
    return found


def test_the_best_so_far_and_what_is_not_drawn() -> None:
    svg = draw_history([("run", track([0.9, None, 0.5, 0.7]))], "History")
    shown = texts(svg)
    assert len(marks(svg, "circle")) == 3 and len(marks(svg, "polyline")) == 1
    assert "1 candidate is not drawn: it failed, broke a constraint or was not trained in full." in shown
    assert "trainings (number)" in shown
    two = texts(draw_history([("a", track([0.9])), ("b", track([0.5]))], "History"))
    assert "a: best so far" in two and "b: best so far" in two


def test_many_candidates_are_thinned_and_the_picture_says_so() -> None:
    places, step = thinned(MOST_DOTS * 3 + 1, [7])
    assert step == 4 and 7 in places and len(places) <= MOST_DOTS + 1
    svg = draw_history([("run", track([1.0 - k * 1e-5 for k in range(MOST_DOTS + 1)]))], "History")
    assert "One candidate in 2 is drawn as a dot." in texts(svg)


def test_curves_with_gaps_and_a_wild_start() -> None:
    epochs = list(range(1, 9))
    smooth = {"epoch": epochs, "valid_error": [1 / k for k in epochs], "train_loss": [1.0] * 8}
    wild = {**smooth, "valid_error": [1e9, None, *[0.3] * 6]}
    drawn = [(name, curves_of({"curves": data})) for name, data in (("candidate 1", smooth), ("candidate 2", wild))]
    svg = draw_curves(drawn, {"valid_error": "min", "train_loss": None}, "Curves")
    shown = texts(svg)
    assert "1 value of valid_error lies beyond the end of its axis and is drawn at the border." in shown
    assert shown.count("epoch") == 2 and "candidate 2" in shown and len(marks(svg, "polyline")) == 4
    single = draw_curves(drawn[:1], {"train_loss": None}, "Curves")
    assert "The curve is that of candidate 1." in texts(single)


@pytest.mark.parametrize("value", [0.0, 5e-324, 1.7e308, -1.7e308])
def test_odd_values_are_drawn(value: float) -> None:
    points = [(0, value, value), (1, 0.5, 3.0)]
    svg = draw_front([Cloud("run", points, {0, 1})], [ERROR, SIZE], "t")
    assert "nan" not in svg and "inf" not in svg


def test_axes_say_the_unit_or_what_a_metric_is_of() -> None:
    assert axis_title("valid_error", "min") == "valid_error (share of examples, lower is better)"
    assert axis_title("latency_ms", "min", "pixel3") == "latency_ms (pixel3, lower is better)"
    assert axis_title("valid_error", "min", "1 - observed fitness").startswith("valid_error (1 - observed fitness, ")
    assert axis_title("mine") == "mine" and on_log("mine") == "mine (log scale)"
    assert on_log(axis_title("cost")) == "cost (unit of the job, log scale)"
