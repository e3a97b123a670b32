"""Initial weights, policies of augmentation and rules of learning: their numbers, alone and beside others."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from random import Random
from typing import Any

import pytest
import torch
from quadrants import trainer
from torch import Tensor, nn

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.nowhere import Nowhere
from evonas_cli.core.types import Candidate, Proposal, Result, Unit
from evonas_cli.core.wanted import Wanted
from evonas_cli.data.digits import Digits
from evonas_cli.jobs.supernet import Supernet
from evonas_cli.jobs.train import Train
from evonas_cli.jobs.zero_cost import ZeroCost
from evonas_cli.network.augmentation_policies import OPERATIONS, Step
from evonas_cli.network.learning_rules import ADAM, POWER_SIGN
from evonas_cli.network.plan import Graph
from evonas_cli.nn.initial import initial
from evonas_cli.spaces.augmentation_policy import AugmentationPolicy
from evonas_cli.spaces.initialisation import InitialWeights
from evonas_cli.spaces.learning_rule import LearningRule
from evonas_cli.spaces.loss_tree import LossTree
from evonas_cli.spaces.taylor_loss import TaylorLoss
from evonas_cli.training.batches.policy import changed
from evonas_cli.training.optimizers import AdamW, optimizer_of

DIGITS = Digits(valid_fraction=0.5, test_fraction=0.2, limit=128, crop=0, flip=False, cutout=0)


def test_weights_have_the_deviation_of_gain_and_fan() -> None:
    graph = Graph((16, 8, 8))
    x = graph.add("conv", graph.input, channels=32, kernel=3, groups=2, bias=1)
    plan = graph.plan(graph.add("linear", graph.add("flatten", x), features=10))
    for how, fans in (("fan_in", (72, 2048)), ("fan_out", (144, 10)), ("fan_avg", (108, 1029))):
        for distribution in ("normal", "uniform", "orthogonal"):
            network = initial(plan, 1, f"{distribution} {how} 2.0 0.5")
            layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
            for layer, fan, gain in zip(layers, fans, (2.0, 0.5), strict=True):
                assert float(layer.weight.detach().std()) == pytest.approx(gain / sqrt(fan), rel=0.05)
                assert layer.bias is not None and not layer.bias.any()
    rows = layers[1].weight / layers[1].weight.norm(dim=1, keepdim=True)
    assert torch.allclose(rows @ rows.T, torch.eye(10), atol=1e-5)
    state, again = initial(plan, 1, "standard").state_dict(), initial(plan, 1, "standard").state_dict()
    assert all(torch.equal(state[key], again[key]) for key in state)


def test_a_policy_changes_a_share_of_the_images_and_follows_from_the_seed() -> None:
    x = torch.randn(64, 2, 8, 6, generator=torch.Generator().manual_seed(2))
    for operation in OPERATIONS:
        steps = (Step(operation, 0.5, 0.8),)
        found = changed(x, steps, 7, 1, 3)
        differs = ((found - x).abs() > 1e-4).flatten(1).any(1).float().mean()
        assert found.shape == x.shape and found.isfinite().all() and 0.25 < differs < 0.7, operation
        assert torch.equal(found, changed(x, steps, 7, 1, 3)) and not torch.equal(found, changed(x, steps, 7, 2, 3))
        for idle in (Step(operation, 0.0, 0.8), Step(operation, 1.0, 0.0)):
            assert torch.allclose(changed(x, (idle,), 7, 1, 3), x, atol=1e-5), operation


def parameters(width: int) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(width)
    return [nn.Parameter(torch.randn(width * 4, 3, generator=generator))]


def gradients(step: int, width: int) -> Tensor:
    return torch.randn(width * 4, 3, generator=torch.Generator().manual_seed(50 + step))


def test_adam_as_a_rule_is_adam() -> None:
    ours, theirs = parameters(2), parameters(2)
    rule = optimizer_of(ours, [trainer("sgd", rule=ADAM, weight_decay=0.01)] * 2)
    adam = AdamW(theirs, [trainer("adamw", weight_decay=0.01)] * 2)
    for step in range(4):
        for optimizer in (rule, adam):
            optimizer.step([gradients(step, 2)], torch.tensor([0.1, 0.01]))
    assert rule.name == "Rule" and torch.allclose(ours[0], theirs[0], atol=1e-5)


def test_members_with_rules_of_their_own_and_a_memory_that_goes_on() -> None:
    together = parameters(2)
    alone = [nn.Parameter(part.clone()) for part in together[0].detach().chunk(2)]
    members = [trainer("sgd", rule=ADAM), trainer("sgd", rule=POWER_SIGN)]
    both = optimizer_of(together, members)
    singles = [optimizer_of([part], [member]) for part, member in zip(alone, members, strict=True)]
    for step in range(4):
        g = gradients(step, 2)
        both.step([g.clone()], torch.tensor([0.1, 0.2]))
        for optimizer, part, rate in zip(singles, g.chunk(2), (0.1, 0.2), strict=True):
            optimizer.step([part.clone()], torch.tensor([rate]))
        fresh = optimizer_of([alone[1]], [members[1]])
        fresh.load_memory(0, singles[1].memory(0))
        singles[1] = fresh
    assert torch.allclose(together[0], torch.cat([part.detach() for part in alone]), atol=1e-6)
    with pytest.raises(ValueError, match="members without cannot be one program"):
        optimizer_of(parameters(2), [members[0], trainer("sgd")])


def job(space: Any, wanted: tuple[str, ...] = (), dataset: Any = DIGITS, **changes: Any) -> Train:
    own = replace(trainer("sgd"), epochs=2, batch_size=16, learning_rate=0.05, precision="fp32", **changes)
    return Train(space, dataset, own, 5, "cpu", True, 1, wanted=Wanted(wanted))


def evaluated(space: Any, genomes: list[Any], together: bool) -> tuple[list[Result], list[int]]:
    candidates = [Candidate(id, 0, 90 + id, Proposal(genome)) for id, genome in enumerate(genomes, start=1)]
    what = job(space)
    bench = what.open(Place(None, None))
    units = what.units(candidates, bench.environment()) if together else [Unit((one,)) for one in candidates]
    found = [result for unit in units for result in bench.evaluate(unit, Nowhere())]
    return sorted(found, key=lambda result: result.id), [unit.width for unit in units]


@pytest.mark.parametrize(
    ("space", "widths"),
    [
        (TaylorLoss(), [3]),
        (LossTree(), [3]),
        (InitialWeights(), [3]),
        (LearningRule(), [3]),
        (AugmentationPolicy(), [1] * 3),
    ],
)
def test_stacked_trainings_are_those_of_each_alone(space: Any, widths: list[int]) -> None:
    rng = Random(11)
    genomes = [space.sample(rng) for _ in range(3)]
    stacked, found = evaluated(space, genomes, True)
    alone, _ = evaluated(space, genomes, False)
    assert found == widths
    for one, other in zip(stacked, alone, strict=True):
        assert one.status == other.status
        if one.status == "ok":
            assert one.metrics["valid_loss"] == pytest.approx(other.metrics["valid_loss"], rel=2e-2, abs=1e-3)
    assert len({result.metrics.get("valid_loss") for result in alone}) > 1


def test_a_loss_without_a_finite_gradient_is_a_failure_in_one_line() -> None:
    space = LossTree(depth=9)
    wrong = space.from_json("square(square(square(div(1, sub(p, p)))))")
    (result,), _ = evaluated(space, [wrong], False)
    assert result.error is not None and result.error.kind == "unbuildable"
    assert "has no finite gradient on a probe batch" in result.error.text and "\n" not in result.error.text


def test_what_does_not_heed_genes_of_the_training_refuses_them() -> None:
    with pytest.raises(UsageError, match="train_loss is the value of trainer.loss"):
        job(TaylorLoss(), ("train_loss",))
    own = trainer("sgd")
    with pytest.raises(UsageError, match=r"genomes set the loss \(trainer.loss\), which job=zero_cost does not heed"):
        ZeroCost(TaylorLoss(), DIGITS, own, 5, "cpu", True, 1)
    with pytest.raises(UsageError, match="trainer.rule sets a rule of learning, which the job supernet does not heed"):
        Supernet(TaylorLoss(), DIGITS, replace(own, rule=ADAM), 5, "cpu", True, 1)  # type: ignore[arg-type]
    for key, value in (("loss", "mse"), ("rule", "v"), ("augmentation", "flip 1 1"), ("initialisation", "he")):
        with pytest.raises(UsageError, match=f"trainer.{key}: "):
            replace(own, **{key: value})
