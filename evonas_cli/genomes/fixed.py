"""Spaces whose network does not change: the plan of a setting, and genes of the training on such a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from evonas_cli.core.errors import UsageError
from evonas_cli.network.baselines import baseline
from evonas_cli.network.plan import Plan, PlanError
from evonas_cli.network.task import Phenotype, Task

G = TypeVar("G")


def plan_of(network: Mapping[str, Any]) -> Plan:
    """The plan that `space.network` describes, as plan.json of an export does. Raises UsageError for anything else."""
    try:
        return Plan.from_json({key: value for key, value in network.items() if key != "schema"})
    except ValueError as error:
        raise UsageError(f"space.network: {error}; take the plan.json of an export") from error


def plan_for(network: Plan | None, task: Task) -> Plan:
    """The network, or without one the plain network for the kind of inputs. Raises PlanError for another task's."""
    plan = baseline(task) if network is None else network
    if plan.shapes[0] != task.inputs or plan.shapes[plan.output] != (task.outputs,):
        shape, outputs = plan.shapes[0], plan.shapes[plan.output]
        raise PlanError(
            f"space.network reads {shape} and gives {outputs}; the task has {task.inputs} and ({task.outputs},)"
        )
    return plan


class OnFixedNetwork(Generic[G]):
    """A base class of spaces whose genomes say how networks are trained (`Applying`), on one network.

    `network` is as in `plan_of`; None: the plain network for the kind of inputs (network/baselines.py).
    """

    def __init__(self, network: Mapping[str, Any] | None = None) -> None:
        self._network = None if network is None else plan_of(network)

    def decode(self, genome: G, task: Task) -> Phenotype:
        """The network, trained as the genome says. Raises PlanError for a task that the network is not for."""
        return self.applied(genome, Phenotype(plan_for(self._network, task)))

    def applied(self, genome: G, phenotype: Phenotype) -> Phenotype:
        """As `Applying` says."""
        raise NotImplementedError
