"""Losses as formulas (GLO: Gonzalez and Miikkulainen, CEC 2020), for one fixed network.

A formula reads the target y and the prediction p (network/losses.py); half of the samples are changes of the
cross-entropy or of the paper's Baikal loss. A formula that does not read p has no gradient and is no genome. Whether
gradients are finite is tried before a candidate is trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.core.types import Json
from evonas_cli.genomes.fixed import OnFixedNetwork
from evonas_cli.genomes.formula_trees import FormulaTrees
from evonas_cli.network.losses import CROSS_ENTROPY, FUNCTIONS, LEAVES, check_fit
from evonas_cli.network.task import Phenotype, Task
from evonas_cli.network.trees import Tree

BAIKAL = "sub(div(y, p), log(p))"
PREDICTION = "p"


class LossTree(OnFixedNetwork[Tree], FormulaTrees):
    """The loss of a training as a formula; validation measures what it always does.

    `depth` bounds the functions on a path; `functions` are those of new formulas. `network` is as in
    space=fixed_network. Raises UsageError for settings that fit no formula, and for what is no plan.
    """

    def __init__(
        self, depth: int = 5, functions: Sequence[str] = FUNCTIONS, network: Mapping[str, Any] | None = None
    ) -> None:
        FormulaTrees.__init__(self, depth, functions, FUNCTIONS, LEAVES, (CROSS_ENTROPY, BAIKAL), _unread)
        super().__init__(network)

    @property
    def tuned(self) -> Mapping[str, Sequence[Json]]:
        """The trainer's loss."""
        return {"loss": (CROSS_ENTROPY,)}

    def decode(self, genome: Tree, task: Task) -> Phenotype:
        """The network, trained by the formula. Raises PlanError for boxes and for several tasks."""
        check_fit(task, "loss_tree")
        return super().decode(genome, task)

    def applied(self, genome: Tree, phenotype: Phenotype) -> Phenotype:
        """The network with the formula as its loss."""
        return Phenotype(phenotype.plan, {**phenotype.hyper, "loss": str(genome)})


def _unread(tree: Tree) -> str | None:
    read = any(node.label == PREDICTION for _, node in tree.places())
    return None if read else f"{tree} does not read {PREDICTION}, so that it has no gradient"
