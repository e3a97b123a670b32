"""The network that a person would try first, for each kind of inputs: what a search has to beat.

    images    two 3x3 convolutions of 16 and 32 channels, each with ReLU and 2x2 max pooling, 64 hidden units (the shape
              of LeNet: LeCun et al., 1998, with ReLU); a map too small to be halved is not pooled
    vectors   two hidden layers of 64 units with ReLU
    series    a convolution of width 3 with 32 channels and ReLU, the maximum over time (Kim, EMNLP 2014)
    texts     the same on an embedding of 32 numbers a token

Each has dropout with rate 0.2 before its last linear layer.
"""

from __future__ import annotations

from evonas_cli.network.plan import Graph, Plan
from evonas_cli.network.task import Task

RATE = 0.2
CHANNELS = (16, 32)
HIDDEN = 64
WIDTH = 32


def baseline(task: Task) -> Plan:
    """The plain network for the task. Raises PlanError for inputs of more than three axes."""
    graph = Graph(task.inputs)
    if task.vocabulary or len(task.inputs) == 2:
        x = _sequence(graph, task)
    elif len(task.inputs) == 1:
        x = _dense(graph, _dense(graph, graph.input))
    else:
        x = _dense(graph, graph.add("flatten", _convolved(graph)))
    x = graph.add("dropout", x, rate=RATE)
    return graph.plan(graph.add("linear", x, features=task.outputs))


def with_dropout(plan: Plan, rate: float) -> Plan:
    """The plan with another rate in each of its dropout layers; a plan without such layers as it is."""
    graph = Graph(plan.shapes[0])
    for node in plan.nodes[1:]:
        settings = {**dict(node.params), **({"rate": rate} if node.op == "dropout" else {})}
        graph.add(node.op, *node.inputs, **settings)
    return graph.plan(plan.output)


def dropout_rate(plan: Plan) -> float | None:
    """The largest rate of the plan's dropout layers, None where it has none."""
    return max((float(dict(node.params)["rate"]) for node in plan.nodes if node.op == "dropout"), default=None)


def _dense(graph: Graph, x: int) -> int:
    return graph.add("relu", graph.add("linear", x, features=HIDDEN))


def _convolved(graph: Graph) -> int:
    x = graph.input
    for channels in CHANNELS:
        x = graph.add("relu", graph.add("conv", x, channels=channels, kernel=3, bias=1))
        if min(graph.shape(x)[1:]) >= 2:
            x = graph.add("max_pool", x, kernel=2, stride=2)
    return x


def _sequence(graph: Graph, task: Task) -> int:
    x, ids = graph.input, (graph.input,) if task.vocabulary else ()
    if ids:
        x = graph.add("embedding", x, vocabulary=task.vocabulary, width=WIDTH)
    x = graph.add("relu", graph.add("conv1d", x, channels=WIDTH, kernel=3, bias=1))
    return graph.add("max_time", x, *ids)
