"""The picture: well-formed, self-contained, and drawn where the numbers are."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from evonas_cli.report.comparison import compare
from evonas_cli.report.drawing.svg import COLOURS
from evonas_cli.report.groups import Sample
from evonas_cli.report.plot import BAND, curve, draw, panels

Make = Callable[..., Sample]
SVG = "{http://www.w3.org/2000/svg}"


def test_hostile_names_stay_text(sample: Make) -> None:
    names = ["random", '<script>alert("&")</script>', "a\x01b\ud800 ]]> -->"]
    document = compare([sample(name, seed, (0.5, 0.4)) for name in names for seed in range(2)])
    text = draw(document)
    root = ElementTree.fromstring(text.encode())
    assert root.tag == f"{SVG}svg" and not list(root.iter(f"{SVG}script"))
    shown = [node.text for node in root.iter(f"{SVG}text")]
    assert '<script>alert("&")</script> (n = 2)' in shown and r"a\x01b\ud800 ]]> --> (n = 2)" in shown
    assert not re.search(r"href|url\(|@import|<!|http(?!://www.w3.org/2000/svg)", text)


def test_a_panel_for_each_axis_that_is_measured(sample: Make) -> None:
    pair = [sample(), sample("genetic")]
    assert panels(compare(pair)) == ["trainings", "seconds"]
    assert panels(compare(pair, "cost")) == ["cost", "seconds"]
    still = [sample(seconds=0.0), sample("genetic", seconds=0.0)]
    assert panels(compare(still)) == ["trainings"] and panels(compare(still, "cost")) == ["cost", "trainings"]
    shown = [n.text for n in ElementTree.fromstring(draw(compare(pair))).iter(f"{SVG}text")]
    assert {
        "trainings (number)",
        "time of evaluation (s)",
        "valid_error (share of examples, lower is better)",
        "Best valid_error so far, mean over the runs of each group",
        "equal budget",
    } <= set(shown)


def test_a_curve_is_the_mean_of_its_runs(sample: Make) -> None:
    made = [sample(seed=0, errors=(0.8, 0.4, 0.4, 0.2)), sample(seed=1, errors=(None, 0.6, 0.1))]
    runs = compare(made)["groups"][0]["runs"]
    found = curve(runs, "trainings")
    assert found.at == [2, 3], "from where both have a success to where the first of them ends"
    assert found.mean == pytest.approx([0.5, 0.25])
    assert all(low <= mean <= high for low, mean, high in zip(found.low, found.mean, found.high, strict=True))
    assert found.low[1] == pytest.approx(0.1) and found.high[1] == pytest.approx(0.4)
    single = curve(runs[:1], "trainings")
    assert single.low == single.mean == single.high == [0.8, 0.4, 0.2]


def test_long_runs_are_thinned(sample: Make) -> None:
    errors = [1.0 - k / 1000 for k in range(900)]
    text = draw(compare([sample(errors=errors), sample("genetic", errors=errors)]))
    assert len(text) < 45_000


def test_the_scale_is_logarithmic_beyond_a_decade(sample: Make) -> None:
    near = draw(compare([sample(errors=(0.9, 0.1))]))
    far = draw(compare([sample(errors=(0.9, 0.05))]))
    assert "log scale" not in near and "log scale" in far
    assert "log scale" not in draw(compare([sample(errors=(0.9, 0.0))])), "zero has no logarithm"


def test_equal_values_and_many_groups_can_be_drawn(sample: Make) -> None:
    made = [sample(f"s{n}", errors=(0.5, 0.5)) for n in range(9)]
    root = ElementTree.fromstring(draw(compare(made)))
    lines = [(n.get("stroke"), n.get("stroke-dasharray")) for n in root.iter(f"{SVG}polyline")]
    assert len(set(lines)) == 9 and lines[7] == (COLOURS[0], "7 3")


def test_bands_are_named_where_there_are_any(sample: Make) -> None:
    assert BAND in draw(compare([sample(seed=seed) for seed in range(2)]))
    assert "Bands" not in draw(compare([sample()]))
