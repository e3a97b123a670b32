"""Graphs of neurons on their way out of evonas: as plans with weights, and with what their numbers mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.capability import Capability
from evonas_cli.network.neuron_ops import settings_of
from evonas_cli.network.neurons import Neurons, ends
from evonas_cli.network.plan import Graph, Plan
from evonas_cli.network.signature import Signature
from evonas_cli.network.task import Task


@dataclass(frozen=True)
class Deployment:
    """`weights` are those of a `Network` of the plan, by name."""

    plan: Plan
    signature: Signature
    weights: Mapping[str, Sequence[float]]


@runtime_checkable
class Deploying(Protocol, metaclass=Capability):
    """Capability of a job: a candidate's graph of neurons, whose weights the journal has, can leave evonas."""

    def deployment(self, neurons: Neurons) -> Deployment:
        """The graph for raw inputs. Reads the data, never its test part; raises what the data set raises."""


@runtime_checkable
class Acting(Protocol, metaclass=Capability):
    """Capability of a job whose graphs of neurons are policies: what one answers in the job's own episodes."""

    def answered(self, neurons: Neurons) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Every observation, (N, observations), and the place of the action that followed, (N,).

        Raises UsageError where the environment cannot be made.
        """


def deployed(neurons: Neurons, signature: Signature) -> Deployment:
    """The graph as a plan: inputs are flattened, and two classes have two scores, 0 and the output.

    The softmax of these is the output's sigmoid. Raises ValueError for a graph of another task.
    """
    plan = plan_of(neurons, signature.task)
    [name] = [f"{index}_{node.op}" for index, node in enumerate(plan.nodes) if node.op == "neurons"]
    return Deployment(plan, signature, {f"layers.{name}.weights": neurons.weights})


def plan_of(neurons: Neurons, task: Task) -> Plan:
    """The plan of `deployed`, whose one layer with weights is the operation `neurons`."""
    if (neurons.n_inputs, neurons.n_outputs) != ends(task):
        raise ValueError(f"the graph has {neurons.n_inputs} inputs and {neurons.n_outputs} outputs, not {ends(task)}")
    graph = Graph(task.inputs)
    x = graph.input if len(task.inputs) == 1 else graph.add("flatten", graph.input)
    scored = neurons if neurons.n_outputs == task.outputs else _with_zero(neurons)
    return graph.plan(graph.add("neurons", x, **settings_of(scored)))


def _with_zero(neurons: Neurons) -> Neurons:
    """The graph with a further output before its only one; no link leads there, so that it is 0."""
    place = neurons.first_node + neurons.n_hidden
    links = [(source, target + 1 if target == place else target) for source, target in neurons.links]
    functions = (*neurons.functions[:-1], "add", neurons.functions[-1])
    return replace(neurons, n_outputs=2, functions=functions, links=tuple(links))
