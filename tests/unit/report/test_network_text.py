"""Networks drawn as text: every layer in order, every edge a line, and nothing wider than asked."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.network.cell import CellGraph
from evonas_cli.network.plan import Graph, Plan
from evonas_cli.report.network_text import _rails, blocks, drawing, equations, plain


def residual() -> Plan:
    graph = Graph((3, 8, 8))
    first = graph.add("conv", graph.input, channels=8, kernel=3)
    branch = graph.add("relu", graph.add("conv", first, channels=8, kernel=3))
    return graph.plan(graph.add("linear", graph.add("global_avg_pool", graph.add("add", first, branch)), features=2))


def test_a_branch_that_comes_back() -> None:
    assert drawing(residual(), 60) == [
        "●    input                                             3x8x8",
        "●    conv(channels=8, kernel=3)                        8x8x8",
        "├─╮",
        "│ ●  conv(channels=8, kernel=3) → relu                 8x8x8",
        "├─╯",
        "●    add → global_avg_pool                                 8",
        "●    linear(features=2)                                    2",
    ]


def test_lines_that_only_cross() -> None:
    graph = Graph((4,))
    outer = graph.add("relu", graph.input)
    left, right = graph.add("tanh", outer), graph.add("sigmoid", graph.input)
    inner = graph.add("add", left, outer)
    lines = drawing(graph.plan(graph.add("add", inner, right)), 60)
    assert [line.split("  ")[0].rstrip() for line in lines][1:] == [
        *("├─╮", "│ ●", "│ ├─╮", "│ │ ●", "● │ │", "│ ├─╯", "│ ●", "├─╯", "●"),
    ]


def random_plan(seed: int) -> Plan:
    rng = Random(seed)
    graph = Graph((8,))
    values = [graph.input]
    for _ in range(rng.randrange(1, 25)):
        if rng.random() < 0.4:
            values.append(graph.add("add", rng.choice(values), rng.choice(values)))
        else:
            values.append(graph.add(rng.choice(["relu", "tanh", "sigmoid"]), rng.choice(values)))
    return graph.plan(values[-1])


UP, DOWN = set("│┼┤├┴╯╰"), set("│┼┤├┬╮╭")


def edges(rails: list[str]) -> set[tuple[int, int]]:
    """The edges that the lines of a drawing lead along, as numbers of blocks from the top."""
    carried: dict[int, int] = {}
    found, waiting, number = set(), set[int](), 0
    for rail in rails:
        marks = dict(enumerate(rail))
        if "●" in rail:
            place = rail.index("●")
            found |= {(source, number) for source in waiting or ({carried[place]} if place in carried else set())}
            carried = {at: value for at, value in carried.items() if marks.get(at) == "│"} | {place: number}
            waiting, number = set(), number + 1
        else:
            waiting = {carried[at] for at, mark in marks.items() if mark in UP - {"│"}}
            carried = {at: value for at, value in carried.items() if marks.get(at) in DOWN}
    return found


@given(st.integers(0, 2000))
def test_the_lines_are_the_edges(seed: int) -> None:
    found = blocks(random_plan(seed), 0)
    expected = {(source, number) for number, block in enumerate(found) for source in block.sources}
    assert edges([rail for _, rail in _rails(found)]) == expected


@given(st.integers(0, 2000), st.integers(40, 120))
def test_no_layer_is_lost_and_no_line_is_too_wide(seed: int, width: int) -> None:
    plan = random_plan(seed)
    lines = drawing(plan, width)
    words = " ".join(lines).replace("→", " ").split()
    names = [word for word in words if word in {"input", "relu", "tanh", "sigmoid", "add"}]
    assert sorted(names) == sorted(node.op for node in plan.nodes)
    rail = max(len(line) - len(line.lstrip("●│├┤┼┴┬╭╮╯╰─ ")) for line in lines)
    assert all(len(line) <= max(width, rail + 30) for line in lines)


def test_settings_that_are_defaults_are_left_out() -> None:
    graph = Graph((3, 8, 8))
    graph.add("conv", graph.input, channels=4, kernel_h=1, kernel_w=7)
    [_, line] = drawing(graph.plan(1))
    assert "conv(channels=4, kernel_h=1, kernel_w=7)" in line


def test_ascii_for_terminals_without_more() -> None:
    assert all(line.isascii() for line in plain(drawing(residual())))


def test_a_cell_is_its_equations() -> None:
    graph = CellGraph(1)
    mixed = graph.add("add", graph.add("affine", graph.input), graph.add("linear", graph.hidden))
    memory = graph.add("tanh", mixed)
    assert equations(graph.cell(memory, [mixed])) == [
        *("v3 = affine(x_t)", "v4 = linear(h_(t-1))", "v5 = add(v3, v4)", "v6 = tanh(v5)"),
        *("h_t = v6", "c0_t = v5"),
    ]


@pytest.mark.parametrize("width", [1, 40])
def test_a_narrow_terminal_wraps_long_layers(width: int) -> None:
    graph = Graph((3, 8, 8))
    graph.add("conv", graph.input, channels=64, kernel_h=1, kernel_w=7, stride=2, dilation=2)
    lines = drawing(graph.plan(1), width)
    assert len(lines) > 2 and "dilation=2" in " ".join(lines)
