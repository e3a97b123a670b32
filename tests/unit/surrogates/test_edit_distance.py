"""The edit distance by hand, its axioms, and Bourgain's embedding where exp(-d^2) is no kernel."""

from __future__ import annotations

from math import exp
from random import Random
from typing import Any

import numpy as np
import pytest

from evonas_cli.network.plan import Graph
from evonas_cli.spaces.layered_cnn import LayeredCnn
from evonas_cli.surrogates.bourgain import Bourgain, Gaussian, euclidean
from evonas_cli.surrogates.edit_distance import Chain, chain, edit_distance
from evonas_cli.surrogates.layers import Layer, layers
from evonas_cli.surrogates.plans import TASKS

CONV = Layer("convolution", made=8, kernel=3)
WIDE = Layer("convolution", made=16, kernel=3)
POOL = Layer("max pooling", kernel=2, stride=2)


def test_chains_by_hand() -> None:
    assert edit_distance(Chain((CONV, POOL)), Chain((CONV, POOL))) == 0
    assert edit_distance(Chain((CONV, POOL)), Chain((CONV, CONV, POOL))) == 1
    assert edit_distance(Chain((CONV,)), Chain((WIDE,))) == pytest.approx(0.5 / 3)
    assert edit_distance(Chain((CONV,)), Chain((POOL,))) == 1
    assert edit_distance(Chain((CONV, POOL, WIDE)), Chain((WIDE, POOL))) == pytest.approx(1 + 0.5 / 3)


def test_skips_by_hand() -> None:
    def apart(first: Any, second: Any) -> float:
        return edit_distance(Chain(skips=first), Chain(skips=second))

    assert apart([(1, 2, "add")], []) == 1 and apart([(1, 2, "add")], [(1, 2, "concat")]) == 1
    assert apart([(1, 2, "add")], [(3, 4, "add")]) == pytest.approx((2 + 2) / (3 + 4))
    assert apart([(1, 2, "add"), (3, 4, "add")], [(3, 4, "add")]) == 1, "the best matching, and one without a partner"


def test_a_plan_is_a_longest_path_and_skips_through_other_layers_too() -> None:
    graph = Graph((3, 8, 8))
    a = graph.add("conv", graph.input, channels=4, kernel=3)
    b = graph.add("conv", graph.add("relu", a), channels=4, kernel=3)
    gate = graph.add("conv", a, channels=4, kernel=1)
    c = graph.add("conv", graph.add("add", b, gate), channels=4, kernel=3)
    x = graph.add("linear", graph.add("global_avg_pool", graph.add("concat", c, a)), features=10)
    found = chain(layers(graph.plan(x)))
    assert [layer.kind for layer in found.layers] == ["convolution"] * 3 + ["mean pooling", "linear"]
    assert found.skips == ((1, 2, "add"), (1, 3, "concat"))


def test_axioms_on_200_pairs() -> None:
    space, rng = LayeredCnn(), Random(1)
    chains = [chain(layers(space.decode(space.sample(rng), TASKS[0]).plan)) for _ in range(21)]
    apart = np.array([[edit_distance(a, b) for b in chains] for a in chains])
    assert apart == pytest.approx(apart.T) and not np.diagonal(apart).any() and (apart >= 0).all() and apart.max() > 1
    broken = (apart[:, None, :] > apart[:, :, None] + apart[None] + 1e-9).sum()
    print(f"{broken} violations of the triangle inequality")
    assert broken == 0


def star() -> Any:
    """Distances of the ends of a star of 5 rays and its centre, a metric that is not Euclidean."""
    apart = np.full((6, 6), 0.8)
    apart[0, :] = apart[:, 0] = 0.4
    np.fill_diagonal(apart, 0)
    return apart


def test_the_embedded_kernel_is_positive_semi_definite_where_the_raw_one_is_not() -> None:
    apart = star()
    assert np.linalg.eigvalsh(np.exp(-(apart**2))).min() < -1e-3
    for seed in range(20):
        embedding = Bourgain.of(6, Random(seed))
        points = embedding.coordinates(apart)
        rho = euclidean(points, points)
        assert np.linalg.eigvalsh(np.exp(-(rho**2))).min() > -1e-9
        assert (rho <= apart + 1e-12).all(), "coordinates are 1-Lipschitz"


def test_points_told_and_asked_are_embedded_alike() -> None:
    apart, embedding = star(), Bourgain.of(6, Random(0))
    assert (embedding.coordinates(apart)[2:4] == embedding.coordinates(apart[2:4])).all()
    assert len(embedding.subsets) == 4 * 2 and {len(subset) for subset in embedding.subsets} <= set(range(1, 7))
    kernel = Gaussian(lengths=(2.0,))
    assert kernel.grid(np.array([[0.0, 3.0], [3.0, 0.0]])) == [(6.0,)]
    assert kernel.covariance(np.array([3.0]), (6.0,))[0] == pytest.approx(exp(-0.25))
