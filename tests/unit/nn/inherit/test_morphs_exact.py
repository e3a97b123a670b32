"""Exact morphs keep the function: {linear, conv} x {widen, deepen, skip, concat, kernel, batch_norm} x precision."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from evonas_cli.network.morphs.edit import MorphError
from evonas_cli.network.morphs.morph import Morph
from evonas_cli.network.plan import Graph, Plan
from evonas_cli.nn.build import Network
from evonas_cli.nn.inherit.replay import replay, residual
from evonas_cli.nn.inherit.weights import Weights, network

CONV, LINEAR = 5, 9
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
CASES = {
    "conv-widen-split": Morph("widen", CONV, {"to": 13, "outgoing": "split"}),
    "conv-widen-zero": Morph("widen", CONV, {"to": 13, "outgoing": "zero"}),
    "conv-widen-before-conv": Morph("widen", 1, {"to": 12, "outgoing": "split"}),
    "conv-deepen": Morph("deepen", 7, {"kernel": 3}),
    "conv-deepen-after-pool": Morph("deepen", 4, {"kernel": 5}),
    "conv-skip": Morph("skip", 6, {"source": 4, "join": "add"}),
    "conv-concat": Morph("skip", 7, {"source": 4, "join": "concat"}),
    "conv-kernel": Morph("kernel", CONV),
    "conv-batch_norm": Morph("batch_norm", CONV),
    "linear-widen-split": Morph("widen", LINEAR, {"to": 20, "outgoing": "split"}),
    "linear-widen-zero": Morph("widen", LINEAR, {"to": 20, "outgoing": "zero"}),
    "linear-deepen": Morph("deepen", 10, {"kernel": 1}),
    "linear-skip": Morph("skip", LINEAR, {"source": 8, "join": "add"}),
    "linear-concat": Morph("skip", 10, {"source": 8, "join": "concat"}),
    "linear-batch_norm": Morph("batch_norm", LINEAR),
}


def parent() -> Plan:
    graph = Graph((3, 8, 8))
    x = graph.add("relu", graph.add("batch_norm", graph.add("conv", graph.input, channels=6, kernel=3)))
    x = graph.add("max_pool", x, kernel=2, stride=2)
    x = graph.add("relu", graph.add("batch_norm", graph.add("conv", x, channels=8, kernel=3)))
    x = graph.add("relu", graph.add("linear", graph.add("flatten", x), features=12))
    return graph.plan(graph.add("linear", x, features=4))


def examples(dtype: torch.dtype, n: int = 64) -> Tensor:
    return torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(1), dtype=dtype)


def trained(plan: Plan, dtype: torch.dtype) -> Weights:
    """Weights whose statistics and scales are not the initial ones."""
    net = Network(plan, torch.Generator().manual_seed(0)).to(dtype)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.1 * torch.rand(parameter.shape, generator=generator, dtype=dtype)
        for _ in range(5):
            net(examples(dtype))
    return {key: value.detach().clone() for key, value in net.state_dict().items()}


def child(morphs: list[Morph], dtype: torch.dtype, plan: Plan | None = None, seed: int = 3) -> tuple[Any, ...]:
    plan = plan or parent()
    weights = trained(plan, dtype)
    after, inherited = replay(plan, weights, morphs, torch.Generator().manual_seed(seed), examples(dtype))
    return plan, weights, after, inherited


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_the_child_computes_what_its_parent_computes(name: str, dtype: torch.dtype) -> None:
    plan, weights, after, inherited = child([CASES[name]], dtype)
    assert after.parameters > plan.parameters
    assert {value.dtype for value in inherited.values() if value.is_floating_point()} == {dtype}
    assert residual(plan, weights, after, inherited, examples(dtype)) < TOLERANCE[dtype]


def test_morphs_follow_each_other() -> None:
    morphs = [
        Morph("widen", CONV, {"to": 11, "outgoing": "split"}),
        Morph("skip", 7, {"source": 4, "join": "concat"}),
        Morph("deepen", 8, {"kernel": 3}),
        Morph("batch_norm", 9),
        Morph("kernel", CONV),
        Morph("widen", CONV, {"to": 15, "outgoing": "zero"}),
    ]
    plan, weights, after, inherited = child(morphs, torch.float64)
    assert after.depth == plan.depth + 1
    assert residual(plan, weights, after, inherited, examples(torch.float64)) < 1e-12


def test_a_sum_ties_its_terms_together() -> None:
    skip, wide = Morph("skip", 6, {"source": 4, "join": "add"}), Morph("widen", CONV, {"to": 12, "outgoing": "split"})
    plan, weights, after, inherited = child([skip, wide], torch.float64)
    assert [after.shapes[node][0] for node, one in enumerate(after.nodes) if one.op == "conv"] == [6, 12, 12]
    assert residual(plan, weights, after, inherited, examples(torch.float64)) < 1e-12


def test_batch_normalisation_in_training_mode_is_no_exact_morph() -> None:
    plan, weights, after, inherited = child([CASES["conv-batch_norm"]], torch.float64)
    x = examples(torch.float64, 16)
    with torch.no_grad():
        difference = network(plan, weights)(x) - network(after, inherited).train()(x)
    assert difference.abs().max() > 0.01


def test_copies_do_not_stay_copies_of_each_other() -> None:
    """The gradients of a filter and its copy differ, and are no multiples, so that AdamW tells them apart, too."""
    _, _, after, inherited = child([Morph("widen", CONV, {"to": 9, "outgoing": "split"})], torch.float64)
    net = network(after, inherited).train()
    net(examples(torch.float64)).square().sum().backward()
    filters = inherited[f"layers.{CONV}_conv.weight"].flatten(1)
    [original] = [place for place in range(8) if torch.equal(filters[place], filters[8])]
    gradient = dict(net.named_parameters())[f"layers.{CONV}_conv.weight"].grad.flatten(1)  # type: ignore[union-attr]
    ratio = gradient[8] / gradient[original]
    assert ratio.max() - ratio.min() > 0.01 * ratio.abs().mean()


def test_what_is_drawn_is_a_function_of_the_seed() -> None:
    wide = [Morph("widen", CONV, {"to": 20, "outgoing": "split"})]
    first, again, other = (child(wide, torch.float32, seed=seed)[3] for seed in (3, 3, 4))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


def tanh() -> Plan:
    graph = Graph((3, 8, 8))
    x = graph.add("tanh", graph.add("conv", graph.input, channels=4, kernel=2))
    return graph.plan(graph.add("linear", graph.add("flatten", x), features=4))


@pytest.mark.parametrize(
    ("plan", "morph", "words"),
    [
        (parent(), Morph("widen", 11, {"to": 8, "outgoing": "split"}), "no layer comes after it"),
        (parent(), Morph("batch_norm", 11), "no layer comes after it"),
        (parent(), Morph("deepen", 11, {"kernel": 1}), "no layer comes after it"),
        (parent(), Morph("widen", CONV, {"to": 8, "outgoing": "split"}), "the factor must be above 1"),
        (parent(), Morph("deepen", 7, {"kernel": 4}), "has no centre"),
        (parent(), Morph("deepen", 6, {"kernel": 3}), "batch_norm is no ReLU"),
        (tanh(), Morph("deepen", 2, {"kernel": 3}), "tanh is no ReLU"),
        (parent(), Morph("kernel", LINEAR), "linear has no kernel to grow"),
        (parent(), Morph("skip", 6, {"source": 3, "join": "add"}), "do not have the same size"),
        (parent(), Morph("kernel", 99), "the plan has 12 nodes"),
        (parent(), Morph("prune", CONV, {"to": 8}), "of which 1 to 7 can be kept"),
    ],
    ids=lambda value: value.kind if isinstance(value, Morph) else "",
)
def test_what_is_no_morph_is_refused_in_one_line(plan: Plan, morph: Morph, words: str) -> None:
    with pytest.raises(MorphError, match=words) as error:
        morph.applied(plan)
    assert str(error.value).startswith(f"{morph.kind} at node {morph.at}: ") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"morph": "kernel"},
        {"morph": "kernel", "at": 0},
        {"morph": "melt", "at": 1},
        {"morph": "prune", "at": 1},
    ]
    + [{"morph": "kernel", "at": 1, "to": 3}, {"morph": "widen", "at": 1, "to": 3, "outgoing": "half"}],
)
def test_what_describes_no_morph_is_refused(data: Any) -> None:
    with pytest.raises(MorphError):
        Morph.from_json(data)


@pytest.mark.parametrize("morph", CASES.values(), ids=CASES)
def test_morphs_survive_json(morph: Morph) -> None:
    assert Morph.from_json(morph.to_json()) == morph
