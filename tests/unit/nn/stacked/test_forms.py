"""Each operation computes in a stack what it computes in a network of its own, and no member sees another one."""

from __future__ import annotations

import pytest
import torch

from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Graph, Plan
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.population import Population

VECTOR, SEQUENCE, IMAGE, IDS = (6,), (4, 7), (4, 5, 6), (7,)

ATTENTIONS = ({}, {"window": 1}, {"linear": 1}, {"rotary": 1}, {"linear": 1, "rotary": 1})

# operation, settings, shape of the inputs, whether the token ids are a second input
CASES = [
    *[(op, {}, shape, False) for op in ("relu", "gelu", "tanh", "sigmoid") for shape in (VECTOR, SEQUENCE, IMAGE)],
    *[("activation", {"formula": "mul(x, sigmoid(x))"}, shape, False) for shape in (VECTOR, SEQUENCE, IMAGE)],
    *[(op, {}, shape, False) for op in ("identity", "flatten", "zero") for shape in (VECTOR, SEQUENCE, IMAGE)],
    *[(op, {}, shape, False) for op in ("batch_norm", "layer_norm") for shape in (VECTOR, SEQUENCE, IMAGE)],
    *[("dropout", {"rate": 0.0}, shape, False) for shape in (VECTOR, SEQUENCE, IMAGE)],
    *[("add", {}, shape, False) for shape in (VECTOR, SEQUENCE, IMAGE)],
    *[("concat", {}, shape, False) for shape in (VECTOR, SEQUENCE, IMAGE)],
    ("linear", {"features": 3}, VECTOR, False),
    ("conv", {"channels": 6, "kernel": 3, "bias": 1}, IMAGE, False),
    ("max_pool", {"kernel": 2}, IMAGE, False),
    ("avg_pool", {"kernel": 3, "padding": 1}, IMAGE, False),
    ("global_avg_pool", {}, IMAGE, False),
    ("shift", {}, IMAGE, False),
    ("pad", {"height": 6, "width": 7}, IMAGE, False),
    ("resize", {"height": 10, "width": 9}, IMAGE, False),
    ("conv1d", {"channels": 6, "kernel": 3, "bias": 1}, SEQUENCE, False),
    ("conv1d", {"channels": 6, "kernel": 3, "stride": 2, "groups": 2}, SEQUENCE, False),
    ("conv1d", {"channels": 4, "kernel": 3, "dilation": 2, "groups": 4, "bias": 1}, SEQUENCE, False),
    ("conv1d", {"channels": 5, "kernel": 1, "stride": 2}, SEQUENCE, False),
    ("conv1d", {"channels": 5, "kernel": 5, "stride": 3, "dilation": 2}, SEQUENCE, False),
    ("max_pool1d", {"kernel": 3, "stride": 2, "padding": 1}, SEQUENCE, False),
    ("avg_pool1d", {"kernel": 3, "padding": 1}, SEQUENCE, False),
    ("embedding", {"vocabulary": 9, "width": 4}, IDS, False),
    *[(op, {}, SEQUENCE, False) for op in ("mean_time", "max_time", "last_time")],
    *[(op, {}, IDS, True) for op in ("mean_time", "max_time", "last_time", "mask")],
    *[("attention", {"heads": 2, **kind}, shape, shape == IDS) for kind in ATTENTIONS for shape in (SEQUENCE, IDS)],
    *[(op, {}, SEQUENCE, False) for op in ("sinusoidal_positions", "learned_positions")],
    ("map_to_sequence", {}, IMAGE, False),
    ("join", {}, SEQUENCE, False),
    ("upsample", {"factor": 2}, IMAGE, False),
    ("global_max", {}, IMAGE, False),
    ("multiply", {}, IMAGE, False),
]


def example(op: str, params: dict[str, float], shape: tuple[int, ...], ids: bool, spread: bool) -> Plan:
    """The operation on a value of the members' own, or on one that they share, and a linear layer."""
    graph = Graph(shape)
    x = graph.input
    if ids:
        x = graph.add("embedding", x, vocabulary=9, width=4)
    elif spread and op != "embedding":
        x = graph.add("batch_norm", x)
        x = graph.add("linear", x, features=6) if shape == VECTOR else x
    others = [graph.input] if ids or op in ("add", "concat", "join") else []
    others = [graph.add("global_max", graph.input)] if op == "multiply" else others
    y = graph.add(op, x, *others, **params)
    y = y if len(graph.shape(y)) == 1 else graph.add("flatten", y)
    return graph.plan(graph.add("linear", y, features=3))


def batch(plan: Plan, ids: bool) -> torch.Tensor:
    generator = torch.Generator().manual_seed(9)
    if not ids:
        return torch.randn(5, *plan.shapes[0], generator=generator)
    x = torch.randint(1, 9, (5, *plan.shapes[0]), generator=generator)
    x[0, 3:], x[1, :], x[2, 1] = 0, 0, 0
    return x


def networks(plan: Plan, count: int = 3) -> list[Network]:
    """Members whose numbers all differ, those of normalisations too."""
    members = [Network(plan, torch.Generator().manual_seed(seed)) for seed in range(count)]
    for seed, member in enumerate(members):
        generator = torch.Generator().manual_seed(100 + seed)
        for parameter in member.parameters():
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    return members


def test_every_operation_with_a_stacked_form_has_a_case():
    assert {case[0] for case in CASES} == {op for op, rules in OPS.items() if rules.stack is not None}


@pytest.mark.parametrize("spread", [True, False])
@pytest.mark.parametrize(("op", "params", "shape", "ids"), CASES)
def test_a_stack_of_three_equals_three_networks(op, params, shape, ids, spread):
    plan = example(op, params, shape, ids, spread)
    members, x = networks(plan), batch(plan, ids or op == "embedding")
    population = Population(members)
    found = population(x)
    found.square().sum().backward()
    for index, member in enumerate(members):
        expected = member(x)
        torch.testing.assert_close(found[index], expected, rtol=1e-5, atol=1e-6)
        expected.square().sum().backward()
        for key, parameter in member.named_parameters():
            gradient = dict(population.named_parameters())[key].grad
            if parameter.grad is not None:
                torch.testing.assert_close(gradient.chunk(3)[index], parameter.grad, rtol=1e-4, atol=1e-5)
        state = population.member(index)
        assert {key: value.shape for key, value in state.items()} == {
            key: value.shape for key, value in member.state_dict().items()
        }


@pytest.mark.parametrize(("op", "params", "shape", "ids"), CASES)
def test_what_is_not_finite_stays_with_its_member(op, params, shape, ids):
    plan = example(op, params, shape, ids, spread=True)
    members, x = networks(plan), batch(plan, ids or op == "embedding")
    clean = Population(members)(x)
    with torch.no_grad():
        for parameter in members[1].parameters():
            parameter.fill_(float("nan"))
    population = Population(members)
    found = population(x)
    assert found[1].isnan().all()
    assert torch.equal(found[[0, 2]], clean[[0, 2]])
    found.sum().backward()
    for parameter in population.parameters():
        if parameter.grad is not None:
            assert all(parameter.grad.chunk(3)[place].isfinite().all() for place in (0, 2))


@pytest.mark.parametrize("op", ["gru", "lstm"])
def test_an_operation_without_a_stacked_form_is_refused_in_a_stack(op):
    graph = Graph(SEQUENCE)
    plan = graph.plan(graph.add(op, graph.input, hidden=3))
    with pytest.raises(ValueError, match=f"{op} has no stacked form, so that 2 networks cannot be one program"):
        Population(networks(plan, 2))


@pytest.mark.parametrize("spread", [True, False])
@pytest.mark.parametrize(("op", "params"), [("lstm", {"hidden": 3}), ("gru", {"hidden": 3, "bidirectional": 1})])
def test_alone_it_computes_what_the_network_computes(op, params, spread):
    plan = example(op, params, SEQUENCE, ids=False, spread=spread)
    (member,) = networks(plan, 1)
    population, x = Population([member]), batch(plan, ids=False)
    torch.testing.assert_close(population(x)[0], member(x), rtol=1e-5, atol=1e-6)
    assert population.member(0).keys() == member.state_dict().keys()
    population.load_member(0, networks(plan, 2)[1].state_dict())
    torch.testing.assert_close(population.eval()(x)[0], networks(plan, 2)[1].eval()(x), rtol=1e-5, atol=1e-6)


def test_token_ids_that_members_compute_are_refused():
    graph = Graph(IDS)
    ids = graph.add("linear", graph.input, features=7)
    plan = graph.plan(graph.add("flatten", graph.add("embedding", ids, vocabulary=9, width=2)))
    with pytest.raises(ValueError, match="token ids must be those of the input"):
        Population(networks(plan, 2))
