"""Decision regions and neurons as pictures: what is drawn, how often, with which labels, and the same bytes twice."""

from __future__ import annotations

import re
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neural_space import random_neurons

from evonas_cli.network.neurons import Neurons
from evonas_cli.network.plane import BANDS, UNKNOWN, Plane, Point, band_of
from evonas_cli.report.drawing.architecture import LINKS, neurons_svg
from evonas_cli.report.drawing.regions import draw_regions, tint
from evonas_cli.report.network_text import neurons_drawing

SVG = "{http://www.w3.org/2000/svg}"
XOR = Neurons(2, 1, ("multiply", "add"), ((0, 3), (1, 3), (2, 4), (3, 4)), (1.0, 1.0, 0.25, -4.0))
POINTS = (Point(0.5, 0.5, 0, "train"), Point(-0.5, 0.5, 1, "train"), Point(-0.5, -0.5, 0, "valid"))
HOSTILE = "<img src=x onerror=alert(1)>"


def plane(bands: tuple[tuple[int, ...], ...], names: tuple[str, str] = ("x1", "x2")) -> Plane:
    return Plane(names, ("no", "yes"), (-1.0, 1.0), (-1.0, 1.0), bands, POINTS, "")


def elements(text: str, tag: str, css: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(text)
    return [one for one in root.iter(f"{SVG}{tag}") if css in one.attrib.get("class", "").split()]


def cells(path: ElementTree.Element) -> set[tuple[int, int]]:
    """The cells (column, row from the top) that a band's path fills."""
    found = set()
    for x, y, count in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path.attrib["d"]):
        found |= {(int(x) + k, int(y)) for k in range(int(count))}
    return found


GRIDS = st.integers(1, 6).flatmap(
    lambda side: st.lists(
        st.lists(st.integers(UNKNOWN, BANDS - 1), min_size=side, max_size=side), min_size=side, max_size=side
    )
)


@settings(deadline=None)
@given(GRIDS)
def test_every_cell_is_filled_once_with_the_colour_of_its_band(grid: list[list[int]]) -> None:
    text = draw_regions(plane(tuple(map(tuple, grid))), "regions")
    filled = {
        (path.attrib["fill"], float(path.attrib["fill-opacity"])): cells(path)
        for path in elements(text, "path", "band")
    }
    for row, bands in enumerate(reversed(grid)):
        for column, band in enumerate(bands):
            assert [colour for colour, own in filled.items() if (column, row) in own] == [tint(band)]
    assert sum(map(len, filled.values())) == len(grid) ** 2


def test_points_are_dots_and_rings_of_their_class() -> None:
    text = draw_regions(plane(((0,),)), "regions")
    train, valid = elements(text, "circle", "train"), elements(text, "circle", "valid")
    assert (len(train), len(valid)) == (2, 1)
    assert [one.attrib["class"] for one in train] == ["train k0", "train k1"]
    assert float(train[0].attrib["cx"]) > float(train[1].attrib["cx"])
    assert float(train[0].attrib["cy"]) < float(valid[0].attrib["cy"])


def test_a_picture_is_bounded_the_same_twice_and_refers_to_nothing() -> None:
    rng = Random(0)
    worst = tuple([tuple([(row + column) % 2 * 9 for column in range(120)]) for row in range(120)])
    neurons = random_neurons(rng, 2, 1, 12, 40)
    text = draw_regions(plane(worst, (HOSTILE, "x2")), HOSTILE, neurons)
    assert text == draw_regions(plane(worst, (HOSTILE, "x2")), HOSTILE, neurons)
    assert len(text) < 400_000 and not re.search(r"href|url\(|style=|<img", text)
    ElementTree.fromstring(text)


def test_the_network_stands_beside_the_plane() -> None:
    with_network, alone = draw_regions(plane(((0,),)), "regions", XOR), draw_regions(plane(((0,),)), "regions")
    words = [one.text for one in ElementTree.fromstring(with_network).iter(f"{SVG}text")]
    assert [words.count(word) for word in ("x1", "multiply", "add", "output", "bias")] == [2, 1, 1, 1, 1]
    assert len(elements(with_network, "path", "weight")) == 4 and not elements(alone, "path", "weight")
    assert {"class no", "class yes"} <= set(words)


def test_what_is_no_number_is_grey_and_said() -> None:
    assert "no finite number" in draw_regions(plane(((UNKNOWN, 0), (0, 0))), "regions")
    assert "no finite number" not in draw_regions(plane(((0, 0), (0, 0))), "regions")


@pytest.mark.parametrize(
    ("probability", "band"), [(0.0, 0), (0.05, 0), (0.5, 4), (0.5001, 5), (0.95, 9), (1.0, 9), (float("nan"), UNKNOWN)]
)
def test_the_boundary_lies_between_two_bands(probability: float, band: int) -> None:
    assert band_of(probability) == band


def test_a_plane_comes_back_from_json() -> None:
    whole = plane(((0, 1), (2, UNKNOWN)))
    assert Plane.from_json(whole.to_json()) == whole


def test_links_show_sign_and_size() -> None:
    text = neurons_svg(XOR, "neurons")
    widths = {one.attrib["stroke-width"]: one.attrib["class"] for one in elements(text, "path", "weight")}
    assert len(elements(text, "path", "minus")) == 2, "a line and its head"
    assert widths[max(widths, key=float)] == "weight minus"
    assert neurons_svg(XOR, "neurons") == text and LINKS not in text
    alone = neurons_svg(XOR, "neurons", titled=True, inputs=["width", "height"])
    assert LINKS in alone and ">width</text>" in alone and "input 1" not in alone


def test_neurons_as_text_name_functions_and_weights() -> None:
    lines = neurons_drawing(XOR, 80)
    text = "\n".join(lines)
    assert "v1 = multiply(1 input1, 1 input2)" in text and "output = add(0.25 bias - 4 v1)" in text
    assert max(map(len, lines)) <= 80


def test_rails_that_leave_no_room_are_left_out() -> None:
    lines = neurons_drawing(random_neurons(Random(0), 2, 1, 60, 400), 80)
    assert max(map(len, lines)) <= 80 and lines[:3] == ["input1", "input2", "bias"]
