"""Networks compute what their plans say: shapes, counts, what each operation does, weights from the generator only."""

from __future__ import annotations

import copy
import pickle
import weakref
from dataclasses import replace
from math import sqrt
from random import Random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

import evonas_cli.network.ops as table
from evonas_cli.core.errors import UsageError
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Graph, Plan, PlanError
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network
from evonas_cli.nn.resolve import builder, stacked
from evonas_cli.spaces.nasbench201 import NasBench201
from evonas_cli.spaces.nasnet import NasNet

pytestmark = pytest.mark.usefixtures("one_thread")

CASES = {
    "nasbench201 digits": (NasBench201(channels=4, cells_per_stage=2), Task((1, 8, 8), 10)),
    "nasbench201 stem": (NasBench201(channels=6, cells_per_stage=1, stem_stride=2), Task((3, 16, 24), 7)),
    "nasnet digits": (NasNet(channels=4, normal_cells=1), Task((1, 8, 8), 10)),
    "nasnet odd": (NasNet(channels=5, normal_cells=2, combinations=2, stem_multiplier=1), Task((3, 13, 9), 3)),
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def inputs(plan: Plan, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, *plan.shapes[0], generator=generator(9))


def single(op: str, shape: tuple[int, ...], **params: int) -> Network:
    graph = Graph(shape)
    return Network(graph.plan(graph.add(op, graph.input, **params)), generator()).eval()


def test_every_operation_has_a_builder_and_a_stacked_form_or_none():
    assert all(callable(builder(op)) for op in OPS)
    assert all(callable(stacked(op)) for op, rules in OPS.items() if rules.stack not in (None, "same"))


@pytest.mark.parametrize("case", CASES)
def test_counts_and_shapes_equal_torch(case):
    space, task = CASES[case]
    rng = Random(case)
    for _ in range(8):
        plan = space.decode(space.sample(rng), task).plan
        network = Network(plan, generator()).eval()
        outputs: list[torch.Tensor] = []
        for layer in network.layers.values():
            layer.register_forward_hook(lambda _, __, out, outputs=outputs: outputs.append(out))
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            out = network(inputs(plan, 1))
        assert out.shape == (1, task.outputs) and out.isfinite().all()
        assert plan.parameters == sum(p.numel() for p in network.parameters())
        assert plan.multiply_adds == counter.get_total_flops() / 2
        assert [tuple(out.shape[1:]) for out in outputs] == list(plan.shapes[1:])


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_the_shape_rules_are_those_of_torch(data):
    def small(most: int) -> int:
        return data.draw(st.integers(1, most))

    op = data.draw(st.sampled_from(["conv", "max_pool", "avg_pool", "zero"]))
    shape = (2 * small(3), small(9), small(9))
    if op == "conv":
        sizes = {"channels": 2 * small(3), "kernel_h": small(5), "kernel_w": small(5), "dilation": small(3)}
        strides = {"stride_h": small(3), "stride_w": small(3)}
        params = {**sizes, **strides, "groups": small(2), "bias": small(2) - 1, "gain": 1.0, "same": small(2) - 1}
    else:
        params = {"stride": small(3)}
    if op.endswith("pool"):
        kernel = small(4)
        params |= {"kernel": kernel, "padding": data.draw(st.integers(0, kernel // 2))}
    graph = Graph(shape)
    try:
        plan = graph.plan(graph.add(op, graph.input, **params))
    except PlanError:
        # what is refused here torch refuses too
        assert op != "zero"
        with pytest.raises(RuntimeError):
            builder(op)([shape], params, generator())(torch.zeros(1, *shape))
        return
    assert tuple(Network(plan, generator())(inputs(plan)).shape[1:]) == plan.shapes[1]


@pytest.mark.parametrize("case", CASES)
def test_building_draws_from_the_given_generator_only(case):
    space, task = CASES[case]
    plan = space.decode(space.sample(Random(5)), task).plan
    before = torch.get_rng_state()
    first, again, other = (Network(plan, generator(seed)).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    drawn = [name for name in first if first[name].dim() > 1]
    assert drawn and not any(torch.equal(first[name], other[name]) for name in drawn)


def test_initial_weights():
    conv = single("conv", (64, 4, 4), channels=128, kernel=3, groups=2, bias=1).layers["1_conv"]
    assert conv.weight.std().item() == pytest.approx(sqrt(2 / (64 * 9)), rel=0.02)
    assert abs(conv.weight.mean().item()) < 0.001 and not conv.bias.any()
    dense = single("conv", (8, 4, 4), channels=256, kernel=3).layers["1_conv"]
    expected = torch.nn.init.kaiming_normal_(torch.empty(256, 8, 3, 3), mode="fan_out", nonlinearity="relu").std()
    assert dense.weight.std().item() == pytest.approx(expected.item(), rel=0.03)
    halved = single("conv", (8, 4, 4), channels=256, kernel=3, gain=0.5).layers["1_conv"]
    assert torch.equal(halved.weight, dense.weight / 2)
    linear = single("linear", (100,), features=200).layers["1_linear"]
    assert 0.099 < linear.weight.abs().max().item() <= 0.1 and not linear.bias.any()
    norm = single("batch_norm", (8, 4, 4)).layers["1_batch_norm"]
    assert (norm.weight == 1).all() and not norm.bias.any() and not norm.running_mean.any()


def test_pools_shift_zero_and_reductions():
    x = torch.arange(1.0, 17).reshape(1, 1, 4, 4)
    assert torch.equal(single("avg_pool", (1, 4, 4), kernel=3, padding=1)(torch.ones_like(x)), torch.ones_like(x))
    assert single("avg_pool", (1, 4, 4), kernel=3, padding=1)(x)[0, 0, 0, 0] == (1 + 2 + 5 + 6) / 4
    assert torch.equal(single("max_pool", (1, 4, 4), kernel=3, padding=1)(-x)[0, 0, 0], -torch.tensor([1.0, 1, 2, 3]))
    shifted = single("shift", (1, 4, 4))(x)[0, 0]
    assert torch.equal(shifted[:3, :3], x[0, 0, 1:, 1:]) and not shifted[3].any() and not shifted[:, 3].any()
    assert single("global_avg_pool", (1, 4, 4))(x).item() == 8.5
    assert torch.equal(single("flatten", (1, 4, 4))(x), x.reshape(1, 16))
    infinite = torch.full((1, 3, 5, 4), torch.inf)
    assert torch.equal(single("zero", (3, 5, 4), stride=2)(infinite), torch.zeros(1, 3, 3, 2))
    assert torch.equal(single("identity", (1, 4, 4))(x), x)


def test_sums_and_concatenations():
    graph = Graph((2, 3, 3))
    negative = graph.add("avg_pool", graph.input, kernel=1)
    total = graph.add("add", graph.input, negative, graph.input)
    plan = graph.plan(graph.add("concat", total, graph.input))
    x = inputs(plan)
    assert torch.allclose(Network(plan, generator())(x), torch.cat([3 * x, x], 1))


@pytest.mark.parametrize("case", CASES)
def test_channels_last_autocast_and_batches(case):
    space, task = CASES[case]
    plan = space.decode(space.sample(Random(6)), task).plan
    network = Network(plan, generator()).eval()
    x = inputs(plan, 4)
    with torch.no_grad():
        expected = network(x)
        assert torch.allclose(network(x[:2]), expected[:2], rtol=1e-4, atol=1e-5)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            low = network(x)
        last = copy.deepcopy(network).to(memory_format=torch.channels_last)(x.to(memory_format=torch.channels_last))
    assert torch.allclose(last, expected, rtol=1e-4, atol=1e-5)
    assert low.dtype is torch.bfloat16 and low.isfinite().all()


@pytest.mark.parametrize("case", CASES)
def test_state_dict_round_trip_and_pickle(case):
    space, task = CASES[case]
    plan = space.decode(space.sample(Random(7)), task).plan
    network, other = Network(plan, generator(1)), Network(plan, generator(2))
    x = inputs(plan)
    network(x)  # moves the running statistics
    other.load_state_dict(network.state_dict())
    clone = pickle.loads(pickle.dumps(network))
    with torch.no_grad():
        expected = network.eval()(x)
        assert torch.equal(other.eval()(x), expected) and torch.equal(clone.eval()(x), expected)


@pytest.mark.parametrize("case", CASES)
def test_gradients_reach_every_weight(case):
    space, task = CASES[case]
    rng = Random(8)
    plan = space.decode(space.sample(rng), task).plan
    while any(node.op == "zero" for node in plan.nodes):
        plan = space.decode(space.sample(rng), task).plan
    network = Network(plan, generator())
    torch.nn.functional.cross_entropy(network(inputs(plan, 4)), torch.tensor([0, 1, 2, 0])).backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


def test_a_network_behind_zeros_still_trains_its_classifier():
    space = NasBench201(channels=4, cells_per_stage=1)
    plan = space.decode(("none",) * 6, Task((3, 8, 8), 3)).plan
    network = Network(plan, generator())
    out = network(inputs(plan, 4))
    assert torch.equal(out[0], out[3])
    torch.nn.functional.cross_entropy(out, torch.tensor([0, 0, 0, 1])).backward()
    assert network.layers[f"{plan.output}_linear"].bias.grad.any()


def test_values_are_let_go_after_their_last_use():
    graph = Graph((2, 4, 4))
    first = graph.add("relu", graph.input)
    second = graph.add("avg_pool", first, kernel=3, padding=1)
    third = graph.add("max_pool", graph.add("add", first, second), kernel=3, padding=1)
    network = Network(graph.plan(graph.add("relu", third)), generator())
    made: list[weakref.ref[torch.Tensor]] = []
    alive: list[int] = []

    def watch(layer, args, out):
        alive.append(sum(value() is not None for value in made))
        made.append(weakref.ref(out))

    for layer in network.layers.values():
        layer.register_forward_hook(watch)
    with torch.no_grad():
        network(inputs(network.plan))
    # earlier values alive when each layer has run: its own inputs, and the first value until the sum has read it
    assert alive == [0, 1, 2, 1, 1]


def test_plans_of_equal_hash_compute_the_same():
    """The rewritings that the canonical hash ignores, on the same weights."""
    plain, dressed = Graph((3, 6, 6)), Graph((3, 6, 6))
    first = plain.add("conv", plain.input, channels=4, kernel=3)
    second = plain.add("conv", plain.add("relu", first), channels=4, kernel=1)
    simple = plain.plan(plain.add("add", first, second, second))

    first = dressed.add("add", dressed.add("conv", dressed.add("identity", dressed.input), channels=4, kernel=3))
    relu, copied = dressed.add("relu", first), dressed.add("relu", first)
    second = dressed.add("conv", copied, channels=4, kernel=1)
    nothing = dressed.add("max_pool", dressed.add("zero", relu), kernel=3, padding=1)
    inner = dressed.add("add", second, dressed.add("add", nothing, first))
    fancy = dressed.plan(dressed.add("add", inner, second))

    assert canonical_hash(simple) == canonical_hash(fancy) and simple != fancy
    x = inputs(simple)
    assert torch.allclose(Network(simple, generator())(x), Network(fancy, generator())(x), atol=1e-6)


def test_a_builder_that_is_not_there_is_named_in_one_line(monkeypatch):
    monkeypatch.setitem(table._table, "relu", replace(OPS["relu"], build="json:no_such_function"))
    with pytest.raises(UsageError, match="the operation relu: build names json:no_such_function, which is not there"):
        single("relu", (3,))
