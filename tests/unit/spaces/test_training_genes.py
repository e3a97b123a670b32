"""Spaces whose genomes say how a network is trained: what they decode to is what the trainer takes."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.config.build import build
from evonas_cli.config.folders import file_of, read
from evonas_cli.core.errors import UsageError
from evonas_cli.network.augmentation_policies import policy_of
from evonas_cli.network.baselines import baseline
from evonas_cli.network.learning_rules import ADAM, MOMENTUM, POWER_SIGN, SGD, rule_of
from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Task
from evonas_cli.spaces.activation_tree import ActivationTree, with_activation
from evonas_cli.spaces.augmentation_policy import AugmentationPolicy
from evonas_cli.spaces.initialisation import InitialWeights
from evonas_cli.spaces.joint import Joint
from evonas_cli.spaces.learning_rule import LearningRule
from evonas_cli.spaces.loss_tree import LossTree
from evonas_cli.spaces.mlp import Mlp
from evonas_cli.spaces.taylor_loss import TaylorLoss
from evonas_cli.training.trainer import Trainer

TRAINER: Trainer = build(read(file_of("trainer", "sgd", ())) | {"save_state": False}, "trainer")
TASK = Task((1, 8, 8), 10)
SPACES = (TaylorLoss(), LossTree(), ActivationTree(), InitialWeights(), AugmentationPolicy(), LearningRule())
NAMES = ("loss", "loss", None, "initialisation", "augmentation", "rule")


@pytest.mark.parametrize(("space", "key"), list(zip(SPACES, NAMES, strict=True)))
def test_the_trainer_takes_what_genomes_say(space: Any, key: str | None) -> None:
    rng, found = Random(1), set()
    for _ in range(30):
        phenotype = space.decode(space.mutate(space.sample(rng), rng), TASK)
        own = TRAINER.override(phenotype.hyper)
        found.add(str(phenotype.plan) if key is None else getattr(own, key))
        assert key is None or phenotype.plan == baseline(TASK)
    assert len(found) > 10
    for key, values in getattr(space, "tuned", {}).items():
        for value in values:
            TRAINER.override({key: value})


@pytest.mark.parametrize("space", [TaylorLoss(), LossTree()])
def test_losses_of_numbers_are_for_no_boxes_and_for_one_task(space: Any) -> None:
    genome = space.sample(Random(1))
    for task, reason in (
        (Task((3, 32, 32), 126 * 7, "boxes"), "and the data has boxes"),
        (Task((2, 8, 8), 5, members=(2, 3)), "each of several tasks has classes of its own"),
    ):
        with pytest.raises(PlanError, match=f"^(taylor_loss|loss_tree): a loss that is a polynomial .*{reason}$"):
            space.decode(genome, task)


def test_a_policy_keeps_the_number_of_the_task() -> None:
    space = AugmentationPolicy()
    with pytest.raises(PlanError, match="^augmentation_policy: a policy would change the channel"):
        space.decode(space.sample(Random(1)), Task((2, 8, 8), 5, members=(2, 3)))


def test_an_activation_takes_the_place_of_each_relu() -> None:
    before, after = baseline(TASK), with_activation(baseline(TASK), "square(x)")
    assert [node.op for node in after.nodes].count("activation") == 3 and before.parameters == after.parameters
    assert not {"relu", "gelu"} & {node.op for node in after.nodes}
    with pytest.raises(PlanError, match="neither relu nor gelu"):
        with_activation(after, "square(x)")
    with pytest.raises(PlanError, match="no finite value at -10"):
        with_activation(before, "square(square(square(square(square(square(x))))))".replace("x", "mul(x, square(x))"))


def test_known_rules_are_rules_and_what_does_not_follow_the_gradient_is_none() -> None:
    for rule in (SGD, MOMENTUM, ADAM, POWER_SIGN):
        assert str(rule_of(rule)) == rule
    for wrong in ("neg(g)", "v", "square(g)", "div(1, sub(g, g))"):
        with pytest.raises(ValueError, match="does not follow the gradient|has a value above"):
            rule_of(wrong)


@pytest.mark.parametrize("text", ["flip 0.5 0.5", "rotate 0.5", "rotate 2 0.5", "rotate a 0.5", "", 3])
def test_what_is_no_policy_is_refused_in_one_line(text: Any) -> None:
    with pytest.raises(ValueError, match=".") as refused:
        policy_of(text)
    assert "\n" not in str(refused.value)


def test_a_pair_decodes_to_the_structure_trained_as_the_other_part_says() -> None:
    joint, rng = Joint(TaylorLoss(), Mlp(layers=1), 1.0), Random(4)
    genome = joint.sample(rng)
    assert joint.mutate(genome, rng)[1] == genome[1] and Joint(TaylorLoss(), Mlp(), 0.0).mutate(genome, rng)[0]
    phenotype = joint.decode(genome, TASK)
    assert phenotype.plan == Mlp(layers=1).decode(genome[1], TASK).plan
    assert phenotype.hyper == TaylorLoss().decode(genome[0], TASK).hyper
    assert list(joint.tuned) == ["loss"]


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"training": "mlp"}, "space.training: the genomes of Mlp do not say how networks are trained"),
        ({"structure": "bits"}, "space.structure: the genomes of Bits are no networks"),
        ({"structure": "nowhere"}, "space.structure"),
        ({"structure": {"name": "mlp", "layer": 3}}, "space.structure has no key layer; did you mean layers?"),
        ({"structure": {"name": "mlp", "layers": 0}}, "space.structure: space.layers"),
        ({"structure": 3}, "must be the name of a space, or name and settings"),
        ({"training_share": 2}, "space.training_share is 2"),
        ({"training": "learning_rule", "structure": "fixed_network"}, "both set trainer.learning_rate"),
    ],
)
def test_pairs_that_cannot_be_are_refused_in_one_line(node: dict[str, Any], expected: str) -> None:
    whole = {"_target_": "evonas_cli.spaces.joint.Joint", "training": "taylor_loss", "structure": "mlp", **node}
    with pytest.raises(UsageError) as refused:
        build(whole, "space")
    assert expected in str(refused.value) and "\n" not in str(refused.value)
