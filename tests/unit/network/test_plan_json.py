"""Plans and signatures as JSON: what is written is read back, and what is no plan is refused in one line."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.network.plan import Graph, Plan
from evonas_cli.network.signature import Signature
from evonas_cli.network.task import Task

OPS: list[tuple[str, dict[str, Any]]] = [
    ("conv", {"channels": 4, "kernel": 3}),
    ("conv", {"channels": 2, "kernel_h": 1, "kernel_w": 3, "bias": 1, "gain": 0.3}),
    ("batch_norm", {}),
    ("relu", {}),
    ("max_pool", {"kernel": 3, "padding": 1}),
    ("dropout", {"rate": 0.1}),
    ("pad", {"height": 9, "width": 9}),
    ("concat", {}),
]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Networks in which any map reads any earlier ones of its size, with a linear layer at the end."""
    graph = Graph((draw(st.integers(1, 3)), 9, 9))
    nodes = [graph.input]
    for op, settings in draw(st.lists(st.sampled_from(OPS), max_size=8)):
        n_inputs = draw(st.integers(1, 3)) if op == "concat" else 1
        nodes.append(graph.add(op, *[draw(st.sampled_from(nodes)) for _ in range(n_inputs)], **settings))
    if draw(st.booleans()):
        return graph.plan(nodes[-1])
    return graph.plan(graph.add("linear", graph.add("flatten", draw(st.sampled_from(nodes))), features=5))


@given(plans())
def test_a_plan_is_read_back_as_it_was(plan: Plan) -> None:
    again = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    assert (again.parameters, again.multiply_adds, again.depth) == (plan.parameters, plan.multiply_adds, plan.depth)


def test_a_setting_that_is_left_out_has_its_default() -> None:
    graph = Graph((1, 4, 4))
    whole = graph.plan(graph.add("conv", graph.input, channels=2, kernel=3))
    data: Any = whole.to_json()
    del data["nodes"][0][2]["same"], data["nodes"][0][2]["gain"]
    assert Plan.from_json(data) == whole


GOOD: dict[str, Any] = {
    "input": [1, 4, 4],
    "nodes": [["conv", [0], {"channels": 2, "kernel": 3}], ["relu", [1], {}]],
}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("input",), [0, 4, 4]),
        (("input",), []),
        (("input",), 7),
        (("nodes",), None),
        (("nodes",), [["relu"]]),
        (("nodes", 0, 0), "convolve"),
        (("nodes", 0, 0), ["conv"]),
        (("nodes", 0, 1), [2]),
        (("nodes", 0, 1), [-1]),
        (("nodes", 0, 1), [True]),
        (("nodes", 0, 1), []),
        (("nodes", 0, 1), 0),
        (("nodes", 0, 2), {"channels": 2, "kernel": 3, "gain": 10**400}),
        (("nodes", 0, 2), {"channels": "2", "kernel": 3}),
        (("nodes", 0, 2), {"channels": 2, "kernel": 3, "colour": 1}),
        (("nodes", 0, 2), {"kernel": 3}),
        (("nodes", 0, 2), []),
        (("nodes", 1, 1), [0]),
        (("more",), 1),
    ],
)
def test_damaged_plans_are_refused_in_one_line(place: tuple[Any, ...], value: Any) -> None:
    data = copy.deepcopy(GOOD)
    assert Plan.from_json(data).nodes
    node: Any = data
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    with pytest.raises(ValueError, match="^no plan of a network: .") as caught:
        Plan.from_json(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [None, 3, "text", [], {}, {"input": [3]}])
def test_what_is_no_plan_at_all_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="no plan of a network"):
        Plan.from_json(data)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3))
def test_a_signature_is_read_back_to_the_last_bit(numbers: list[float]) -> None:
    values = tuple(numbers)
    signature = Signature(Task((3, 4, 4), 2), values, values, ("cat", "dog"), values, values)
    assert Signature.from_json(json.loads(json.dumps(signature.to_json()))) == signature


@pytest.mark.parametrize("data", [None, {}, {"task": {}}, {**Signature(Task((3,), 2)).to_json(), "mean": ["x"]}])
def test_damaged_signatures_are_refused(data: Any) -> None:
    with pytest.raises(ValueError):
        Signature.from_json(data)
