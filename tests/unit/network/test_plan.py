"""Plans: shapes and counts of every operation, pruning, errors and printed forms."""

from __future__ import annotations

import dataclasses
import json
import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Graph, Plan, PlanError

# operation, settings, input shape, output shape, parameters, multiply-adds; the counts were worked out by hand
ROUTE = "0<0 1<0+1 out<2"
CASES = [
    ("conv", {"channels": 8, "kernel": 3}, (3, 8, 6), (8, 8, 6), 216, 216 * 48),
    ("conv", {"channels": 8, "kernel": 3, "bias": 1}, (3, 8, 6), (8, 8, 6), 224, 216 * 48),
    ("conv", {"channels": 8, "kernel": 3, "stride": 2}, (3, 8, 7), (8, 4, 4), 216, 216 * 16),
    ("conv", {"channels": 4, "kernel_h": 1, "kernel_w": 7}, (2, 5, 5), (4, 5, 5), 56, 56 * 25),
    ("conv", {"channels": 6, "kernel": 5, "groups": 6}, (6, 4, 4), (6, 4, 4), 150, 150 * 16),
    ("conv", {"channels": 6, "kernel": 3, "groups": 3, "dilation": 2}, (3, 4, 4), (6, 4, 4), 54, 54 * 16),
    ("conv", {"channels": 5, "kernel": 2}, (5, 4, 4), (5, 3, 3), 100, 100 * 9),
    ("batch_norm", {}, (7, 3, 3), (7, 3, 3), 14, 0),
    ("batch_norm", {}, (9,), (9,), 18, 0),
    ("relu", {}, (7, 3, 3), (7, 3, 3), 0, 0),
    ("max_pool", {"kernel": 3, "stride": 2, "padding": 1}, (7, 5, 4), (7, 3, 2), 0, 0),
    ("avg_pool", {"kernel": 2, "stride": 2}, (7, 5, 4), (7, 2, 2), 0, 0),
    ("global_avg_pool", {}, (7, 5, 4), (7,), 0, 0),
    ("flatten", {}, (7, 5, 4), (140,), 0, 0),
    ("linear", {"features": 10}, (20,), (10,), 210, 200),
    ("neurons", {"outputs": 1, "functions": "tanh add", "links": "0-3 2-3 1-4 3-4"}, (2,), (1,), 4, 4),
    ("task_features", {"flat": 1, "indexed": 1}, (3, 4, 4), (32,), 0, 0),
    ("task_features", {"indexed": 1}, (3, 4, 4), (2, 4, 4), 0, 0),
    ("soft_ordering", {"modules": "relu tanh", "classes": "3", "depth": 2}, (5,), (3,), 60 + 4 + 18, 100 + 15),
    ("soft_ordering", {"modules": "gelu", "classes": "3", "depth": 1}, (2, 4, 4), (3,), 38 + 1 + 99, 36 * 16 + 96),
    ("task_routes", {"modules": "relu tanh", "classes": "3", "routes": ROUTE}, (5,), (3,), 60 + 4 + 18, 50 + 15),
    ("linear", {"features": 10, "bias": 0}, (20,), (10,), 200, 200),
    ("add", {}, (7, 5, 4), (7, 5, 4), 0, 0),
    ("concat", {}, (7, 5, 4), (7, 5, 4), 0, 0),
    ("identity", {}, (7, 5, 4), (7, 5, 4), 0, 0),
    ("zero", {}, (7,), (7,), 0, 0),
    ("zero", {"stride": 2}, (7, 5, 4), (7, 3, 2), 0, 0),
    ("shift", {}, (7, 5, 4), (7, 5, 4), 0, 0),
    ("conv", {"channels": 4, "kernel": 3, "stride_h": 2, "stride_w": 3}, (3, 8, 8), (4, 4, 3), 108, 108 * 12),
    ("pad", {"height": 6, "width": 4}, (7, 5, 4), (7, 6, 4), 0, 0),
    ("resize", {"height": 10, "width": 9}, (7, 5, 4), (7, 10, 9), 0, 0),
    ("dropout", {"rate": 0.3}, (7, 5, 4), (7, 5, 4), 0, 0),
    ("gelu", {}, (7, 5), (7, 5), 0, 0),
    ("activation", {"formula": "max(x, neg(x))"}, (7, 5), (7, 5), 0, 0),
    ("tanh", {}, (7,), (7,), 0, 0),
    ("sigmoid", {}, (7, 5, 4), (7, 5, 4), 0, 0),
    ("layer_norm", {}, (7, 5), (7, 5), 14, 0),
    ("layer_norm", {}, (9,), (9,), 18, 0),
    ("conv1d", {"channels": 8, "kernel": 3}, (3, 6), (8, 6), 72, 72 * 6),
    ("conv1d", {"channels": 8, "kernel": 5, "stride": 2, "bias": 1}, (3, 7), (8, 4), 128, 120 * 4),
    ("conv1d", {"channels": 6, "kernel": 3, "groups": 3, "dilation": 2, "same": 0}, (3, 9), (6, 5), 18, 18 * 5),
    ("max_pool1d", {"kernel": 3, "stride": 2, "padding": 1}, (7, 5), (7, 3), 0, 0),
    ("avg_pool1d", {"kernel": 2, "stride": 2}, (7, 5), (7, 2), 0, 0),
    ("embedding", {"vocabulary": 11, "width": 4}, (6,), (4, 6), 44, 0),
    ("linear_int8", {"features": 5}, (7,), (5,), 7 * 5 + 5, 7 * 5),
    ("linear_int8", {"features": 5, "bias": 0}, (7,), (5,), 7 * 5, 7 * 5),
    ("conv_int8", {"channels": 6, "kernel": 3, "groups": 3, "bias": 1}, (3, 8, 8), (6, 8, 8), 6 * 9 + 6, 6 * 9 * 64),
    ("lstm", {"hidden": 5}, (3, 6), (5, 6), 4 * 5 * (3 + 5 + 2), 4 * 5 * (3 + 5) * 6),
    ("lstm", {"hidden": 5, "bidirectional": 1}, (3, 6), (10, 6), 8 * 5 * (3 + 5 + 2), 8 * 5 * (3 + 5) * 6),
    ("gru", {"hidden": 5}, (3, 6), (5, 6), 3 * 5 * (3 + 5 + 2), 3 * 5 * (3 + 5) * 6),
    ("attention", {"heads": 2}, (4, 6), (4, 6), 4 * (16 + 4), 4 * 16 * 6 + 2 * 6 * 6 * 4),
    ("attention", {"heads": 2, "window": 1}, (4, 6), (4, 6), 4 * (16 + 4), 4 * 16 * 6 + 2 * 6 * 6 * 4),
    ("attention", {"heads": 2, "linear": 1}, (4, 6), (4, 6), 4 * (16 + 4), 4 * 16 * 6 + 2 * 6 * 2 * 4),
    ("sinusoidal_positions", {}, (4, 6), (4, 6), 0, 0),
    ("learned_positions", {}, (4, 6), (4, 6), 24, 0),
    ("map_to_sequence", {}, (4, 3, 2), (4, 6), 0, 0),
    ("join", {}, (4, 6), (4, 6), 0, 0),
    ("upsample", {"factor": 3}, (7, 5, 4), (7, 15, 12), 0, 0),
    ("global_max", {}, (7, 5, 4), (7, 1, 1), 0, 0),
    ("mean_time", {}, (7, 5), (7,), 0, 0),
    ("max_time", {}, (7, 5), (7,), 0, 0),
    ("last_time", {}, (7, 5), (7,), 0, 0),
    ("picture", {"channels": 2, "height": 3, "width": 4}, (29,), (2, 3, 4), 0, 0),
    ("words", {"length": 5}, (29,), (5,), 0, 0),
    ("repeat", {"length": 4}, (7,), (7, 4), 0, 0),
    ("later", {"skipped": 2}, (7, 5), (7, 3), 0, 0),
]


def single(op: str, params: dict[str, int], shape: tuple[int, ...]) -> Plan:
    graph = Graph(shape)
    return graph.plan(graph.add(op, graph.input, **params))


@pytest.mark.parametrize(("op", "params", "shape", "expected", "parameters", "multiply_adds"), CASES)
def test_shape_and_counts(op, params, shape, expected, parameters, multiply_adds):
    plan = single(op, params, shape)
    assert plan.shapes == (shape, expected)
    assert (plan.parameters, plan.multiply_adds) == (parameters, multiply_adds)


@pytest.mark.parametrize(("op", "params", "shape"), [case[:3] for case in CASES])
def test_bytes_are_those_of_the_networks_parameters_and_buffers(op, params, shape):
    from evonas_cli.nn.build import Network

    graph = Graph(shape)
    inputs = [graph.input] * OPS[op].inputs[0]
    plan = graph.plan(graph.add(op, *inputs, **params))
    network = Network(plan, torch.Generator().manual_seed(0))
    kept = [one for one in [*network.parameters(), *network.buffers()] if one.dtype in (torch.float32, torch.int8)]
    assert plan.model_bytes == sum(tensor.nbytes for tensor in kept)


def test_every_operation_has_a_case():
    assert {case[0] for case in CASES} == {
        op for op, rules in OPS.items() if rules.inputs[0] == 1 and rules.build.startswith("evonas_cli.")
    }


def test_variadic_shapes():
    graph = Graph((3, 8, 8))
    wide = graph.add("conv", graph.input, channels=5, kernel=1)
    assert graph.shape(graph.add("concat", graph.input, wide, graph.input)) == (11, 8, 8)
    assert graph.shape(graph.add("add", wide, wide, wide)) == (5, 8, 8)
    pixel = graph.add("global_max", wide)
    assert graph.shape(graph.add("multiply", wide, pixel)) == (5, 8, 8)
    with pytest.raises(PlanError, match="one pixel of as many channels"):
        graph.add("multiply", graph.input, pixel)
    rows = [graph.add("map_to_sequence", x) for x in (wide, pixel, graph.input)]
    assert graph.shape(graph.add("join", *rows[:2])) == (5, 65)
    with pytest.raises(PlanError, match="the same number of channels"):
        graph.add("join", *rows)


@given(st.integers(1, 40), st.integers(0, 4), st.integers(1, 3), st.integers(1, 3))
def test_odd_kernels_keep_every_stride_th_pixel(size, half, dilation, stride):
    settings = {"channels": 1, "kernel_h": 2 * half + 1, "kernel_w": 1, "dilation": dilation, "stride": stride}
    assert single("conv", settings, (1, size, size)).shapes[1] == (1, -(-size // stride), -(-size // stride))


IMPOSSIBLE = [
    ("picture", {"channels": 2, "height": 3, "width": 5}, (29,), "30 numbers, more than there are"),
    ("picture", {"channels": 2, "height": 3, "width": 5}, (29, 2), "it needs a vector of shape"),
    ("words", {"length": 30}, (29,), "30 token ids are more numbers than there are"),
    ("later", {"skipped": 5}, (7, 5), "nothing would be left of 5 columns"),
    ("later", {"skipped": 1}, (7,), "it needs a sequence of shape"),
    ("pad", {"height": 3, "width": 4}, (3, 4, 4), "cannot make a map smaller"),
    ("dropout", {"rate": 1.0}, (3,), "rate must be below 1"),
    ("task_features", {"indexed": 1}, (1, 4, 4), "nothing would be left of it"),
    ("soft_ordering", {"modules": "cos", "classes": "3", "depth": 2}, (5,), "modules must be functions of relu"),
    ("soft_ordering", {"modules": "relu", "classes": "3 x", "depth": 2}, (5,), "classes must be whole numbers"),
    ("soft_ordering", {"modules": "relu", "classes": "3 2", "depth": 2}, (5,), "it reads the example, too"),
    ("task_routes", {"modules": "relu", "classes": "3", "routes": ROUTE}, (5,), "a module that is not there"),
    ("task_routes", {"modules": "relu", "classes": "3", "routes": "0<0 out<1", "rivals": 1}, (5,), "need 2 routes"),
    ("neurons", {"outputs": 1, "functions": "add", "links": "0-2"}, (2,), "leads into an input or the bias"),
    ("neurons", {"outputs": 1, "functions": "add", "links": "0>3"}, (2,), "links must be pairs such as 0-3"),
    ("neurons", {"outputs": 1, "functions": "add", "links": 3}, (2,), "links must be text, it is 3"),
    ("neurons", {"outputs": 1, "functions": "add", "links": "0-3"}, (2, 4, 4), "put flatten before it"),
    ("dropout", {"rate": -0.1}, (3,), "rate must be a number of at least 0"),
    ("conv", {"channels": 4, "kernel": 3, "gain": float("nan")}, (3, 4, 4), "gain must be a number"),
    ("conv", {"channels": 4, "kernel": 2}, (3, 1, 1), "a window of 2 does not fit a size of 1"),
    ("conv", {"channels": 4, "kernel": 3}, (12,), "(channels, height, width)"),
    ("conv", {"channels": 4, "kernel": 3, "groups": 2}, (3, 4, 4), "do not divide by 2 groups"),
    ("conv", {"channels": 0, "kernel": 3}, (3, 4, 4), "channels must be an integer of at least 1, it is 0"),
    ("conv", {"channels": 2.5, "kernel": 3}, (3, 4, 4), "channels must be an integer"),
    ("conv", {"kernel": 3}, (3, 4, 4), "channels must be an integer of at least 1, it is None"),
    ("conv", {"channels": 4, "kernel": 3, "strides": 2}, (3, 4, 4), "no setting strides"),
    ("relu", {"kernel": 3}, (3, 4, 4), "no setting kernel"),
    ("max_pool", {"kernel": 5}, (3, 4, 4), "a window of 5 does not fit a size of 4"),
    ("avg_pool", {"kernel": 3, "padding": 2}, (3, 4, 4), "at most half"),
    ("linear", {"features": 3}, (3, 4, 4), "flatten or global_avg_pool"),
    ("zero", {"stride": 2}, (8,), "(channels, height, width)"),
    ("conv", {"channels": 4, "kernel": 3, "bias": 2}, (3, 4, 4), "bias must be an integer of at least 0 and at most 1"),
    ("conv1d", {"channels": 4, "kernel": 3}, (3, 4, 4), "(channels, length)"),
    ("conv1d", {"channels": 4, "kernel": 3, "groups": 2}, (3, 4), "do not divide by 2 groups"),
    ("conv1d", {"channels": 4, "kernel": 5, "same": 0}, (3, 4), "a window of 5 does not fit a size of 4"),
    ("max_pool1d", {"kernel": 5}, (3, 4), "a window of 5 does not fit a size of 4"),
    ("embedding", {"vocabulary": 1, "width": 4}, (6,), "vocabulary must be an integer of at least 2"),
    ("embedding", {"vocabulary": 5, "width": 4}, (2, 6), "token ids of shape (length,)"),
    ("attention", {"heads": 3}, (4, 6), "4 channels do not divide by 3 heads"),
    ("attention", {"heads": 4, "rotary": 1}, (4, 6), "4 heads of 4 channels have an odd width each"),
    ("attention", {"heads": 2, "window": 3, "linear": 1}, (4, 6), "linear attention has no window"),
    ("learned_positions", {}, (4, 6, 2), "a sequence of shape (channels, length)"),
    ("map_to_sequence", {}, (4, 6), "a map of shape (channels, height, width)"),
    ("lstm", {"hidden": 4, "bidirectional": 2}, (3, 4), "bidirectional must be an integer of at least 0 and at most 1"),
    ("last_time", {}, (7,), "(channels, length)"),
    ("convolution", {}, (3, 4, 4), "there is no such operation"),
]


@pytest.mark.parametrize(("op", "params", "shape", "reason"), IMPOSSIBLE)
def test_an_impossible_operation_is_refused_in_one_line(op, params, shape, reason):
    with pytest.raises(PlanError) as raised:
        single(op, params, shape)
    message = str(raised.value)
    assert reason in message and op in message and str(shape) in message and "\n" not in message
    assert all(f"{key}={value}" in message for key, value in params.items())


def test_impossible_numbers_and_shapes_of_inputs():
    graph = Graph((3, 8, 8))
    small = graph.add("max_pool", graph.input, kernel=2, stride=2)
    for op, inputs in (("add", (0, small)), ("concat", (0, small)), ("relu", (0, 0)), ("add", ()), ("relu", ())):
        with pytest.raises(PlanError, match=op):
            graph.add(op, *inputs)
    assert graph.add("relu", small) == small + 1  # refused nodes leave no trace
    for shape in ((), (3, 0, 8), (3, 8.0, 8)):
        with pytest.raises(PlanError, match="positive integers"):
            Graph(shape)


def test_nodes_off_the_path_are_left_out():
    graph = Graph((3, 8, 8))
    dead = graph.add("conv", graph.input, channels=64, kernel=7)
    kept = graph.add("conv", graph.input, channels=4, kernel=1)
    graph.add("add", dead, dead)
    output = graph.add("relu", kept)
    graph.add("batch_norm", output)
    plan = graph.plan(output)
    assert [(node.op, node.inputs) for node in plan.nodes] == [("input", ()), ("conv", (0,)), ("relu", (1,))]
    assert (plan.output, plan.parameters, plan.shapes[2]) == (2, 12, (4, 8, 8))
    assert len(graph.plan(graph.input).nodes) == 1


def test_depth_counts_layers_on_the_longest_path():
    graph = Graph((3, 8, 8))
    shallow = graph.add("conv", graph.input, channels=4, kernel=1)
    deep = graph.add("conv", graph.add("relu", shallow), channels=4, kernel=3)
    both = graph.add("global_avg_pool", graph.add("add", shallow, deep))
    assert graph.plan(graph.add("linear", both, features=2)).depth == 3
    assert graph.plan(graph.input).depth == 0


def test_settings_are_complete_and_in_one_order():
    graph = Graph((4, 8, 8))
    first = graph.add("conv", graph.input, channels=4, kernel=3, bias=True)
    second = graph.add("conv", graph.input, bias=1, kernel_w=3, kernel_h=3, channels=4)
    nodes = graph.plan(graph.add("add", first, second)).nodes
    assert nodes[1].params == nodes[2].params and repr(nodes[1].params) == repr(nodes[2].params)
    assert [name for name, _ in nodes[1].params] == list(OPS["conv"].settings)


def test_a_plan_is_a_value():
    plan, same = (single("conv", {"channels": 4, "kernel": 3}, (3, 8, 8)) for _ in range(2))
    assert plan == same and hash(plan) == hash(same) and plan.parameters == 108
    assert pickle.loads(pickle.dumps(plan)) == plan
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.output = 0


def test_printed_forms():
    plan = single("max_pool", {"kernel": 3, "stride": 2, "padding": 1}, (3, 8, 8))
    assert str(plan).splitlines() == [
        "0: input() <- [] (3, 8, 8)",
        "1: max_pool(kernel=3, stride=2, padding=1) <- [0] (3, 4, 4)",
    ]
    assert json.loads(json.dumps(plan.to_json())) == {
        "input": [3, 8, 8],
        "nodes": [["max_pool", [0], {"kernel": 3, "stride": 2, "padding": 1}]],
    }
