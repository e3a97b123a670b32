"""Supernets: a one-hot mixture is a path, and a path is the network of its genome with the same weights."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network
from evonas_cli.nn.supernet.network import Supernet
from evonas_cli.nn.supernet.norm import EPSILON, PathNorm
from evonas_cli.spaces.nasbench201 import OPERATIONS, NasBench201

SPACE, TASK = NasBench201(channels=3, cells_per_stage=1), Task((1, 4, 4), 5)
NET = Supernet(SPACE.superplan(TASK), torch.Generator().manual_seed(1))
X = torch.randn(6, 1, 4, 4, generator=torch.Generator().manual_seed(2))
paths = st.tuples(*[st.integers(0, len(OPERATIONS) - 1)] * 6)


def one_hot(path: tuple[int, ...]) -> list[Tensor]:
    return [torch.eye(len(OPERATIONS))[operation] for operation in path]


@settings(max_examples=25, deadline=None)
@given(paths)
def test_a_one_hot_mixture_is_the_path_exactly(path: tuple[int, ...]) -> None:
    with torch.no_grad():
        assert torch.equal(NET.mixture(X, one_hot(path)), NET.path(X, path))


@settings(max_examples=25, deadline=None)
@given(paths)
def test_the_derived_network_with_the_supernets_weights_is_the_path(path: tuple[int, ...]) -> None:
    derived = Network(SPACE.decode(SPACE.assigned(path), TASK).plan, torch.Generator().manual_seed(3))
    if not SPACE.function_key(SPACE.assigned(path)):
        return
    live = NET.superplan.live(path)
    layers = [
        NET.layers[f"{n}_{NET.superplan.plan.nodes[n].op}"] for n in live if n and n not in NET.superplan.mixtures
    ]
    weighted = [layer for layer in layers if list(layer.parameters())]
    own = [layer for name, layer in derived.layers.items() if list(layer.parameters()) and "batch_norm" not in name]
    assert len(own) == len(weighted)
    for target, source in zip(own, weighted, strict=True):
        target.load_state_dict(source.state_dict())
    derived.train()  # scale 1 and offset 0 are what a supernet's normalisation has
    with torch.no_grad():
        torch.testing.assert_close(derived(X), NET.path(X, path), rtol=1e-5, atol=1e-5)


def test_only_the_operations_of_a_path_get_gradients() -> None:
    NET.zero_grad()
    path = (3, 0, 1, 0, 4, 2)
    NET.path(X, path).sum().backward()
    live = NET.superplan.live(path)
    with_gradient = {int(name.split(".")[1].split("_")[0]) for name, p in NET.named_parameters() if p.grad is not None}
    assert with_gradient == {n for n in live if n and NET.superplan.plan.nodes[n].op in ("conv", "linear")}


def test_operations_that_are_not_active_count_as_share_0() -> None:
    shares = [torch.tensor([0.0, 0.5, 0.0, 0.5, 0.0])] * 6
    active = tuple([(False, True, False, True, False)] * 6)
    with torch.no_grad():
        torch.testing.assert_close(NET.mixture(X, shares, active), NET.mixture(X, shares))


def test_measured_statistics_are_means_over_batches_and_normalise_single_examples() -> None:
    norm = PathNorm()
    first, second = torch.randn(8, 3, 2, 2), 2 + torch.randn(8, 3, 2, 2)
    norm.statistics = "measured"
    with pytest.raises(RuntimeError, match="not measured"):
        norm(first)
    norm.statistics = "measure"
    norm(first), norm(second)
    norm.statistics = "measured"
    mean = (first.mean((0, 2, 3)) + second.mean((0, 2, 3))) / 2
    variance = (first.var((0, 2, 3)) + second.var((0, 2, 3))) / 2
    wanted = (first[:1] - mean.view(1, 3, 1, 1)) / (variance.view(1, 3, 1, 1) + EPSILON).sqrt()
    torch.testing.assert_close(norm(first[:1]), wanted)
    assert not list(norm.state_dict()) and not list(norm.parameters())


def test_a_path_is_measured_apart_from_the_one_before() -> None:
    found = []
    for before in ((2,) * 6, (3,) * 6):
        for path in (before, (4, 3, 1, 2, 3, 1)):
            with NET.statistics("measure"), torch.no_grad():
                NET.path(X, path)
        with NET.statistics("measured"), torch.no_grad():
            found.append(NET.path(X[:2], (4, 3, 1, 2, 3, 1)))
    assert torch.equal(*found)
