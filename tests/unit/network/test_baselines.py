"""Plain networks for each kind of inputs, and other rates in the dropout layers of a plan."""

from __future__ import annotations

import pytest

from evonas_cli.network.baselines import RATE, baseline, dropout_rate, with_dropout
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Task
from evonas_cli.testing.spaces import IMAGES, SERIES, TEXTS, VECTORS


@pytest.mark.parametrize("task", [*IMAGES, *SERIES, *TEXTS, *VECTORS, Task((3, 1, 5), 2)], ids=str)
def test_every_kind_of_inputs_has_a_plain_network(task: Task) -> None:
    plan = baseline(task)
    assert plan.shapes[0] == task.inputs and plan.shapes[plan.output] == (task.outputs,)
    assert dropout_rate(plan) == RATE


def test_the_network_for_images_is_of_lenets_shape() -> None:
    ops = [node.op for node in baseline(Task((1, 28, 28), 10)).nodes[1:]]
    layer = ["conv", "relu", "max_pool"]
    assert ops == [*layer, *layer, "flatten", "linear", "relu", "dropout", "linear"]


def test_another_rate_changes_nothing_but_the_rate() -> None:
    plan = baseline(VECTORS[0])
    other = with_dropout(plan, 0.55)
    assert {dict(node.params)["rate"] for node in other.nodes if node.op == "dropout"} == {0.55}
    assert with_dropout(other, 0.2) == plan
    graph = Graph((4,))
    bare = graph.plan(graph.add("linear", graph.input, features=2))
    assert dropout_rate(bare) is None and with_dropout(bare, 0.5) == bare
    assert dropout_rate(other) == 0.55
