"""Topology: codes by hand, and what expectations and similarity keep to."""

from __future__ import annotations

from itertools import product
from math import isclose

import pytest

from evonas_cli.network.patterns import PATTERNS, pattern
from evonas_cli.network.plan import Graph, Plan
from evonas_cli.network.task import Task
from evonas_cli.walks.topology import codes, expectations, layer_kinds, norm, similarity

TASK = Task((3, 8, 8), 10)


def small() -> Plan:
    graph = Graph((3, 8, 8))
    x = graph.add("relu", graph.add("batch_norm", graph.add("conv", graph.input, channels=4, kernel=3)))
    y = graph.add("conv", x, channels=4, kernel_h=1, kernel_w=5, groups=4)
    return graph.plan(graph.add("add", y, x))


def test_codes_by_hand() -> None:
    assert codes(small()) == [
        ("operation conv", "kernel 3x3", "first 1 back", "second 0 back"),
        ("operation depthwise conv", "kernel 1x5", "first 1 back", "second 0 back"),
        ("operation add", "kernel none", "first 1 back", "second 2 back"),
    ]
    assert layer_kinds(small()) == {"conv 3x3", "depthwise conv 1x5", "add"}


def test_expectations_by_hand() -> None:
    found = expectations(small(), 0.5)
    total = 0.5 + 0.25 + 0.125
    assert found["operation conv"] == pytest.approx(0.5 / total / 2)
    assert found["second 2 back"] == pytest.approx(0.125 / total / 2)
    assert found["first 1 back"] == pytest.approx(0.5)


@pytest.mark.parametrize("name", PATTERNS)
def test_expectations_sum_to_two_are_no_longer_than_one_and_ignore_channels(name: str) -> None:
    found = expectations(pattern(name, TASK, channels=8), 0.9)
    assert isclose(sum(found.values()), 2.0)
    assert norm(found) <= 1 + 1e-12
    assert found == pytest.approx(expectations(pattern(name, TASK, channels=32), 0.9))


def test_a_pattern_is_most_similar_to_itself() -> None:
    found = {name: expectations(pattern(name, TASK), 0.9) for name in PATTERNS}
    for first, second in product(found, found):
        alike = similarity(found[first], found[second])
        assert isclose(alike, 1.0) if first == second else 0 < alike < 0.999
        assert isclose(alike, similarity(found[second], found[first]))
