"""Expression trees: text, places, the common region and the distance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.genomes.trees import common_region, distance
from evonas_cli.network.trees import LEVELS, LONGEST, Tree, parsed

LABELS = st.sampled_from(["a", "b1", "c_2"])
TREES = st.recursive(
    LABELS.map(Tree),
    lambda below: st.builds(lambda label, children: Tree(label, tuple(children)), LABELS, st.lists(below, min_size=1)),
    max_leaves=8,
)


@given(TREES)
def test_text_leads_back(tree: Tree) -> None:
    assert parsed(str(tree)) == tree
    assert parsed(f" {tree} ".replace(",", " , ").replace("(", "( ")) == tree


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", r"the tree ends too early; it must read like tanh\(add\(c0, h\)\)"),
        ("add(x", "the tree ends too early"),
        ("add(x,)", r"'\)' stands"),
        ("add()", r"'\)' stands"),
        ("(x)", r"'\(' stands"),
        ("add(x)(h)", r"'\(' stands"),
        ("x h", "'h' stands"),
        ("x, h", "',' stands"),
        ("x)", r"'\)' stands"),
        ("add(x; h)", "'; h"),
        ("x" * (LONGEST + 1), f"at most {LONGEST} are read"),
        ("a(" * 500 + "x" + ")" * 500, f"more than {LEVELS} levels"),
    ],
)
def test_what_is_no_tree_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as raised:
        parsed(text)
    assert "\n" not in str(raised.value)


@given(TREES, TREES)
def test_a_replaced_place_has_the_other_tree(tree: Tree, other: Tree) -> None:
    for place, subtree in tree.places():
        assert tree.at(place) == subtree
        changed = tree.replaced(place, other)
        assert changed.at(place) == other and changed.size == tree.size - subtree.size + other.size
        assert tree.replaced(place, subtree) == tree


def test_depth_counts_function_nodes() -> None:
    assert [parsed(text).depth for text in ("x", "f(x)", "f(x, g(x))")] == [0, 1, 2]
    assert parsed("f(x, g(x))").size == 4


def test_the_common_region_ends_where_numbers_of_children_differ() -> None:
    first, second = parsed("add(tanh(x), mul(h, h))"), parsed("mul(relu(h), relu(h))")
    found = [(place, str(a), str(b)) for place, a, b in common_region(first, second)]
    assert found == [
        ((), str(first), str(second)),
        ((0,), "tanh(x)", "relu(h)"),
        ((0, 0), "x", "h"),
        ((1,), "mul(h, h)", "relu(h)"),
    ]


def test_distances_by_hand() -> None:
    """5 and 3 nodes, depths 2 and 1. Shared: the root and the leaf h; the other children differ in their number."""
    assert distance(parsed("add(tanh(tanh(x)), h)"), parsed("add(x, h)")) == pytest.approx(
        0.5 * (8 - 2 * 2) / 8 + 0.5 * (4 - 2 * 1) / 4
    )
    assert distance(parsed("add(x, h)"), parsed("mul(x, h)")) == pytest.approx(0.5 * (6 - 2 * 2.5) / 6)
    assert distance(Tree("x"), Tree("h")) == 0.25


@given(TREES, TREES)
def test_the_distance_is_symmetric_bounded_and_zero_on_equals_alone(first: Tree, second: Tree) -> None:
    assert 0 <= distance(first, second) == distance(second, first) <= 1
    assert (distance(first, second) == 0) == (first == second)
