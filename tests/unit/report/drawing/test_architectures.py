"""Drawings: layers, folding and boxes keep their laws on networks of every space that draws some."""

from __future__ import annotations

import re
from random import Random
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas_cli.network.plan import Graph, Plan
from evonas_cli.network.task import Task
from evonas_cli.report.drawing.architecture import architecture_svg, cell_svg, sketch_svg
from evonas_cli.report.drawing.boxes import boxes_of, label
from evonas_cli.report.drawing.diagram import Box, Diagram, Repeat
from evonas_cli.report.drawing.folding import fold
from evonas_cli.report.drawing.layers import GAP, place
from evonas_cli.spaces.chain_cnn import ChainCnn
from evonas_cli.spaces.codeepneat import Assemblies
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.spaces.nasnet import NasNet
from evonas_cli.spaces.rnn_cell import RnnCell

SVG = "{http://www.w3.org/2000/svg}"
TASK = Task((3, 8, 8), 10)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[float], list[tuple[int, int]]]:
    """Widths of boxes, and arrows from lower to higher ones; every box but the first is reached."""
    count = draw(st.integers(1, 12))
    widths = draw(st.lists(st.floats(20, 200), min_size=count, max_size=count))
    arrows = {(draw(st.integers(0, target - 1)), target) for target in range(1, count)}
    arrows |= {
        (min(pair), max(pair))
        for pair in draw(st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))))
        if pair[0] != pair[1]
    }
    return widths, sorted(arrows)


@settings(deadline=None)
@given(graphs())
def test_rows_go_down_and_boxes_keep_their_gaps(graph: tuple[list[float], list[tuple[int, int]]]) -> None:
    widths, arrows = graph
    placed = place(widths, arrows)
    row = {point: number for number, points in enumerate(placed.rows) for point in points}
    assert sorted(row) == list(range(len(placed.x)))
    for route, arrow in zip(placed.routes, arrows, strict=True):
        assert (route[0], route[-1]) == arrow
        assert [row[point] for point in route] == list(range(row[route[0]], row[route[-1]] + 1))
    sizes = [*widths, *[10.0] * (len(placed.x) - len(widths))]
    for points in placed.rows:
        for first, second in zip(points, points[1:], strict=False):
            assert placed.x[second] - placed.x[first] >= (sizes[first] + sizes[second]) / 2 + GAP - 1e-6
    assert min(x - size / 2 for x, size in zip(placed.x, sizes, strict=True)) == pytest.approx(0)


@settings(deadline=None)
@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=14))
def test_folding_a_chain_keeps_its_boxes(letters: list[str]) -> None:
    boxes = (Box(("input",)), *(Box((letter,)) for letter in letters))
    chain = Diagram(boxes, tuple([(k, k + 1) for k in range(len(letters))]))
    folded = fold(chain)
    unrolled: list[Box] = []
    place = 0
    while place < len(folded.boxes):
        repeat = next((each for each in folded.repeats if each.first == place), Repeat(place, place, 1))
        unrolled += list(folded.boxes[repeat.first : repeat.last + 1]) * repeat.times
        place = repeat.last + 1
    assert unrolled == list(boxes)
    assert folded.arrows == tuple([(k, k + 1) for k in range(len(folded.boxes) - 1)])


def test_cells_in_a_row_are_drawn_once() -> None:
    space = NasBench201(channels=4, cells_per_stage=5)
    genome = space.from_json("|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|skip_connect~2|")
    text = architecture_svg(space.decode(genome, TASK).plan, "network")
    assert text.count("\u00d7 5") == 3
    assert len(list(ElementTree.fromstring(text).iter(f"{SVG}rect"))) < 40


def test_a_layer_its_normalisation_and_its_activation_share_a_box() -> None:
    graph = Graph((3, 8, 8))
    x = graph.add("relu", graph.add("batch_norm", graph.add("conv", 0, channels=4, kernel=3, stride=2)))
    x = graph.add("add", x, graph.add("batch_norm", graph.add("conv", graph.add("relu", x), channels=4, kernel=1)))
    boxes = boxes_of(graph.plan(graph.add("linear", graph.add("global_avg_pool", x), features=10))).boxes
    assert [box.lines for box in boxes] == [
        ("input",),
        ("conv 3x3, 4, stride 2", "batch norm, relu"),
        ("relu", "conv 1x1, 4", "batch norm"),
        ("add",),
        ("global avg pool",),
        ("linear, 10",),
    ]
    assert [box.note for box in boxes] == ["3x8x8", "4x4x4", "4x4x4", "4x4x4", "4", "10"]
    assert [box.kind for box in boxes] == ["end", "layer", "layer", "merge", "pool", "layer"]


@pytest.mark.parametrize(
    ("op", "inputs", "settings", "text"),
    [
        ("conv", (3, 8, 8), {"channels": 6, "kernel_h": 1, "kernel_w": 7, "groups": 3}, "conv 1x7, 6, groups 3"),
        ("conv", (3, 8, 8), {"channels": 6, "kernel": 3, "gain": 0.5, "bias": 1}, "conv 3x3, 6, bias, gain 0.5"),
        ("max_pool", (3, 8, 8), {"kernel": 2, "stride": 2}, "max pool 2x2, stride 2"),
        ("conv1d", (3, 8), {"channels": 6, "kernel": 5}, "conv1d 5, 6"),
        ("dropout", (3, 8, 8), {"rate": 0.25}, "dropout, rate 0.25"),
    ],
)
def test_words_name_what_differs_from_the_defaults(op: str, inputs: Any, settings: Any, text: str) -> None:
    graph = Graph(inputs)
    assert label(graph.plan(graph.add(op, 0, **settings)).nodes[1]) == text


def drawn(kind: str, rng: Random) -> list[str]:
    if kind == "rnn":
        cells = RnnCell(leaves=4)
        return [cell_svg(cells.decode_cell(cells.sample(rng)), "cell")]
    made: dict[str, Any] = {
        "nasbench201": NasBench201(channels=4, cells_per_stage=1),
        "nasnet": NasNet(channels=4, normal_cells=1),
        "codeepneat": Assemblies(filters=(4, 8)),
        "chain": ChainCnn(layers=5),
    }
    space = made[kind]
    genome = space.sample(rng)
    for _ in range(4):
        genome = space.mutate(genome, rng) if hasattr(space, "mutate") else genome
    sketches = [sketch_svg(sketch) for sketch in space.sketches(genome)] if hasattr(space, "sketches") else []
    return [architecture_svg(space.decode(genome, TASK).plan, "network"), *sketches]


@pytest.mark.parametrize("kind", ["nasbench201", "nasnet", "codeepneat", "chain", "rnn"])
@pytest.mark.parametrize("seed", range(3))
def test_pictures_are_well_formed_and_no_arrow_crosses_a_box(kind: str, seed: int) -> None:
    pictures = drawn(kind, Random(seed))
    assert pictures == drawn(kind, Random(seed))
    for text in pictures:
        root = ElementTree.fromstring(text.encode())
        assert root.find(f"{SVG}title") is not None and not re.search(r"href|url\(|style|<!", text)
        width, height = (float(root.attrib[key]) for key in ("width", "height"))
        boxes = []
        for rect in root.iter(f"{SVG}rect"):
            if rect.attrib["class"].startswith("box"):
                x, y, w, h = (float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
                boxes.append((x, y, x + w, y + h))
        assert all(x >= 0 and y >= 0 and right <= width and low <= height for x, y, right, low in boxes)
        for arrow in (path.attrib["d"] for path in root.iter(f"{SVG}path") if path.attrib["class"] == "arrow"):
            for x, y in _straight(arrow):
                assert not any(a < x < b and c + 1 < y < d - 1 for a, c, b, d in boxes), arrow


def _straight(path: str) -> list[tuple[float, float]]:
    """Points on the vertical parts of a path, where it passes rows."""
    found, x, y = [], 0.0, 0.0
    for command, text in re.findall(r"([MVC])([^MVC]*)", path):
        numbers = [float(number) for number in text.split()]
        if command == "V":
            found += [(x, y + (numbers[0] - y) * k / 8) for k in range(1, 8)]
            y = numbers[0]
        else:
            x, y = numbers[-2:]
    return found


def test_titles_and_words_stay_text() -> None:
    graph = Graph((4,))
    plan = graph.plan(graph.add("linear", 0, features=2))
    root = ElementTree.fromstring(architecture_svg(plan, "<b>\x1b&"))
    assert root.findtext(f"{SVG}title") == r"<b>\x1b&"


def test_a_plan_read_from_json_has_the_same_picture() -> None:
    space = ChainCnn(layers=4)
    plan = space.decode(space.sample(Random(1)), TASK).plan
    assert architecture_svg(Plan.from_json(plan.to_json()), "n") == architecture_svg(plan, "n")
