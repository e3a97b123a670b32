"""What goes is what the network needs least, at the same size for all methods; statistics are measured anew."""

from __future__ import annotations

import numpy as np
import plans
import pytest
import torch

from evonas_cli.compression.pruning import METHODS, Pruning, prune, targets
from evonas_cli.compression.statistics import refresh
from evonas_cli.core.errors import UsageError
from evonas_cli.data.resident import Resident
from evonas_cli.data.splits import Augmentation, Splits
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network


def data_of(x: np.ndarray, y: np.ndarray) -> Resident:
    """The examples as training and as validation part, as they are."""
    channels = x.shape[1]
    task = Task(x.shape[1:], 3)
    moments = np.zeros(channels), np.ones(channels)
    return Resident(Splits(x_train=x, y_train=y, x_valid=x, y_valid=y, mean=moments[0], std=moments[1], task=task,
                           augmentation=Augmentation(), fingerprint=""), torch.device("cpu"))  # fmt: skip


def sorter() -> tuple[Network, Resident]:
    """Six units: 1, 3 and 5 tell three classes apart, and 0, 2 and 4 have large weights but are read by nothing."""
    x = np.random.default_rng(0).normal(size=(60, 3)).astype("float32")
    graph = Graph((3,))
    hidden = graph.add("relu", graph.add("linear", graph.input, features=6))
    network = Network(graph.plan(graph.add("linear", hidden, features=3)), torch.Generator())
    first, last = (layer for layer in network.layers.values() if isinstance(layer, torch.nn.Linear))
    with torch.no_grad():
        first.weight.fill_(9.0)
        first.weight[1::2] = torch.eye(3)
        first.bias.fill_(0.0)
        last.weight.fill_(0.0)
        last.weight[:, 1::2] = torch.eye(3)
        last.bias.fill_(0.0)
        y = network.eval()(torch.tensor(x)).argmax(1).numpy()
    return network, data_of(x, y)


def test_units_that_nothing_reads_are_worth_nothing_though_their_weights_are_large() -> None:
    network, data = sorter()
    told: list[str] = []
    small = prune(network, Pruning("shapley", 0.5), data, told.append)
    x, y = next(iter(data.batches("valid", 60)))
    assert torch.equal(small(x).argmax(1), y)
    assert told == ["round 1: 5 units left", "round 2: 4 units left", "round 3: 3 units left"]
    heavy = prune(network, Pruning("magnitude", 0.5), data)
    assert not torch.equal(heavy(x).argmax(1), y), "the norm of weights keeps what nothing reads"
    assert network.plan.nodes != small.plan.nodes, "the given network is left as it was"


@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.5])
def test_all_methods_leave_networks_of_one_size(sparsity: float) -> None:
    plan = plans.residual()
    x = plans.inputs(plan, 20).numpy()
    data = data_of(x, np.arange(20) % 3)
    made = [prune(plans.network(plan), Pruning(m, sparsity, 2, 10), data).plan for m in METHODS]
    assert made[0] == made[1] == made[2]
    assert (made[0] == plan) == (sparsity == 0)


def test_orders_are_drawn_from_the_seed_alone() -> None:
    network, data = sorter()
    states = [prune(network, Pruning("random", 0.5, seed=seed), data).state_dict() for seed in (1, 1, 2)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert any(not torch.equal(states[0][name], states[2][name]) for name in states[0])


def test_statistics_are_those_of_the_training_part() -> None:
    graph = Graph((4,))
    x = graph.add("dropout", graph.input, rate=0.5)
    network = Network(graph.plan(graph.add("linear", graph.add("batch_norm", x), features=3)), torch.Generator())
    examples = np.random.default_rng(1).normal(3, 2, size=(256, 4)).astype("float32")
    weights = {name: tensor.clone() for name, tensor in network.named_parameters()}
    refresh(network, data_of(examples, np.arange(256) % 3))
    norm = next(layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm1d))
    assert norm.running_mean is not None and norm.running_var is not None
    np.testing.assert_allclose(norm.running_mean, examples.mean(0), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var, examples.var(0, ddof=1), rtol=1e-5)
    assert not network.training and norm.momentum == 0.1
    assert all(torch.equal(tensor, weights[name]) for name, tensor in network.named_parameters())


def test_a_layer_keeps_a_unit_and_a_network_without_units_is_refused_with_the_reason() -> None:
    assert targets(plans.dense(), 0.8) == {(1,): 1, (3,): 1}
    with pytest.raises(UsageError, match=r"0.95 would prune all 6 units of layer 1 \(linear\); at most 0.83"):
        targets(plans.dense(), 0.95)
    graph = Graph((3, 9))
    x = graph.add("last_time", graph.add("gru", graph.input, hidden=4))
    with pytest.raises(UsageError, match="no layer that can be pruned: linear 3 stays, since the network's outputs"):
        targets(graph.plan(graph.add("linear", x, features=3)), 0.5)
