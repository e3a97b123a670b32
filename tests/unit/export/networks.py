"""One small network for each operation, with weights that are not the initial ones."""

from __future__ import annotations

import torch

from evonas_cli.export.outgoing import Outgoing
from evonas_cli.network.plan import Graph, Plan
from evonas_cli.network.signature import Signature
from evonas_cli.network.task import Kind, Task
from evonas_cli.nn.build import Network

MAPS, SEQUENCE, VECTOR, IDS = (3, 6, 5), (4, 9), (7,), (8,)
VOCABULARY = 11

ON_MAPS = {
    "conv_int8": [
        {"channels": 6, "kernel": 3},
        {"channels": 6, "kernel_h": 1, "kernel_w": 3, "stride_h": 2, "groups": 3, "bias": 1},
    ],
    "conv": [
        {"channels": 6, "kernel": 3},
        {"channels": 6, "kernel_h": 1, "kernel_w": 3, "stride_h": 2, "groups": 3, "bias": 1},
        {"channels": 4, "kernel": 3, "dilation": 2, "same": 0},
    ],
    "max_pool": [{"kernel": 3, "stride": 2, "padding": 1}],
    "avg_pool": [{"kernel": 3, "stride": 1, "padding": 1}, {"kernel": 2, "stride": 2}],
    "global_avg_pool": [{}],
    "zero": [{}, {"stride": 2}],
    "shift": [{}],
    "pad": [{"height": 8, "width": 6}],
    "resize": [{"height": 12, "width": 10}, {"height": 13, "width": 5}],
    "map_to_sequence": [{}],
    "upsample": [{"factor": 2}],
    "global_max": [{}],
    "batch_norm": [{}],
    "layer_norm": [{}],
    "flatten": [{}],
    "task_features": [{"indexed": 1}, {"indexed": 1, "flat": 1}],
    "soft_ordering": [{"modules": "relu tanh", "classes": "3", "depth": 2}],
}
NODES = "sigmoid tanh relu gaussian sine abs square multiply steepened_sigmoid add add add"
"""Hidden nodes 8 to 16, each of a function, then outputs, of which the first has no link."""
READ = {**{node: {7, node - 8, node - 1} for node in range(8, 17)}, 18: range(7, 13), 19: range(12, 17)}
LINKS = " ".join([f"{source}-{node}" for node, sources in READ.items() for source in sorted(sources)])
ON_SEQUENCES = {
    "conv1d": [
        {"channels": 6, "kernel": 3},
        {"channels": 6, "kernel": 3, "stride": 2, "dilation": 2, "groups": 2, "bias": 1},
    ],
    "max_pool1d": [{"kernel": 3, "stride": 2, "padding": 1}],
    "avg_pool1d": [{"kernel": 3, "stride": 2, "padding": 1}],
    "lstm": [{"hidden": 5}, {"hidden": 3, "bidirectional": 1}],
    "gru": [{"hidden": 5}, {"hidden": 3, "bidirectional": 1}],
    "attention": [{"heads": 2}, {"heads": 1, "window": 2, "rotary": 1}, {"heads": 2, "linear": 1, "rotary": 1}],
    "sinusoidal_positions": [{}],
    "learned_positions": [{}],
    "later": [{"skipped": 2}],
    "mean_time": [{}],
    "max_time": [{}],
    "last_time": [{}],
    "batch_norm": [{}],
    "layer_norm": [{}],
}
EVERY = "max(add(neg(abs(x)), square(tanh(x))), mul(sigmoid(x), add(relu(x), sin(exp(x)))))"
"""All functions of an activation."""
ON_VECTORS = {
    "linear": [{"features": 4}, {"features": 4, "bias": 0}],
    "neurons": [{"outputs": 3, "functions": NODES, "links": LINKS}],
    "linear_int8": [{"features": 4}, {"features": 4, "bias": 0}],
    "batch_norm": [{}],
    "layer_norm": [{}],
    "relu": [{}],
    "gelu": [{}],
    "activation": [{"formula": EVERY}],
    "tanh": [{}],
    "sigmoid": [{}],
    "identity": [{}],
    "dropout": [{"rate": 0.3}],
    "picture": [{"channels": 1, "height": 2, "width": 3}],
    "repeat": [{"length": 3}],
    "soft_ordering": [{"modules": "gelu sigmoid", "classes": "3", "depth": 2}],
}
ON_IDS = ("embedding", "mask", "attention", "mean_time", "max_time", "last_time")
MERGING = ("add", "concat")


def cases() -> dict[str, Plan]:
    """Plans by a name that begins with the operation."""
    found = {}
    for shape, table in ((MAPS, ON_MAPS), (SEQUENCE, ON_SEQUENCES), (VECTOR, ON_VECTORS)):
        for op, settings in table.items():
            for number, given in enumerate(settings):
                graph = Graph(shape)
                found[f"{op}-{len(shape)}-{number}"] = ended(graph, graph.add(op, graph.input, **given))
    for op in MERGING:
        graph = Graph(VECTOR)
        both = [graph.add("relu", graph.input), graph.add("tanh", graph.input), graph.input]
        found[f"{op}-1-0"] = ended(graph, graph.add(op, *both))
    graph = Graph(MAPS)
    y = graph.add("relu", graph.input)
    found["multiply-3-0"] = ended(graph, graph.add("multiply", y, graph.add("global_max", y)))
    graph = Graph(SEQUENCE)
    found["join-2-0"] = ended(graph, graph.add("join", graph.input, graph.add("relu", graph.input)))
    graph = Graph(VECTOR)
    ids = graph.add("words", graph.add("sigmoid", graph.input), length=4)
    found["words-1-0"] = ended(graph, graph.add("embedding", ids, vocabulary=2, width=3))
    graph, routes = Graph(VECTOR), "0<0 1<0+1 out<1+2 / 0<0 out<1 / 1<0 out<1 / 1<0 0<1 out<2"
    own = graph.add("task_features", graph.input, indexed=1)
    given = {"modules": "relu tanh", "classes": "2 3", "routes": routes, "rivals": 1}
    found["task_routes-1-0"] = ended(graph, graph.add("task_routes", own, graph.input, **given))
    for op in ON_IDS:
        graph = Graph(IDS)
        x = graph.add("embedding", graph.input, vocabulary=VOCABULARY, width=4)
        if op != "embedding":
            x = graph.add(op, x, graph.input, **({"heads": 2} if op == "attention" else {}))
        found[f"{op}-ids"] = ended(graph, x)
    return found


def ended(graph: Graph, x: int) -> Plan:
    """The plan that ends in three outputs."""
    x = x if len(graph.shape(x)) == 1 else graph.add("flatten", x)
    return graph.plan(graph.add("linear", x, features=3))


def outgoing(plan: Plan, kind: Kind = "classes", form: str = "arrays") -> Outgoing:
    """The plan with random weights, means and deviations."""
    shape = plan.shapes[0]
    ids = plan.nodes[1].op == "embedding"
    generator = torch.Generator().manual_seed(5)
    network = Network(plan, generator)
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and "embedding" not in name:
            tensor.add_(torch.rand(tensor.shape, generator=generator) * 0.2)
    scale = () if ids else tuple(0.5 + 0.1 * n for n in range(shape[0]))
    targets = ((100.0, 2.0, -3.0), (7.0, 1.0, 2.0)) if kind == "numbers" else ((), ())
    task = Task(shape, 3, kind, VOCABULARY if ids else 0)
    said = {"form": "text", "column": "text", "tokens": "words", "lower": True, "length": shape[0], "known": ["a"]}
    preparation = said if ids else {"form": form, "bytes": False}
    signature = Signature(task, scale, scale, ("a", "b", "c"), *targets, preparation)
    return Outgoing("A network", plan, signature, network.state_dict())


def inputs(plan: Plan, n: int = 5) -> torch.Tensor:
    """Raw inputs; token ids have padding at their end, and one text is empty."""
    generator = torch.Generator().manual_seed(6)
    shape = plan.shapes[0]
    if plan.nodes[1].op != "embedding":
        return torch.rand(n, *shape, generator=generator) * 2
    ids = torch.randint(1, VOCABULARY, (n, *shape), generator=generator)
    for row in range(n):
        ids[row, 2 * row :] = 0
    return ids
