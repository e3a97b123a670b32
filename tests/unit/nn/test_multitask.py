"""Networks of several tasks: whose classes are answered, how modules are shared, and what challengers inherit."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
import torch
from torch import Tensor

from evonas_cli.network.morphs.edit import MorphError
from evonas_cli.network.morphs.morph import Morph
from evonas_cli.network.plan import Plan
from evonas_cli.network.routes import Route
from evonas_cli.network.task import Task
from evonas_cli.network.task_ops import ABSENT
from evonas_cli.nn.build import Network
from evonas_cli.nn.inherit.replay import check_same, replay, residual
from evonas_cli.nn.inherit.weights import network
from evonas_cli.spaces.cmtr import Cmtr
from evonas_cli.spaces.soft_ordering import SoftOrdering

TASK = Task((2, 4, 4), 7, members=(2, 2, 3))
VECTOR = Task((6,), 7, members=(2, 2, 3))
SPACE = Cmtr(tasks=3, modules=2, nodes=4, width=5)
OWN = ((0, 1), (2, 3), (4, 5, 6))


def examples(task: Task, count: int = 9) -> Tensor:
    """So many examples, of the tasks in turn."""
    x = torch.randn(count, *task.inputs, generator=torch.Generator().manual_seed(3))
    x[:, -1] = (torch.arange(count) % len(task.members)).view(-1, *(1 for _ in task.inputs[1:]))
    return x


def made(plan: Plan, seed: int = 0) -> Network:
    """A network in which no weights are 0."""
    net = Network(plan, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for number, weights in enumerate(net.parameters()):
            weights.add_(torch.randn(weights.shape, generator=torch.Generator().manual_seed(number)) / 4)
    return net.eval()


@pytest.mark.parametrize("task", [TASK, VECTOR], ids=["maps", "vectors"])
@pytest.mark.parametrize("layer", ["dense", "conv"])
def test_an_example_has_scores_of_its_own_task_alone(task: Task, layer: str) -> None:
    if layer == "conv" and len(task.inputs) == 1:
        pytest.skip("convolutions are for images")
    routes, ordering = Cmtr(tasks=3, width=5, layer=layer), SoftOrdering(widths=(5,), layer=layer)
    genomes = [
        (routes, routes.sample(Random(1))),
        (routes, routes.founder(Random(1))),
        (ordering, ordering.sample(Random(1))),
    ]
    for space, genome in genomes:
        plan = space.decode(genome, task).plan
        net, x = made(plan), examples(task)
        scores = net(x)
        assert (
            scores.shape == (9, *plan.shapes[plan.output])
            and sum(p.numel() for p in net.parameters()) == plan.parameters
        )
        for place, row in enumerate(scores.view(9, -1, 7)):
            for answer in row:
                assert [c for c in range(7) if answer[c] > ABSENT / 2] == list(OWN[place % 3])


def test_soft_ordering_weighs_the_modules_of_each_depth_by_the_scales_of_the_task() -> None:
    space = SoftOrdering(modules=2, functions=("relu", "tanh"), depths=(2,), widths=(5,))
    net, x = made(space.decode(("relu", "tanh", 2, 5), VECTOR).plan), examples(VECTOR)
    layer = net.layers["4_soft_ordering"]
    linear = net.layers["2_linear"]
    for place, one in enumerate(x):
        value, scales = torch.relu(linear(one[:-1])), layer.scales[place % 3].softmax(1)
        for depth in range(2):
            first, second = (part(value) for part in layer.shared)
            value = scales[depth, 0] * torch.relu(first) + scales[depth, 1] * torch.tanh(second)
        wanted = layer.decoders[place % 3](value)
        torch.testing.assert_close(net(x)[place, list(OWN[place % 3])], wanted)


def test_routes_share_the_modules() -> None:
    genome = replace(SPACE.founder(Random(0)), modules=("tanh", "relu"), challengers=())
    genome = replace(genome, champions=(Route.parse("0<0 1<0+1 out<1+2"), *genome.champions[1:]))
    net, x = made(SPACE.decode(genome, VECTOR).plan), examples(VECTOR)
    layer, value = net.layers["4_task_routes"], torch.relu(net.layers["2_linear"](x[0, :-1]))
    edges = layer.edges
    one = torch.tanh(layer.shared[0](value))
    into = edges[1:3].softmax(0)
    two = torch.relu(layer.shared[1](into[0] * value + into[1] * one))
    out = edges[3:5].softmax(0)
    torch.testing.assert_close(net(x)[0, :2], layer.decoders[0](out[0] * one + out[1] * two))


def test_winners_are_the_next_champions_and_challengers_begin_near_to_them() -> None:
    parent, wins = SPACE.founder(Random(5)), (True, False, True)
    for seed in range(4):  # up to the largest number of nodes, and beyond
        child = SPACE.challenged(parent, wins, Random(seed))
        before, after = (SPACE.decode(one, VECTOR).plan for one in (parent, child.genome))
        weights, x = made(before).state_dict(), examples(VECTOR)
        morphs = [Morph.from_json(one) for one in child.morphs]
        plan, found = replay(before, weights, morphs, torch.Generator(), x)
        check_same(plan, after)
        old, new = network(before, weights)(x), network(after, found)(x)
        for place in range(len(x)):
            task, classes = place % 3, list(OWN[place % 3])
            winner = old[place, 7:] if wins[task] else old[place, :7]
            torch.testing.assert_close(new[place, :7][classes], winner[classes])
            mutant = new[place, 7:][classes]
            assert 0 <= (mutant - winner[classes]).abs().max() < 1.5
        parent = child.genome


def test_the_new_edge_has_a_tenth_of_the_weight() -> None:
    parent = replace(SPACE.founder(Random(5)), champions=(Route.parse("0<0 out<1"),) * 3)
    parent = replace(parent, challengers=parent.champions)
    child = replace(parent, challengers=(Route.parse("0<0 1<1 out<1+2"),) * 3)
    before, after = (SPACE.decode(one, VECTOR).plan for one in (parent, child))
    settings = dict(after.nodes[4].params)
    morph = Morph("challenge", 4, {"routes": settings["routes"], "rivals": 1, "made": "0:2 0:2 1:2"})
    weights = made(before).state_dict()
    _, found = replay(before, weights, [morph], torch.Generator(), examples(VECTOR))
    edges = found["layers.4_task_routes.edges"][6:].view(3, 4)
    torch.testing.assert_close(edges[:, 2:].softmax(1), torch.tensor([[0.9, 0.1]] * 3))
    torch.testing.assert_close(edges[:, 2], weights["layers.4_task_routes.edges"].view(6, 2)[[0, 1, 5], 1])


def test_champions_remain_when_the_challengers_go() -> None:
    parent = SPACE.founder(Random(5))
    child = SPACE.settled(parent, (False, True, False))
    before, after = (SPACE.decode(one, VECTOR).plan for one in (parent, child.genome))
    weights, x = made(before).state_dict(), examples(VECTOR)
    plan, found = replay(before, weights, [Morph.from_json(one) for one in child.morphs], torch.Generator(), x)
    check_same(plan, after)
    torch.testing.assert_close(network(after, found)(x)[1, 2:4], network(before, weights)(x)[1, 9:11])
    assert after.shapes[-1] == (7,) and residual(before, weights, plan, found, x[[0, 2]]) < 1e-5


@pytest.mark.parametrize("made_", ["1:1 0:0 0:0", "0:1", "2:1 0:0 0:0", "0:4 0:0 0:0"])
def test_a_morph_that_does_not_say_what_happened_is_refused(made_: str) -> None:
    parent = SPACE.founder(Random(5))
    child = SPACE.challenged(parent, (False, False, False), Random(1))
    before = SPACE.decode(parent, VECTOR).plan
    morph = Morph.from_json({**child.morphs[0], "made": made_})  # type: ignore[dict-item]
    with pytest.raises(MorphError):
        replay(before, made(before).state_dict(), [morph], torch.Generator(), examples(VECTOR))
