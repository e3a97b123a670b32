"""Networks of one encoder, shared modules and a decoder for each task; a single task has one decoder."""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.network.inputs import check_maps, refusal
from evonas_cli.network.plan import Graph, Param, Plan
from evonas_cli.network.task import Task

SHARED_NODE = 4
"""The node of the shared modules in plans of `shared_plan`."""
LAYERS = ("dense", "conv")


def shared_plan(
    space: str, task: Task, layer: str, width: int, op: str, modules: Sequence[str], **settings: Param
) -> Plan:
    """The plan: the features of an example, an encoder with ReLU of `width` features or channels, and the operation
    `op` of the shared modules with its `settings`.

    `layer` says whether all layers are dense, on what is flattened, or conv. Raises PlanError for token ids, and for
    convolutions on anything but maps.
    """
    if task.vocabulary:
        raise refusal(space, "vectors, series or images", task)
    if layer == "conv":
        check_maps(space, task)
    graph, several = Graph(task.inputs), bool(task.members)
    x = graph.add("task_features", graph.input, flat=int(layer == "dense"), indexed=int(several))
    if layer == "dense":
        x = graph.add("linear", x, features=width)
    else:
        x = graph.add("conv", x, channels=width, kernel=int(settings.get("kernel", 3)), bias=1)
    x = graph.add("relu", x)
    classes = " ".join(map(str, task.members or (task.outputs,)))
    read = (x, graph.input) if several else (x,)
    return graph.plan(graph.add(op, *read, modules=" ".join(modules), classes=classes, **settings))
