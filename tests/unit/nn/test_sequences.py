"""What the operations on sequences compute, and that padding makes no difference where token ids are given."""

from __future__ import annotations

from math import cos, sin

import pytest
import torch
from torch.nn import functional as F

from evonas_cli.network.plan import Graph
from evonas_cli.nn.build import Network
from evonas_cli.nn.layers.attention import rotated


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def single(op: str, shape: tuple[int, ...], **params: int) -> Network:
    graph = Graph(shape)
    return Network(graph.plan(graph.add(op, graph.input, **params)), generator()).eval()


def layer(network: Network) -> torch.nn.Module:
    return next(iter(network.layers.values()))


def sequences(batch: int = 2, channels: int = 4, length: int = 6) -> torch.Tensor:
    return torch.randn(batch, channels, length, generator=generator(9))


ATTENTIONS = ({}, {"window": 1}, {"linear": 1}, {"rotary": 1}, {"linear": 1, "rotary": 1})


def reader(op: str, length: int, **params: int) -> Network:
    """Token ids, embedded and reduced by an operation that is given the ids."""
    graph = Graph((length,))
    x = graph.add("embedding", graph.input, vocabulary=9, width=4)
    x = graph.add("conv1d", x, channels=4, kernel=3, bias=1)
    x = graph.add("mask", x, graph.input)
    if op == "attention":
        x = graph.add("attention", x, graph.input, heads=2, **params)
        return Network(graph.plan(graph.add("mean_time", x, graph.input)), generator())
    return Network(graph.plan(graph.add(op, x, graph.input)), generator())


@pytest.mark.parametrize(
    ("op", "params"),
    [("mean_time", {}), ("max_time", {}), ("last_time", {}), *[("attention", params) for params in ATTENTIONS]],
)
def test_longer_padding_changes_nothing(op, params):
    ids = torch.tensor([[3, 1, 8, 2, 5], [4, 4, 0, 0, 0], [7, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    short, long = reader(op, 5, **params), reader(op, 11, **params)
    found, expected = long(F.pad(ids, (0, 6))), short(ids)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    assert not expected[3].any() and expected[:3].abs().sum(1).gt(0).all()
    expected.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in short.parameters())


def test_time_is_reduced_with_and_without_token_ids():
    x = torch.tensor([[[1.0, 2, 6, -1], [4, 3, 0, 9]]])
    ids = torch.tensor([[5, 2, 1, 0]])
    for op, plain, masked in (
        ("mean_time", [2.0, 4.0], [3.0, 7 / 3]),
        ("max_time", [6.0, 9.0], [6.0, 4.0]),
        ("last_time", [-1.0, 9.0], [6.0, 0.0]),
    ):
        module = layer(single(op, (2, 4)))
        torch.testing.assert_close(module(x), torch.tensor([plain]))
        torch.testing.assert_close(module(x, ids), torch.tensor([masked]))
        assert not module(x, torch.zeros_like(ids)).any()
        torch.testing.assert_close(module(-x - 10, ids)[0, 0] < 0, torch.tensor(True))


def test_an_embedding_gives_zeros_for_padding_and_never_trains_its_row():
    network = single("embedding", (3,), vocabulary=5, width=2)
    table = layer(network).weight
    out = network(torch.tensor([[4, 0, 1]]))
    assert torch.equal(out[0].T, torch.stack([table[4], torch.zeros(2), table[1]]))
    with torch.no_grad():
        table[0] = 7.0
    out = network(torch.tensor([[4, 0, 1]]))
    assert not out[0, :, 1].any()
    out.sum().backward()
    assert not table.grad[0].any() and table.grad[4].any()


def test_convolutions_and_pools_are_those_of_torch():
    x = sequences()
    network = single("conv1d", (4, 6), channels=6, kernel=3, stride=2, dilation=1, groups=2, bias=1)
    weight, bias = layer(network).weight.squeeze(3), layer(network).bias
    torch.testing.assert_close(network(x), F.conv1d(x, weight, bias, 2, 1, 1, 2))
    pool = {"kernel": 3, "stride": 2, "padding": 1}
    torch.testing.assert_close(single("max_pool1d", (4, 6), **pool)(x), F.max_pool1d(x, 3, 2, 1))
    ones = torch.ones_like(x)
    torch.testing.assert_close(single("avg_pool1d", (4, 6), **pool)(ones), ones[:, :, :3])


@pytest.mark.parametrize("shape", [(5,), (5, 6), (5, 3, 4)])
def test_layer_norm_normalises_the_first_dimension(shape):
    x = 3 + 2 * torch.randn(2, *shape, generator=generator())
    y = single("layer_norm", shape)(x)
    torch.testing.assert_close(y.mean(1), torch.zeros_like(y.mean(1)), rtol=0, atol=1e-6)
    torch.testing.assert_close(y.var(1, correction=0), torch.ones_like(y.mean(1)), rtol=0, atol=1e-4)


def test_attention_is_that_of_torch():
    x = sequences(channels=6)
    network = single("attention", (6, 6), heads=3)
    own = layer(network)
    theirs = torch.nn.MultiheadAttention(6, 3, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(own.projections.weight)
        theirs.in_proj_bias.copy_(own.projections.bias)
        theirs.out_proj.weight.copy_(own.output.weight)
        theirs.out_proj.bias.copy_(own.output.bias)
    rows = x.transpose(1, 2)
    torch.testing.assert_close(network(x), theirs(rows, rows, rows)[0].transpose(1, 2), rtol=1e-5, atol=1e-6)


def attended(weights, values):
    return (weights / weights.sum(3, keepdim=True)) @ values


@pytest.mark.parametrize("rotary", [0, 1])
def test_local_attention_sees_its_window_and_linear_attention_is_a_kernel(rotary):
    query, key, value = torch.randn(3, 2, 3, 6, 4, generator=generator(2))
    local = layer(single("attention", (12, 6), heads=3, window=2, rotary=rotary))
    near = (torch.arange(6) - torch.arange(6).unsqueeze(1)).abs() <= 2
    turned = (rotated(query), rotated(key)) if rotary else (query, key)
    weights = (turned[0] @ turned[1].transpose(2, 3) / 2).exp() * near
    torch.testing.assert_close(local.attend(query, key, value, None), attended(weights, value), rtol=1e-5, atol=1e-6)
    linear = layer(single("attention", (12, 6), heads=3, linear=1, rotary=rotary))
    query, key = F.elu(query) + 1, F.elu(key) + 1
    turned = (rotated(query), rotated(key)) if rotary else (query, key)
    sums = (query @ key.transpose(2, 3)).sum(3, keepdim=True)
    expected = turned[0] @ turned[1].transpose(2, 3) / sums @ value
    torch.testing.assert_close(linear.attend(*_raw(query, key), value, None), expected, rtol=1e-5, atol=1e-6)


def _raw(*features):
    """What elu(x) + 1 made the features of."""
    return [torch.where(x > 1, x - 1, x.log()) for x in features]


def test_products_of_rotated_vectors_depend_on_their_distance():
    query, key = (torch.randn(1, 6, generator=generator(seed)).expand(9, 6) for seed in (1, 2))
    products = rotated(query) @ rotated(key).T
    for apart in range(-8, 9):
        same = products.diagonal(apart)
        torch.testing.assert_close(same, same[:1].expand_as(same), rtol=1e-4, atol=1e-5)
    assert (products[0] - products[0, 0]).abs()[1:].min() > 1e-3
    torch.testing.assert_close(rotated(query).norm(dim=1), query.norm(dim=1))


def test_positions_are_sines_and_cosines_or_learned():
    found = single("sinusoidal_positions", (6, 5))(torch.zeros(1, 6, 5))[0]
    for channel, position in ((0, 3), (1, 3), (4, 2), (5, 2)):
        angle = position / 10000 ** (channel // 2 * 2 / 6)
        assert found[channel, position].item() == pytest.approx(cos(angle) if channel % 2 else sin(angle), abs=1e-6)
    learned = single("learned_positions", (6, 5))
    torch.testing.assert_close(learned(sequences(2, 6, 5)), sequences(2, 6, 5) + layer(learned).weight)


@pytest.mark.parametrize("op", ["lstm", "gru"])
def test_recurrent_layers_read_forwards_and_backwards(op):
    x = sequences()
    network = single(op, (4, 6), hidden=3, bidirectional=1)
    assert network(x).shape == (2, 6, 6)
    changed = x.clone()
    changed[:, :, 5] += 1
    same = torch.isclose(network(x), network(changed), atol=0).all((0, 2))
    before = torch.isclose(network(x), network(changed), atol=0)[:, :, :5].all((0, 2))
    assert before.tolist() == [True] * 3 + [False] * 3 and not same.any()
    assert torch.equal(network.state_dict()[f"layers.1_{op}.layer.bias_ih_l0"], torch.zeros(12 if op == "lstm" else 9))


@pytest.mark.parametrize("op", ["lstm", "gru"])
def test_recurrent_layers_run_in_bf16(op):
    network = single(op, (4, 6), hidden=3)
    expected = network(sequences())
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(network(sequences()), expected)


def test_building_draws_from_the_given_generator_only():
    before = torch.get_rng_state()
    for op, shape, params in (
        ("lstm", (4, 6), {"hidden": 3}),
        ("attention", (4, 6), {"heads": 2}),
        ("conv1d", (4, 6), {"channels": 3, "kernel": 3}),
        ("embedding", (6,), {"vocabulary": 5, "width": 2}),
    ):
        first, again = (single(op, shape, **params).state_dict() for _ in range(2))
        assert all(torch.equal(first[key], again[key]) for key in first)
    assert torch.equal(torch.get_rng_state(), before)
