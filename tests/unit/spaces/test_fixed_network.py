"""A network that does not change: genes reach the trainer and the dropout layers, and other tasks are refused."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.network.baselines import baseline, with_dropout
from evonas_cli.network.plan import Graph, PlanError
from evonas_cli.network.task import Task
from evonas_cli.spaces.fixed_network import FixedNetwork

GENES: dict[str, Any] = {
    "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
    "dropout": {"low": 0.0, "high": 0.6},
}
TASK = Task((8,), 3)


def test_genes_reach_trainer_and_dropout() -> None:
    space = FixedNetwork(GENES)
    found = space.decode((0.01, 0.4), TASK)
    assert found.hyper == {"learning_rate": 0.01}
    assert found.plan == with_dropout(baseline(TASK), 0.4)
    assert list(space.tuned) == ["learning_rate"], "the rate of dropout is no key of the trainer"


def test_a_given_network_is_kept() -> None:
    graph = Graph((8,))
    plan = graph.plan(graph.add("linear", graph.add("dropout", graph.input, rate=0.3), features=3))
    document: Any = plan.to_json()
    space = FixedNetwork({"dropout": GENES["dropout"]}, {"schema": 1, **document})
    assert space.decode((0.3,), TASK).plan == plan
    assert len({space.decode(space.sample(Random(n)), TASK).plan.parameters for n in range(5)}) == 1
    with pytest.raises(PlanError, match="space.network reads"):
        space.decode((0.3,), Task((9,), 3))


def test_what_is_no_network_and_a_gene_without_a_layer_are_refused() -> None:
    graph = Graph((8,))
    bare: Any = graph.plan(graph.add("linear", graph.input, features=3)).to_json()
    with pytest.raises(UsageError, match="no dropout layer"):
        FixedNetwork(GENES, bare)
    with pytest.raises(UsageError, match="space.network: no plan of a network"):
        FixedNetwork(GENES, {"nodes": []})
    with pytest.raises(UsageError, match="space.genes is empty"):
        FixedNetwork({})
