"""CoDeepNEAT's networks: assembly, merging, what is refused, the stored form, and mutation."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.assembly import Assembly
from evonas_cli.genomes.choices import Genes
from evonas_cli.genomes.marked_graph import LinkGene, MarkedGraph, NodeGene, marked_graph, minimal
from evonas_cli.network.merging import merged
from evonas_cli.network.plan import Graph, Plan, PlanError
from evonas_cli.network.task import Task
from evonas_cli.spaces.codeepneat import Assemblies

TASK = Task((1, 8, 8), 10)
SPACE = Assemblies(filters=(4, 16), initial_nodes=3)
GENES: dict[str, Genes] = {"concat": ("concat", 0.9, False, 0.01), "sum": ("sum", 0.9, False, 0.01)}
A, B, C = 10, 20, 30


def layer(filters: int, kernel: int = 3, dropout: float = 0.0, pool: bool = False, scale: float = 1.0) -> Genes:
    return (filters, kernel, dropout, scale, pool)


def graph(nodes: dict[int, Genes], *links: tuple[int, int], genes: Genes = ()) -> MarkedGraph:
    return marked_graph([NodeGene(*node) for node in nodes.items()], [LinkGene(*link) for link in links], genes)


def plan(blueprint: MarkedGraph, modules: dict[int, MarkedGraph], task: Task = TASK) -> Plan:
    return SPACE.decode(SPACE.assemble(blueprint, modules), task).plan


def ops(network: Plan) -> Counter[str]:
    return Counter(node.op for node in network.nodes[1:])


def alone(module: MarkedGraph, merge: str = "concat", task: Task = TASK) -> Plan:
    return plan(minimal((0,), GENES[merge]), {0: module}, task)


def test_a_node_is_convolution_norm_relu_pool_dropout() -> None:
    network = alone(minimal(layer(6, kernel=1, dropout=0.25, pool=True, scale=1.5)))
    assert [node.op for node in network.nodes[1:]] == [
        "conv", "batch_norm", "relu", "max_pool", "dropout", "global_avg_pool", "linear",
    ]  # fmt: skip
    settings = {node.op: dict(node.params) for node in network.nodes}
    assert (settings["conv"]["channels"], settings["conv"]["kernel_h"], settings["conv"]["gain"]) == (6, 1, 1.5)
    assert settings["dropout"] == {"rate": 0.25}
    assert network.shapes[4] == (6, 4, 4)


def test_what_changed_is_said_in_words() -> None:
    before = SPACE.assemble(minimal((0,), GENES["concat"]), {0: minimal(layer(8)), 1: minimal(layer(4))})
    mark = before.modules[0][1].nodes[0].mark & 0xFFFF
    wider = SPACE.assemble(before.blueprint, {0: minimal(layer(16))})
    assert SPACE.differences(before, wider) == [f"module of species 0: node {mark:04x}: filters 8 \u2192 16"]
    other = SPACE.assemble(minimal((1,), GENES["sum"]), {1: minimal(layer(4))})
    assert SPACE.differences(before, other) == [
        "merge concat \u2192 sum",
        f"blueprint: node {mark:04x}: species 0 \u2192 1",
        "without module of species 0",
        "new module of species 1",
    ]


def test_equal_pointers_get_the_same_module_with_weights_of_their_own() -> None:
    """in > S1 > S2 > out and S1 > out; S1 is used twice in the second blueprint."""
    m7, m3 = minimal(layer(5)), minimal(layer(7))
    once = plan(graph({A: (1,), B: (2,)}, (0, A), (A, B), (B, 1), (A, 1), genes=GENES["concat"]), {1: m7, 2: m3})
    assert str(once).count("conv(channels=5") == 1 and ops(once)["concat"] == 1
    assert once.shapes[-2] == (12,)
    twice = plan(
        graph({A: (1,), B: (2,), C: (1,)}, (0, A), (A, B), (B, C), (C, 1), genes=GENES["concat"]), {1: m7, 2: m3}
    )
    assert str(twice).count("conv(channels=5") == 2 and ops(twice)["conv"] == 3
    assert twice.parameters == sum(
        a * b * 9 + 2 * b for a, b in ((1, 5), (5, 7), (7, 5))
    ) + 5 * 10 + 10  # fmt: skip


def test_blueprints_hold_pointers_not_modules() -> None:
    """The same blueprint value makes another network when a species' module is another one."""
    blueprint = graph({A: (1,), B: (1,)}, (0, A), (A, B), (B, 1), genes=GENES["sum"])
    assert all(node.genes == (1,) for node in blueprint.nodes)
    small, large = (plan(blueprint, {1: minimal(layer(filters))}) for filters in (4, 9))
    assert [str(network).count(f"channels={n}") for network, n in ((small, 4), (large, 9))] == [2, 2]


@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_more_than_two_inputs_are_merged(merge: str) -> None:
    """Three nodes and the input meet; maps of 8, 4 and 2 pixels, channels 1, 4, 5 and 6."""
    module = graph(
        {A: layer(4), B: layer(5, pool=True), C: layer(6, pool=True)},
        (0, A), (0, B), (B, C), (0, 1), (A, 1), (B, 1), (C, 1),
    )  # fmt: skip
    network = alone(module, merge)
    assert len(next(node for node in network.nodes if node.op in ("concat", "add")).inputs) == 4
    assert network.shapes[-3] == ((16, 2, 2) if merge == "concat" else (6, 2, 2))
    projections = 0 if merge == "concat" else 3
    assert ops(network)["conv"] == 3 + projections
    assert ops(network)["max_pool"] == 2 + 2 + 2 + 1  # two of nodes; input and A halved twice, B once


def test_a_sum_of_equal_channels_needs_no_projection() -> None:
    drawn = Graph((4, 6, 6))
    a, b = drawn.add("relu", 0), drawn.add("max_pool", 0, kernel=2, stride=2)
    joined = merged(drawn, [a, b], concat=False)
    assert ops(drawn.plan(joined)) == {"relu": 1, "max_pool": 2, "add": 1}


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 7, 5), (1, 2, 9), (2, 1, 1)])
def test_maps_never_fall_below_a_pixel(shape: tuple[int, int, int]) -> None:
    nodes = {mark: layer(4, pool=True) for mark in range(10, 16)}
    chain = graph(nodes, *[(mark, mark + 1) for mark in range(10, 15)], (0, 10), (0, 15), (15, 1), (12, 1), (0, 1))
    network = alone(chain, "sum", Task(shape, 3))
    assert all(min(size) >= 1 for size in network.shapes)
    assert min(min(size[1:]) for size in network.shapes if len(size) == 3) == 1
    assert network.shapes[network.output] == (3,)


def test_global_genes_go_to_the_trainer_and_merge_does_not() -> None:
    space = Assemblies(weight_decay=(1e-6, 1e-2))
    hyper = space.decode(space.sample(Random(0)), TASK).hyper
    assert set(hyper) == {"momentum", "nesterov", "learning_rate", "weight_decay"}
    assert 1e-4 <= hyper["learning_rate"] <= 0.1 and type(hyper["nesterov"]) is bool  # type: ignore[operator]
    assert set(SPACE.decode(SPACE.sample(Random(0)), TASK).hyper) == {"momentum", "nesterov", "learning_rate"}


def test_the_prior_covers_its_ranges() -> None:
    samples = [SPACE.sample(Random(seed)) for seed in range(300)]
    sizes = Counter(len(sample.blueprint.nodes) for sample in samples)
    assert set(sizes) == {1, 2, 3} and min(sizes.values()) > 70
    nodes = [node.genes for sample in samples for _, module in sample.modules for node in module.nodes]
    assert {node[0] for node in nodes} == set(range(4, 17))
    assert {(node[1], node[4]) for node in nodes} == {(1, False), (1, True), (3, False), (3, True)}
    assert max(node[2] for node in nodes) > 0.65 and max(node[3] for node in nodes) > 1.9
    assert {species for sample in samples for species, _ in sample.modules} == {0, 1, 2}


def test_inputs_that_are_no_maps_have_no_network() -> None:
    with pytest.raises(PlanError, match="codeepneat needs"):
        SPACE.decode(SPACE.sample(Random(0)), Task((64,), 10))


def test_mutants_differ_change_one_part_and_keep_the_rest() -> None:
    """Most mutations that do nothing is a known fault; here none may."""
    changed, total = Counter[str](), 500
    for seed in range(total):
        rng = Random(seed)
        parent = SPACE.sample(rng)
        mutant = SPACE.mutate(parent, rng)
        assert mutant != parent
        if mutant.blueprint != parent.blueprint:
            kept = dict(parent.modules)
            assert all(module == kept[species] for species, module in mutant.modules if species in kept)
            changed["blueprint"] += 1
        else:
            assert sum(a != b for a, b in zip(parent.modules, mutant.modules, strict=True)) == 1
            changed["module"] += 1
    assert changed.total() == total and min(changed.values()) > total / 6


def stored() -> dict[str, Any]:
    blueprint = graph({A: (1,), B: (2,)}, (0, A), (A, B), (B, 1), genes=GENES["concat"])
    genome = SPACE.assemble(blueprint, {1: minimal(layer(5)), 2: minimal(layer(7)), 3: minimal(layer(9))})
    data: Any = SPACE.to_json(genome)
    return deepcopy(json.loads(json.dumps(data)))


def test_the_stored_form_is_readable_and_has_the_named_modules_only() -> None:
    data = stored()
    assert data["genes"] == {"merge": "concat", "momentum": 0.9, "nesterov": False, "learning_rate": 0.01}
    assert data["blueprint"]["nodes"] == [{"mark": A, "species": 1}, {"mark": B, "species": 2}]
    assert [module["species"] for module in data["modules"]] == [1, 2]
    assert data["modules"][0]["nodes"][0]["filters"] == 5
    assert isinstance(SPACE.from_json(data), Assembly) and SPACE.to_json(SPACE.from_json(data)) == data


@pytest.mark.parametrize(
    ("path", "wrong", "reason"),
    [
        (("blueprint", "links"), [[0, A], [A, B], [B, A], [B, 1]], "blueprint: its links form a cycle"),
        (("blueprint", "links"), [[0, A], [B, 1]], "blueprint: no path"),
        (("blueprint", "nodes", 0, "species"), 9, "blueprint: species is 9"),
        (("blueprint", "nodes", 1, "species"), 1, "does not point to every species"),
        (("modules", 0, "links"), [], "module 1: no path"),
        (("modules", 0, "species"), 2, "species of modules are different"),
        (("modules", 0, "nodes", 0, "filters"), 3, "module 1: filters is 3"),
        (("modules", 0, "nodes", 0, "kernel"), 5, "module 1: kernel is 5"),
        (("modules", 0, "nodes", 0, "stride"), 5, "stride"),
        (("modules",), [], "modules must name at least one"),
        (("genes", "learning_rate"), 0.5, "learning_rate is 0.5"),
        (("genes", "colour"), 0.5, "genes has the members merge"),
        (("genes", "merge"), "mean", "merge is 'mean'"),
    ],
)
def test_stored_forms_that_are_no_network_are_refused(path: tuple[Any, ...], wrong: Any, reason: str) -> None:
    data = stored()
    node: Any = data
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = wrong
    with pytest.raises(ValueError, match=reason) as caught:
        SPACE.from_json(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("filters", (0, 8)),
        ("filters", (9, 8)),
        ("filters", (8,)),
        ("kernels", (2,)),
        ("kernels", ()),
        ("kernels", (3, 3)),
        ("dropout", (0.0, 1.0)),
        ("dropout", (0.5, 0.1)),
        ("dropout", (float("nan"), 0.1)),
        ("weight_scale", (-1.0, 2.0)),
        ("weight_scale", (0.0, float("inf"))),
        ("max_pool", ()),
        ("merge", ("mean",)),
        ("merge", ()),
        ("projection", False),
        ("learning_rate", (0.0, 0.1)),
        ("momentum", (0.5, 1.0)),
        ("momentum", (0.0, 0.9)),
        ("nesterov", (True, True)),
        ("weight_decay", (0.0, 0.1)),
        ("species", 0),
        ("initial_nodes", 0),
    ],
)
def test_settings_out_of_range_are_refused(key: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"space\.{key}") as caught:
        Assemblies(**{key: value})
    assert "\n" not in str(caught.value)


def test_concatenation_alone_needs_no_projection() -> None:
    space = Assemblies(merge=("concat",), projection=False)
    assert all(space.sample(Random(seed)).blueprint.genes[0] == "concat" for seed in range(20))
