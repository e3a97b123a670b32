"""The canonical hash: equal for equal functions however they are written down, different for everything else."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Graph, Node, Plan
from evonas_cli.network.task import Task
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.spaces.nasnet import NasNet

SPACES = [NasBench201(channels=4, cells_per_stage=1), NasNet(channels=4, normal_cells=1, combinations=3)]
TASK = Task((3, 8, 8), 10)
OPERATIONS = ["conv", "conv", "batch_norm", "relu", "max_pool", "avg_pool", "shift", "identity", "add", "concat"]


def random_dag(rng: Random) -> Plan:
    """A random network over all operations but zero, every node of which reaches the output."""
    graph = Graph((4, 6, 6))
    nodes = [graph.input]
    for _ in range(rng.randrange(4, 20)):
        x = rng.choice(nodes)
        alike = [node for node in nodes if graph.shape(node) == graph.shape(x)]
        op = rng.choice(OPERATIONS)
        inputs = rng.choices(alike if op == "add" else nodes, k=rng.randrange(1, 4)) if OPS[op].commutative else [x]
        params = {"kernel": 3, "padding": 1} if op.endswith("pool") else {}
        if op == "conv":
            params = {"channels": rng.choice([2, 4]), "kernel": rng.choice([1, 3])}
        nodes.append(graph.add(op, *inputs, **params))
    pooled = [graph.add("global_avg_pool", node) for node in nodes[1:]]
    return graph.plan(graph.add("linear", graph.add("concat", *pooled), features=10))


def random_plan(rng: Random) -> Plan:
    space = rng.choice([*SPACES, None])
    return random_dag(rng) if space is None else space.decode(space.sample(rng), TASK).plan


def random_live_plan(rng: Random) -> Plan:
    while True:
        plan = random_plan(rng)
        if all(node.op != "zero" for node in plan.nodes):
            return plan


def rebuild(nodes: list[Node], shape: tuple[int, ...]) -> Plan:
    graph = Graph(shape)
    for node in nodes[1:]:
        graph.add(node.op, *node.inputs, **dict(node.params))
    return graph.plan(len(nodes) - 1)


def relabelled(plan: Plan, rng: Random) -> Plan:
    """The same plan with its nodes in a random topological order and inputs of sums and concatenations shuffled."""
    missing = [set(node.inputs) for node in plan.nodes]
    place: dict[int, int] = {}
    nodes: list[Node] = []
    ready = [0]
    while ready:
        index = ready.pop(rng.randrange(len(ready)))
        node = plan.nodes[index]
        for reader, sources in enumerate(missing):
            if index in sources:
                sources.remove(index)
                if not sources:
                    ready.append(reader)
        inputs = [place[source] for source in node.inputs]
        rng.shuffle(inputs)
        place[index] = len(nodes)
        nodes.append(Node(node.op, tuple(inputs), node.params))
    return rebuild(nodes, plan.shapes[0])


def test_a_thousand_relabellings_keep_the_hash():
    rng = Random(1)
    moved = 0
    for _ in range(500):
        plan = random_plan(rng)
        digest = canonical_hash(plan)
        for _ in range(2):
            other = relabelled(plan, rng)
            moved += other.nodes != plan.nodes
            assert canonical_hash(other) == digest, f"\n{plan}\n\n{other}"
    assert moved > 900  # most relabellings did change the written form


def disguised(plan: Plan, rng: Random) -> Plan:
    """The same function written with identities, zeros, nested and single sums, and repeated weightless nodes."""
    graph = Graph(plan.shapes[0])
    versions = [[graph.input]]
    for node in plan.nodes[1:]:
        params = dict(node.params)
        made = []
        for _ in range(2 if OPS[node.op].parameters is None and rng.random() < 0.3 else 1):
            inputs = [rng.choice(versions[source]) for source in node.inputs]
            if node.op == "add" and len(inputs) > 1 and rng.random() < 0.5:
                inputs = [graph.add("add", *inputs[:2]), *inputs[2:]]
            made.append(graph.add(node.op, *inputs, **params))
        for _ in range(rng.randrange(3)):
            x = rng.choice(made)
            zero = graph.add("relu", graph.add("zero", x))
            made.append(rng.choice([graph.add("identity", x), graph.add("add", x), graph.add("add", zero, x)]))
        versions.append(made)
    return graph.plan(rng.choice(versions[-1]))


def test_five_hundred_disguises_keep_the_hash():
    rng = Random(2)
    for _ in range(500):
        plan = random_plan(rng)
        other = disguised(plan, rng)
        assert canonical_hash(other) == canonical_hash(plan), f"\n{plan}\n\n{other}"


def layers_by_paths(plan: Plan) -> Counter[tuple[object, ...]]:
    """Nodes with weights and the number of ways from the input to each: the same for every way to write a function."""
    paths = [1]
    for node in plan.nodes[1:]:
        paths.append(sum(paths[source] for source in node.inputs))
    layers = [(node.op, node.params, ways) for node, ways in zip(plan.nodes, paths, strict=True)]
    return Counter(layer for layer in layers[1:] if OPS[layer[0]].parameters is not None)


def swap(nodes: list[Node], index: int, node: Node) -> list[Node]:
    return [*nodes[:index], node, *nodes[index + 1 :]]


def other_kernel(plan: Plan, rng: Random) -> list[Node] | None:
    nodes = list(plan.nodes)
    convolutions = [index for index, node in enumerate(nodes) if node.op == "conv"]
    if not convolutions:
        return None
    index = rng.choice(convolutions)
    params = dict(nodes[index].params)
    params["kernel_w"] += 2
    return swap(nodes, index, Node("conv", nodes[index].inputs, tuple(params.items())))


def other_pool(plan: Plan, rng: Random) -> list[Node] | None:
    nodes = list(plan.nodes)
    pools = [index for index, node in enumerate(nodes) if node.op in ("max_pool", "avg_pool")]
    if not pools:
        return None
    index = rng.choice(pools)
    op = "avg_pool" if nodes[index].op == "max_pool" else "max_pool"
    return swap(nodes, index, Node(op, nodes[index].inputs, nodes[index].params))


def one_term_less(plan: Plan, rng: Random) -> list[Node] | None:
    nodes = list(plan.nodes)
    sums = [index for index, node in enumerate(nodes) if node.op == "add" and len(node.inputs) > 1]
    if not sums:
        return None
    index = rng.choice(sums)
    return swap(nodes, index, Node("add", nodes[index].inputs[1:]))


def own_copy(plan: Plan, rng: Random) -> list[Node] | None:
    """One reader of a shared layer gets a layer of its own."""
    readers = Counter(source for node in plan.nodes for source in set(node.inputs))
    layers = [index for index, node in enumerate(plan.nodes) if node.op in ("conv", "batch_norm")]
    shared = [index for index in layers if readers[index] > 1]
    if not shared:
        return None
    index = rng.choice(shared)
    reader = rng.choice([at for at, node in enumerate(plan.nodes) if index in node.inputs])

    def moved(source: int) -> int:
        return source + (source > index)

    nodes = [Node(node.op, tuple(map(moved, node.inputs)), node.params) for node in plan.nodes]
    nodes.insert(index + 1, nodes[index])
    inputs = [index + 1 if source == index else source for source in nodes[reader + 1].inputs]
    return swap(nodes, reader + 1, Node(nodes[reader + 1].op, tuple(inputs), nodes[reader + 1].params))


def rewired(plan: Plan, rng: Random) -> list[Node] | None:
    nodes = list(plan.nodes)
    index = rng.randrange(1, len(nodes))
    op, inputs, params = nodes[index].op, list(nodes[index].inputs), nodes[index].params
    position = rng.randrange(len(inputs))
    others = [at for at in range(index) if at != inputs[position] and plan.shapes[at] == plan.shapes[inputs[position]]]
    if not others:
        return None
    inputs[position] = rng.choice(others)
    changed = swap(nodes, index, Node(op, tuple(inputs), params))
    return changed if layers_by_paths(rebuild(changed, plan.shapes[0])) != layers_by_paths(plan) else None


@pytest.mark.parametrize("change", [other_kernel, other_pool, one_term_less, own_copy, rewired])
def test_changes_of_the_function_change_the_hash(change):
    rng = Random(3)
    done = 0
    while done < 250:
        plan = random_live_plan(rng)
        nodes = change(plan, rng)
        if nodes is not None:
            done += 1
            assert canonical_hash(rebuild(nodes, plan.shapes[0])) != canonical_hash(plan), f"\n{plan}\n\n{nodes}"


def two_branches(shared: bool, op: str) -> Plan:
    graph = Graph((4, 8, 8))
    params = {"conv": {"channels": 4, "kernel": 3}, "avg_pool": {"kernel": 3, "padding": 1}}.get(op, {})
    first = graph.add(op, graph.input, **params)
    second = first if shared else graph.add(op, graph.input, **params)
    one = graph.add("conv", first, channels=4, kernel=1)
    return graph.plan(graph.add("add", one, graph.add("conv", second, channels=4, kernel=3)))


@pytest.mark.parametrize("op", ["conv", "batch_norm"])
def test_a_shared_layer_is_not_two_layers(op):
    assert canonical_hash(two_branches(True, op)) != canonical_hash(two_branches(False, op))


@pytest.mark.parametrize("op", ["relu", "avg_pool", "shift", "identity"])
def test_without_weights_sharing_makes_no_difference(op):
    assert canonical_hash(two_branches(True, op)) == canonical_hash(two_branches(False, op))


def test_which_of_two_equal_layers_is_read_twice_does_not_matter_but_how_they_are_read_does():
    def plan(readers: list[tuple[int, int]]) -> Plan:
        graph = Graph((4, 8, 8))
        twins = [graph.add("conv", graph.input, channels=4, kernel=3) for _ in range(2)]
        sums = [graph.add("batch_norm", graph.add("add", twins[a], twins[b])) for a, b in readers]
        return graph.plan(graph.add("concat", *sums))

    assert canonical_hash(plan([(0, 0), (0, 1)])) == canonical_hash(plan([(1, 1), (0, 1)]))
    assert canonical_hash(plan([(0, 0), (1, 1)])) != canonical_hash(plan([(0, 1), (0, 1)]))


def test_zeros_pass_through_what_keeps_zero_and_only_that():
    def plan(op: str | None, **params: int) -> Plan:
        graph = Graph((4, 8, 8))
        kept = graph.add("conv", graph.input, channels=4, kernel=3)
        zero = graph.add("zero", graph.add("conv", graph.input, channels=4, kernel=5))
        return graph.plan(graph.add("add", kept, graph.add(op, zero, **params)) if op else kept)

    pool = {"kernel": 3, "padding": 1}
    gone = canonical_hash(plan(None))
    for op, params in (("relu", {}), ("max_pool", pool), ("avg_pool", pool), ("conv", {"channels": 4, "kernel": 3})):
        assert canonical_hash(plan(op, **params)) == gone, op
    assert canonical_hash(plan("batch_norm")) != gone
    assert canonical_hash(plan("conv", channels=4, kernel=3, bias=1)) != gone


def test_sums_keep_their_coefficients_without_growing():
    def doubled(times: int) -> Plan:
        graph = Graph((4, 8, 8))
        x = graph.add("conv", graph.input, channels=4, kernel=3)
        for _ in range(times):
            x = graph.add("add", x, x)
        return graph.plan(x)

    assert len({canonical_hash(doubled(times)) for times in (0, 1, 2, 80)}) == 4
    graph = Graph((4, 8, 8))
    x = graph.add("conv", graph.input, channels=4, kernel=3)
    assert canonical_hash(graph.plan(graph.add("add", x, x, x, x))) == canonical_hash(doubled(2))


def test_the_input_shape_counts():
    plans = [Graph(shape).plan(0) for shape in ((3, 8, 8), (3, 8, 9), (192,))]
    assert len({canonical_hash(plan) for plan in plans}) == 3


def test_the_hash_is_the_same_in_every_process_and_version():
    graph = Graph((3, 8, 8))
    x = graph.add("conv", graph.input, channels=4, kernel=3)
    digest = canonical_hash(graph.plan(graph.add("add", graph.add("relu", x), x)))
    assert digest == "68f31c6c47a98e7dcca5c9c74f8b8fbc"


def test_two_dropouts_are_never_one():
    def twice(op, **params):
        graph = Graph((3, 8, 8))
        return canonical_hash(graph.plan(graph.add("add", *[graph.add(op, graph.input, **params) for _ in range(2)])))

    def once(op, **params):
        graph = Graph((3, 8, 8))
        x = graph.add(op, graph.input, **params)
        return canonical_hash(graph.plan(graph.add("add", x, x)))

    assert twice("relu") == once("relu")
    assert twice("dropout", rate=0.5) != once("dropout", rate=0.5)
