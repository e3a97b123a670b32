"""Gradient descent: what is kept and what returns, and that members do not touch each other."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
import torch
from descents import apart, descent, initial, train, xor
from hypothesis import given, settings
from hypothesis import strategies as st
from neural_space import random_neurons
from torch.nn import functional as F

from evonas_cli.core.errors import UsageError
from evonas_cli.network.neurons import Neurons
from evonas_cli.nn.neurons.order import order
from evonas_cli.nn.neurons.program import Program
from evonas_cli.training.neurons.columns import Batches
from evonas_cli.training.neurons.heads import Binary
from evonas_cli.training.neurons.measuring import means

LINEAR = Neurons(2, 1, ("add",), ((0, 3), (1, 3), (2, 3)), (0.3, -0.2, 0.1))
WAYS: list[dict[str, Any]] = [
    {},
    {"optimizer": "adam", "learning_rate": 0.05, "batch": None, "clip": None, "weight_limit": None},
    {"check_every": None, "weight_decay": 0.0},
]


def loss(neurons: Neurons, weights: torch.Tensor) -> float:
    part = xor()
    program = Program(order([neurons]), part.width, torch.device("cpu"), gradients=False)
    return means(program, part, weights, [Binary().losses])[0].item()


@given(st.integers(0, 100_000), st.sampled_from(WAYS))
@settings(max_examples=15, deadline=None)
def test_trained_weights_are_the_members_own(seed: int, way: dict[str, Any]) -> None:
    """Alone, and in any company and order, whoever ends early."""
    rng, part, chosen = Random(seed), xor(), descent(**way)
    population = [random_neurons(rng, 2, 1, rng.randrange(8), rng.randrange(1, 20), 0.7) for _ in range(7)]
    limits = [rng.choice([0, 7, 20, 30]) for _ in population]
    turned = list(range(7))
    rng.shuffle(turned)
    together = train(population, part, chosen, limits)
    others = train([population[n] for n in turned], part, chosen, [limits[n] for n in turned])
    elsewhere = dict(zip(turned, apart([population[n] for n in turned], others.weights), strict=True))
    for number, own in enumerate(apart(population, together.weights)):
        alone = train([population[number]], part, chosen, [limits[number]])
        assert torch.equal(own, alone.weights) and torch.equal(own, elsewhere[number])
        assert together.updates[number] == alone.updates[0] <= limits[number]


def test_a_member_that_diverges_returns_and_leaves_the_others_alone() -> None:
    wild = Neurons(
        2, 1, ("multiply", "multiply", "add"), ((0, 3), (1, 3), (2, 4), (3, 4), (4, 5)), (9.0,) * 4 + (3e38,)
    )
    part, chosen = xor(), descent(weight_limit=None, clip=None)
    both = train([wild, LINEAR], part, chosen)
    lost, other = apart([wild, LINEAR], both.weights)
    assert torch.equal(other, train([LINEAR], part, chosen).weights)
    assert lost.tolist() == initial([wild]).tolist() and both.updates[0] == 10


def test_the_loss_never_rises_from_look_to_look() -> None:
    rng = Random(5)
    population = [random_neurons(rng, 2, 1, 4, 14) for _ in range(10)]
    found = train(population, xor(), descent(learning_rate=0.2, steps=60))
    ended = []
    for neurons, weights, updates in zip(population, apart(population, found.weights), found.updates, strict=True):
        before, after = loss(neurons, initial([neurons])), loss(neurons, weights)
        assert after <= before
        ended.append(updates)
    assert min(ended) < 60 and any(updates > 10 for updates in ended), "some return, and some do not"


def test_what_the_last_look_found_returns() -> None:
    """With a rate that overshoots in the second stretch, the weights are those after the first, and it ends there."""
    part = xor()
    short = train([LINEAR], part, descent(steps=10, check_every=10))
    assert short.updates == [10] and not torch.equal(short.weights, initial([LINEAR]))
    long = train([LINEAR], part, descent(steps=400, check_every=10))
    stopped = long.updates[0]
    assert stopped < 400 and stopped % 10 == 0
    again = train([LINEAR], part, descent(steps=stopped - 10, check_every=10))
    assert torch.equal(long.weights, again.weights)


def test_without_looks_the_last_weights_are_taken() -> None:
    part = xor()
    found = train([LINEAR], part, descent(steps=1, check_every=None, learning_rate=5.0))
    assert found.updates == [1] and loss(LINEAR, found.weights) > loss(LINEAR, initial([LINEAR]))


def test_one_update_by_hand() -> None:
    """RMSProp's first update of a logistic regression on a batch of ten."""
    part, chosen = xor(), descent(steps=1, check_every=None, clip=0.05, weight_decay=0.25)
    [batch] = Batches(part, 10, 1, seed=4)[0]
    weights = initial([LINEAR]).requires_grad_()
    x = torch.cat([batch.inputs[:, :10], torch.ones(1, 10)])
    F.binary_cross_entropy_with_logits(weights @ x, batch.targets[:10]).backward()
    g = weights.grad
    assert g is not None
    wanted = weights - 0.01 * g.clamp(-0.05, 0.05) / (0.001 * g * g).clamp_min(1e-8).sqrt() - 0.25 * weights
    assert train([LINEAR], part, chosen, seed=4).weights.tolist() == pytest.approx(wanted.tolist(), rel=1e-5)


def test_batches_of_the_whole_part_need_no_seed() -> None:
    part, chosen = xor(), descent(batch=None)
    assert torch.equal(train([LINEAR], part, chosen, seed=1).weights, train([LINEAR], part, chosen, seed=2).weights)
    chosen = descent()
    assert not torch.equal(train([LINEAR], part, chosen, seed=1).weights, train([LINEAR], part, chosen, seed=2).weights)


def test_it_learns_xor() -> None:
    product = Neurons(2, 1, ("multiply", "add"), ((0, 3), (1, 3), (2, 4), (3, 4)), (0.5, 0.5, 0.1, 0.1))
    found = train([product], xor(), descent(steps=200, optimizer="adam", learning_rate=0.05, batch=None))
    assert loss(product, found.weights) < 0.2 < 0.6 < loss(product, initial([product]))


def test_weights_stay_within_their_bound() -> None:
    found = train([replace(LINEAR, weights=(0.9, -0.9, 0.0))], xor(), descent(weight_limit=1.0, learning_rate=0.5))
    assert found.weights.abs().max().item() <= 1.0


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"steps": 0}, "job.steps is 0; it must be an integer of at least 1"),
        ({"batch": 0}, "job.batch is 0; it must be an integer of at least 1, or null"),
        ({"check_every": -1}, "job.check_every is -1"),
        ({"optimizer": "sgd"}, "job.optimizer is 'sgd'; it must be one of rmsprop, adam"),
        ({"learning_rate": 0.0}, "job.learning_rate is 0.0; it must be a number above 0"),
        ({"learning_rate": float("nan")}, "job.learning_rate is nan"),
        ({"clip": 0}, "job.clip is 0; it must be a number above 0, or null"),
        ({"weight_limit": -1.0}, "job.weight_limit is -1.0"),
        ({"weight_decay": 1.0}, "job.weight_decay is 1.0; it must be a number from 0 to below 1"),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        descent(**changes)
    assert str(caught.value).startswith(line)
