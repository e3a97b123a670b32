"""Activations as formulas (Bingham, Macke and Miikkulainen, GECCO 2020), for one fixed network.

A formula takes the place of each ReLU and GELU of the network. ReLU and swish are in the space, and half of the
samples are changes of one of them. Conditions on formulas are those of network/activation_ops.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.genomes.fixed import OnFixedNetwork
from evonas_cli.genomes.formula_trees import FormulaTrees
from evonas_cli.network.activation_ops import FUNCTIONS, LEAVES, RELU, SWISH, activation_fault
from evonas_cli.network.plan import Graph, Plan, PlanError
from evonas_cli.network.task import Phenotype
from evonas_cli.network.trees import Tree

REPLACED = ("relu", "gelu")
"""The operations of a plan that the formula takes the place of."""


class ActivationTree(OnFixedNetwork[Tree], FormulaTrees):
    """The activation of a network as a formula of x.

    `depth` bounds the functions on a path; `functions` are those of new formulas. `network` is as in
    space=fixed_network. Raises UsageError for settings that fit no formula, and for what is no plan.
    """

    def __init__(
        self, depth: int = 4, functions: Sequence[str] = FUNCTIONS, network: Mapping[str, Any] | None = None
    ) -> None:
        FormulaTrees.__init__(self, depth, functions, FUNCTIONS, LEAVES, (RELU, SWISH), activation_fault)
        super().__init__(network)

    def applied(self, genome: Tree, phenotype: Phenotype) -> Phenotype:
        """The network with the formula as its activation."""
        return Phenotype(with_activation(phenotype.plan, str(genome)), phenotype.hyper)


def with_activation(plan: Plan, text: str) -> Plan:
    """The plan with a formula in the place of each ReLU and GELU. Raises PlanError for a plan that has neither."""
    if not any(node.op in REPLACED for node in plan.nodes):
        raise PlanError("the network has neither relu nor gelu, whose place an activation could take")
    graph = Graph(plan.shapes[0])
    for node in plan.nodes[1:]:
        if node.op in REPLACED:
            graph.add("activation", *node.inputs, formula=text)
        else:
            graph.add(node.op, *node.inputs, **dict(node.params))
    return graph.plan(plan.output)
