"""Rules on a small supernet: what they train, what they may not touch, and how operations die."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from evonas_cli.network.task import Task
from evonas_cli.nn.supernet.network import Supernet
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.training.criteria import Classes
from evonas_cli.training.supernet.bayesnas import BayesNas, prior
from evonas_cli.training.supernet.darts import Darts
from evonas_cli.training.supernet.rule import Step
from evonas_cli.training.supernet.weights import Weights, WeightSettings
from evonas_cli.training.supernet.xnas import Xnas
from evonas_cli.training.trainer import Trainer

SPACE, TASK = NasBench201(channels=2, cells_per_stage=1, nodes=3), Task((1, 4, 4), 3)
DARTS = {
    "order": "first",
    "xi": None,
    "alpha_learning_rate": 0.01,
    "alpha_weight_decay": 0.0,
    "eigenvalue_every": None,
}
XNAS = {"bound": 1.0, "eta": None, "wipe_out": True}
BAYESNAS = {"lambda_origin": 0.01, "lambda_child": 0.01, "switch_learning_rate": 0.1, "least_gamma": 0.01}
SETTINGS = WeightSettings(
    batch_size=16, learning_rate=0.05, learning_rate_end=0.0, momentum=0.9, weight_decay=1e-4, clip_norm=5.0
)


def weights() -> Weights:
    network = Supernet(SPACE.superplan(TASK), torch.Generator().manual_seed(1))
    trainer = Trainer(**_trainer())
    return Weights(network, SPACE.relaxed, Classes(TASK), SETTINGS, trainer)


def _trainer() -> dict[str, Any]:
    from evonas_cli.config.folders import options, read

    given = {key: value for key, value in read(options("trainer")["sgd"]).items() if key[0] != "_"}
    return {**given, "save_state": False}


def batch(seed: int) -> Any:
    """Images whose mean says their class."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 3, (16,), generator=generator)
    return torch.randn(16, 1, 4, 4, generator=generator) + y.view(-1, 1, 1, 1), y


def trained(kind: Any, settings: dict[str, Any], steps: int = 3) -> tuple[Weights, Any]:
    shared = weights()
    rule = kind(shared, settings, 5, 40)
    for number in range(steps):
        rule.step(batch(number), batch(100 + number) if rule.halves else None, Step(0.05))
    return shared, rule


def values(tensors: Any) -> list[torch.Tensor]:
    return [tensor.detach().clone() for tensor in tensors]


@pytest.mark.parametrize("order", ["first", "second"])
def test_alphas_are_no_weights_and_follow_the_other_half_alone(order: str) -> None:
    shared, rule = trained(Darts, {**DARTS, "order": order}, 0)
    assert not {id(p) for p in shared.parameters} & {id(alpha) for alpha in rule.alphas}
    before, weights_before = values(rule.alphas), values(shared.parameters)
    rule.step(batch(1), batch(2), Step(0.05))
    changed = values(rule.alphas)
    assert all(not torch.equal(a, b) for a, b in zip(before, changed, strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(weights_before, values(shared.parameters), strict=True))
    for other, equal in ((batch(2), True), (batch(3), False)):
        _, again = trained(Darts, {**DARTS, "order": "first"}, 0)
        _, same = trained(Darts, {**DARTS, "order": "first"}, 0)
        again.step(batch(7), batch(2), Step(0.05))
        same.step(batch(8), other, Step(0.05))
        pairs = zip(again.alphas, same.alphas, strict=True)
        assert all(torch.equal(a, b) for a, b in pairs) is equal, "the first order knows nothing of the training batch"


def test_second_order_without_a_step_is_first_order() -> None:
    first, second = ({**DARTS, "order": "first"}, {**DARTS, "order": "second", "xi": 0.0})
    pairs = zip(trained(Darts, first)[1].alphas, trained(Darts, second)[1].alphas, strict=True)
    for a, b in pairs:
        torch.testing.assert_close(a, b)
    moved = zip(trained(Darts, first)[1].alphas, trained(Darts, {**second, "xi": 0.5})[1].alphas, strict=True)
    assert any(not torch.equal(a, b) for a, b in moved)


def test_darts_tells_shares_entropy_and_eigenvalue_when_it_is_due() -> None:
    _, rule = trained(Darts, {**DARTS, "eigenvalue_every": 2})
    told = rule.told(2)
    assert all(sum(edge) == pytest.approx(1.0) for edge in told["strengths"])
    assert 0 < told["entropy"] <= torch.log(torch.tensor(5.0)) + 1e-6
    assert isinstance(told["eigenvalue"], float) and "eigenvalue" not in rule.told(3)


def test_a_reward_of_xnas_is_minus_the_gradient_of_the_share_clipped() -> None:
    shared, rule = trained(Xnas, XNAS, 0)
    rule.step(batch(1), batch(2), Step(0.0))
    shares = [torch.full((5,), 0.2, requires_grad=True) for _ in SPACE.relaxed.edges]
    x, y = batch(2)
    gradients = torch.autograd.grad(shared.loss(shared.network.mixture(x, shares), y), shares)
    for expert, gradient in zip(rule.experts, gradients, strict=True):
        torch.testing.assert_close(expert.log_v, expert.eta * -gradient.double().clamp(-1, 1), rtol=1e-4, atol=1e-6)


def test_xnas_ends_with_one_operation_an_edge() -> None:
    _, rule = trained(Xnas, XNAS, 40)
    told = rule.told(1)
    assert told["live"] == 3 and told["entropy"] == pytest.approx(0.0, abs=1e-9)
    for expert, strengths in zip(rule.experts, told["strengths"], strict=True):
        assert int(expert.alive.argmax()) == max(range(5), key=strengths.__getitem__)


def test_the_prior_is_the_published_update() -> None:
    switch, gamma, hessian = torch.tensor([0.8, 0.5, 0.1]), torch.tensor([1.0, 2.0, 0.5]), torch.tensor([3.0, 1.0, 4.0])
    omega, after = prior(switch, gamma, hessian)
    for place in range(3):
        g, h = float(gamma[place]), float(hessian[place])
        c = 1 / (1 / g + h)
        assert float(omega[place]) == pytest.approx(abs(-c / g**2 + 1 / g) ** 0.5, rel=1e-5)
    alone = (switch / omega).tolist()
    assert float(after[0]) == pytest.approx(alone[0])
    assert after[1:].tolist() == pytest.approx([1 / (1 / child + 1 / alone[0]) for child in alone[1:]])


def test_live_operations_fall_under_the_penalty_and_stay_without() -> None:
    found = {}
    for penalty in (0.0, 0.6):
        settings = {"lambda_origin": penalty, "lambda_child": penalty, "switch_learning_rate": 0.5, "least_gamma": 0.0}
        _, rule = trained(BayesNas, settings, 0)
        counts = []
        for epoch in range(4):
            for number in range(8):
                rule.step(batch(number), None, Step(0.05))
            counts.append(rule.told(epoch)["live"])
        assert counts == sorted(counts, reverse=True), "what is dead stays dead"
        found[penalty] = counts[-1]
    assert found[0.0] == 12, "three edges of four operations other than none"
    assert 3 <= found[0.6] <= 8


def test_penalties_do_not_bring_all_switches_to_nothing_together() -> None:
    settings = {**BAYESNAS, "lambda_origin": 2.0, "lambda_child": 2.0}
    _, rule = trained(BayesNas, settings, 12)
    rule.told(1)
    assert max(float(switch[0].detach().abs()) for switch in rule.switches) == pytest.approx(1.0)
    assert all(float(switch[1:].detach().abs().max()) == pytest.approx(1.0) for switch in rule.switches)


def test_a_dead_operation_has_no_share_and_no_strength() -> None:
    shared, rule = trained(BayesNas, BAYESNAS, 1)
    rule.alive[0][3] = 0.0
    told = rule.told(1)
    assert told["strengths"][0][2] == 0.0 and rule.switches[0][3] == 0.0
    x, y = batch(4)
    names = {name for name, p in shared.network.named_parameters() if p.requires_grad}
    rule.step((x, y), None, Step(0.05))
    assert names and rule.switches[0][3] == 0.0
