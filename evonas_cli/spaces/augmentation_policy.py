"""Policies of augmentation as genes (AutoAugment: Cubuk et al., CVPR 2019), for one fixed network that reads images.

A genome has `steps` operations, each with a probability and a strength; an operation may be `none`. What operations do
is in network/augmentation_policies.py. The validation part is never augmented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Genes
from evonas_cli.genomes.declared import Declared
from evonas_cli.genomes.fixed import OnFixedNetwork
from evonas_cli.genomes.options import words
from evonas_cli.network.augmentation_policies import NONE, OPERATIONS, Step, policy_text
from evonas_cli.network.inputs import check_maps
from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Phenotype, Task


class AugmentationPolicy(OnFixedNetwork[Genes], Declared):
    """Operations, probabilities and strengths of the augmentation of training images.

    `steps` operations are applied one after the other, of `operations` and none. `network` is as in
    space=fixed_network. Raises UsageError for settings out of range, and for what is no plan.
    """

    def __init__(
        self, steps: int = 3, operations: Sequence[str] = OPERATIONS, network: Mapping[str, Any] | None = None
    ) -> None:
        if type(steps) is not int or not 1 <= steps <= 20:
            raise UsageError(f"space.steps is {steps!r}; it must be a whole number from 1 to 20")
        options: list[Json] = [NONE, *words("operations", operations, OPERATIONS)]
        genes: dict[str, Mapping[str, Json]] = {}
        for step in range(steps):
            genes[f"operation{step}"] = {"options": options}
            genes[f"probability{step}"] = {"low": 0.0, "high": 1.0}
            genes[f"strength{step}"] = {"low": 0.0, "high": 1.0}
        Declared.__init__(self, genes, "gene")
        super().__init__(network)

    @property
    def tuned(self) -> Mapping[str, Sequence[Json]]:
        """The trainer's augmentation, without an operation and with the last one at full strength."""
        ends = self.extremes.values()
        return {"augmentation": [_text([values[end] for values in ends]) for end in (0, -1)]}

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network with such an augmentation. Raises PlanError for other inputs than images, and several tasks."""
        check_maps("augmentation_policy", task)
        if task.members:
            raise PlanError("augmentation_policy: a policy would change the channel that holds the number of the task")
        return super().decode(genome, task)

    def applied(self, genome: Genes, phenotype: Phenotype) -> Phenotype:
        """The network, trained on images that the policy changes."""
        return Phenotype(phenotype.plan, {**phenotype.hyper, "augmentation": _text(genome)})


def _text(genes: Sequence[Any]) -> str:
    threes = zip(genes[::3], genes[1::3], genes[2::3], strict=True)
    return policy_text(tuple([Step(name, float(p), float(strength)) for name, p, strength in threes if name != NONE]))
