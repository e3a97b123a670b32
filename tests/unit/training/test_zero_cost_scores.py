"""Zero-cost scores against plain computations on small networks of known weights."""

from __future__ import annotations

from math import inf, isnan, log, log1p

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from evonas_cli.network.plan import Graph, Plan
from evonas_cli.nn.build import Network
from evonas_cli.training.zero_cost.jacob_cov import K
from evonas_cli.training.zero_cost.scores import SCORES, Subject, score_of

COUNT, GIVEN, HIDDEN, CLASSES = 6, 9, 20, 3


def plan(*, rectified: bool = True, norm: bool = False) -> Plan:
    graph = Graph((GIVEN,))
    x = graph.add("linear", graph.input, features=HIDDEN)
    x = graph.add("batch_norm", x) if norm else x
    x = graph.add("relu", x) if rectified else x
    return graph.plan(graph.add("linear", x, features=CLASSES))


def subject(of: Plan, seed: int = 4) -> Subject:
    generator = torch.Generator().manual_seed(seed)
    inputs, targets = torch.randn(COUNT, GIVEN, generator=generator), torch.arange(COUNT) % CLASSES
    return Subject(Network(of, generator), inputs, lambda outputs: F.cross_entropy(outputs, targets))


def weights(of: Subject) -> list[NDArray[np.float64]]:
    return [tensor.detach().double().numpy() for name, tensor in of.network.named_parameters() if "weight" in name]


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("rectified", [False, True])
def test_synflow_is_the_product_of_magnitudes_once_a_layer(norm: bool, rectified: bool) -> None:
    given = subject(plan(norm=norm, rectified=rectified))
    first, *_, last = weights(given)
    flow = np.ones(CLASSES) @ np.abs(last) @ np.abs(first) @ np.ones(GIVEN)
    assert score_of("synflow")(given) == pytest.approx(log1p(2 * flow), rel=1e-12)


def test_synflow_needs_no_data() -> None:
    given = subject(plan())
    other = Subject(subject(plan()).network, torch.zeros_like(given.inputs), given.loss)
    assert score_of("synflow")(given) == score_of("synflow")(other)


def test_the_norm_of_the_gradient_is_that_of_softmax_regression() -> None:
    graph = Graph((GIVEN,))
    given = subject(graph.plan(graph.add("linear", graph.input, features=CLASSES)))
    [weight], x = weights(given), given.inputs.double().numpy()
    odds = np.exp(x @ weight.T)
    slope = odds / odds.sum(1, keepdims=True) - np.eye(CLASSES)[np.arange(COUNT) % CLASSES]
    expected = np.linalg.norm(slope.T @ x / COUNT) + np.linalg.norm(slope.mean(0))
    assert score_of("grad_norm")(given) == pytest.approx(expected, rel=1e-5)


def test_naswot_is_the_logarithm_of_the_determinant_of_agreements() -> None:
    given = subject(plan())
    codes = given.inputs.double().numpy() @ weights(given)[0].T > 0
    kernel = np.array([[HIDDEN - int(np.sum(one != other)) for other in codes] for one in codes])
    assert len({code.tobytes() for code in codes}) == COUNT
    assert score_of("naswot")(given) == pytest.approx(log(np.linalg.det(kernel)), rel=1e-9)


def test_naswot_does_not_tell_equal_examples_apart() -> None:
    given = subject(plan())
    given.inputs[1] = given.inputs[0]
    assert score_of("naswot")(given) == -inf
    assert score_of("naswot")(subject(plan(rectified=False))) == -inf


def test_jacobians_of_a_rectified_network_are_products_of_masked_weights() -> None:
    given = subject(plan())
    first, last = weights(given)
    active = given.inputs.double().numpy() @ first.T > 0
    jacobian = (last.sum(0) * active) @ first
    values = np.linalg.eigvalsh(np.corrcoef(jacobian)) + K
    assert score_of("jacob_cov")(given) == pytest.approx(-np.sum(np.log(values) + 1 / values), rel=1e-4)


def test_jacobians_of_a_linear_network_are_all_one() -> None:
    whole, rest = COUNT + K, COUNT - 1
    expected = -(log(whole) + 1 / whole + rest * (log(K) + 1 / K))
    assert score_of("jacob_cov")(subject(plan(rectified=False))) == pytest.approx(expected, rel=1e-3)


def test_a_network_that_ignores_its_input_has_no_correlations() -> None:
    graph = Graph((1, 4, 4))
    dead = graph.add("global_avg_pool", graph.add("zero", graph.input))
    network = Network(graph.plan(graph.add("linear", dead, features=CLASSES)), torch.Generator())
    given = Subject(network, torch.randn(COUNT, 1, 4, 4), lambda outputs: outputs.mean())
    assert isnan(score_of("jacob_cov")(given))
    assert score_of("synflow")(given) == 0


def test_size_is_that_of_the_plan() -> None:
    given = subject(plan())
    assert score_of("parameters")(given) == GIVEN * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES
    assert score_of("multiply_adds")(given) == GIVEN * HIDDEN + HIDDEN * CLASSES
    assert all(np.isfinite(score_of(name)(subject(plan()))) for name in SCORES)
