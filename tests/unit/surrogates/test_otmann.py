"""OTMANN: transport against a linear programme, costs and masses by hand, the axioms, independence of numbering."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from evonas_cli.config.build import spaces
from evonas_cli.core.errors import UsageError
from evonas_cli.network.plan import Graph, Plan
from evonas_cli.spaces.chain_cnn import ChainCnn
from evonas_cli.surrogates.gaussian_process import fit
from evonas_cli.surrogates.layers import Layer, layers
from evonas_cli.surrogates.otmann import FORBIDDEN, Mixture, Otmann, describe, distances, mismatch
from evonas_cli.surrogates.transport import transported

SPACES = spaces()


def programme(costs: Any, first: Any, second: Any) -> float:
    """With a dummy layer on each side, as the paper states it."""
    n, m = len(first) + 1, len(second) + 1
    padded = np.ones((n, m))
    padded[:-1, :-1], padded[-1, -1] = costs, 0.0
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    masses = [*first, sum(second), *second, sum(first)]
    found = linprog(padded.ravel(), A_eq=np.vstack([rows, columns]), b_eq=masses, method="highs")
    return float(found.fun)


def test_transport_costs_what_the_linear_programme_costs() -> None:
    draws = np.random.default_rng(0)
    costs = np.round(draws.random((40, 6, 5)) * 3, 1)
    costs[costs > 2.5] = FORBIDDEN
    first, second = draws.integers(0, 4, (40, 6)).astype(float), draws.random((40, 5)) * 5
    expected = [programme(*one) for one in zip(costs, first, second, strict=True)]
    assert transported(costs, first, second) == pytest.approx(expected, abs=1e-6)
    assert transported(costs * 0, first * 0, second) == pytest.approx(second.sum(1))


def mlp(widths: list[int], activation: str = "relu") -> Plan:
    graph = Graph((16,))
    x = graph.input
    for width in widths:
        x = graph.add(activation, graph.add("linear", x, features=width))
    return graph.plan(graph.add("linear", x, features=10))


def apart(first: Plan, second: Plan) -> Any:
    return distances([(describe(layers(first)), describe(layers(second)))])[0]


def test_masses_are_work_and_shares_of_it() -> None:
    small = describe(layers(mlp([8, 4])))
    assert [layer.kind for layer in small.labels] == ["input", "linear", "linear", "decision", "output"]
    assert small.masses.tolist() == [100, 16 * 8, 8 * 4, 100, 100]
    graph = Graph((3, 8, 8))
    x = graph.add("max_pool", graph.add("conv", graph.input, channels=100, kernel=3), kernel=2, stride=2)
    x = graph.add("linear", graph.add("global_avg_pool", x), features=200)
    x = graph.add("linear", graph.add("relu", x), features=10)
    large = describe(layers(graph.plan(x)))
    work = [300.0, 100.0, 100.0, 100 * 200 * 0.1]
    assert large.masses == pytest.approx([250, *work, 250, 250])


def test_path_lengths_by_hand() -> None:
    graph = Graph((3, 8, 8))
    a = graph.add("conv", graph.input, channels=4, kernel=3)
    b = graph.add("conv", a, channels=4, kernel=3)
    x = graph.add("linear", graph.add("global_avg_pool", graph.add("add", a, b)), features=10)
    places = describe(layers(graph.plan(x))).places
    pool = 3  # layers: input, a, b, the pool, the decision, the output
    shortest, longest, walk = places[pool, 0].reshape(3, 4)
    assert shortest.tolist() == [2, 1, 1, 0] and longest.tolist() == [3, 2, 1, 0] and walk.tolist() == [2.5, 1.5, 1, 0]
    assert places[1, 1].reshape(3, 4)[:, 0].tolist() == [3, 4, 3.5], "to the output, with the layer itself"


def test_labels_cost_what_the_authors_say() -> None:
    three, five = Layer("convolution", kernel=3), Layer("convolution", kernel=5)
    assert mismatch(three, five) == pytest.approx(0.2) and mismatch(three, three) == 0
    assert mismatch(three, Layer("convolution", kernel=5, grouped=True)) == pytest.approx(0.28)
    assert mismatch(Layer("max pooling"), Layer("mean pooling")) == 0.5
    assert mismatch(three, Layer("linear")) == FORBIDDEN
    relu, gelu, tanh = (Layer("linear", activation=name) for name in ("relu", "gelu", "tanh"))
    assert [mismatch(relu, other) for other in (relu, gelu, tanh)] == [0, 0.1, 0.25]


def test_distances_by_hand() -> None:
    assert apart(mlp([8]), mlp([8])).tolist() == [0, 0]
    functions = apart(mlp([8]), mlp([8], "tanh"))
    assert functions[0] == pytest.approx(4 * 0.25 * 16 * 8), "for each nu all mass of the hidden layer"
    total = 2 * (300 + 16 * 8)
    assert functions[1] == pytest.approx(4 * (0.25 * 16 * 8 / total) ** 2)
    assert apart(mlp([8]), mlp([12]))[0] == pytest.approx(4 * 16 * 4), "mass without a partner pays 1 a unit"


@pytest.mark.parametrize("space", [SPACES["mlp"], ChainCnn(layers=3)], ids=["mlp", "chain_cnn"])
def test_axioms_on_200_pairs_with_the_violations_of_the_triangle_inequality(space: Any) -> None:
    rng = Random(2)
    distance = Otmann(space)
    genomes = list(dict.fromkeys([space.sample(rng) for _ in range(21)]))
    matrix = distance.between(genomes, genomes)
    pairs = len(genomes) * (len(genomes) - 1) // 2
    assert pairs >= 200
    assert (matrix == matrix.swapaxes(0, 1)).all() and (matrix >= 0).all() and not np.diagonal(matrix).any()
    assert (Otmann(space).between(genomes[::-1], genomes)[::-1] == matrix).all(), "whatever was asked before"
    raw = matrix[..., 0]
    broken = (raw[:, None, :] > (raw[:, :, None] + raw[None]) * (1 + 1e-9) + 1e-9).sum() // 2
    print(f"{broken} violations of the triangle inequality among {pairs} pairs with {len(genomes) - 2} others")
    assert broken < 0.01 * pairs * (len(genomes) - 2)


def test_nothing_depends_on_the_numbers_of_nodes() -> None:
    def branches(order: list[tuple[int, int]]) -> Plan:
        graph = Graph((3, 8, 8))
        made = [graph.add("conv", graph.input, channels=c, kernel=k) for c, k in order]
        made = [graph.add("conv", x, channels=8, kernel=1) for x in made]
        x = graph.add("global_avg_pool", graph.add("add", *made))
        return graph.plan(graph.add("linear", x, features=10))

    one, other = branches([(4, 3), (16, 5), (8, 1)]), branches([(8, 1), (4, 3), (16, 5)])
    assert apart(one, other) == pytest.approx([0, 0], abs=1e-9)
    third = branches([(4, 3), (4, 3)])
    assert apart(one, third) == pytest.approx(apart(other, third)) and apart(one, third)[0] > 100


def test_the_kernel_is_a_mixture_and_serves_the_process() -> None:
    kernel = Mixture(lengths=(1.0,), shares=(0.25,))
    given = np.array([[[0.0, 0.0], [2.0, 3.0]], [[2.0, 3.0], [0.0, 0.0]]])
    assert kernel.grid(given) == [(2.0, 3.0, 0.25)]
    assert kernel.covariance(given, (2.0, 3.0, 0.25)) == pytest.approx(np.array([[1, np.exp(-1)], [np.exp(-1), 1]]))
    assert len(Mixture().grid(given)) == 4 + 16 + 4, "a part without a share has one length"
    space, rng = SPACES["mlp"], Random(6)
    distance, genomes = Otmann(space), [space.sample(rng) for _ in range(20)]
    losses = np.array([float(sum(genome[:3])) for genome in genomes])
    process = fit(distance.between(genomes, genomes), losses, False, distance.kernel)
    posterior = process.posterior(distance.between(genomes, genomes))
    assert np.corrcoef(posterior.mean, losses)[0, 1] > 0.9 and (posterior.deviation >= 0).all()


@pytest.mark.parametrize(
    ("label", "line"),
    [
        ("sequence_net", "no distance between layers is known for the operation"),
        ("hyperparameters", "all alike in their layers"),
    ],
)
def test_spaces_that_it_cannot_compare_are_refused(label: str, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        Otmann(SPACES[label])


def test_a_space_of_networks_that_are_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evonas_cli.surrogates.otmann.MOST_LAYERS", 5)
    with pytest.raises(UsageError, match="a network of Mlp has 6 layers, more than the 5 that otmann matches"):
        Otmann(SPACES["mlp"])
