"""Spaces of detectors: pyramids of merging cells, and backbones that share the weights of one supernet."""

from __future__ import annotations

from random import Random

import pytest
import torch

from evonas_cli.core.errors import UsageError
from evonas_cli.network.detection import outputs
from evonas_cli.network.detector import head, lateral, residual, stem, top_down
from evonas_cli.network.plan import Graph, PlanError
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network
from evonas_cli.nn.supernet.network import Supernet
from evonas_cli.spaces.backbone import Backbone
from evonas_cli.spaces.fpn import PLAIN, Fpn

TASK = Task((3, 32, 32), outputs((3, 32, 32), 3), "boxes")


def layers(plan, op: str) -> int:
    return sum(node.op == op for node in plan.nodes)


def test_the_plain_pyramid_is_a_genome_of_the_space():
    space = Fpn(repeats=1)
    assert space.from_json("top_down") == PLAIN == space.from_json(list(PLAIN))
    plan = space.decode(PLAIN, TASK).plan
    graph = Graph(TASK.inputs)
    x, features = stem(graph, 8), []
    for _ in range(3):
        features.append(x := residual(graph, x))
    plain = graph.plan(head(graph, top_down(graph, lateral(graph, features, 24)), TASK))
    count = [layers(one, "upsample") for one in (plan, plain)]
    assert count == [2, 2] and layers(plan, "max_pool") == layers(plan, "multiply") == 0
    assert layers(plan, "conv") == layers(plain, "conv") + 2  # each merge of a cell ends in a convolution, too
    with pytest.raises(ValueError, match="a genome here is a list of"):
        Fpn(intermediate=1).from_json("top_down")


def test_a_map_that_no_cell_reads_is_added_to_the_output_of_its_level():
    space = Fpn(intermediate=1, repeats=1)
    genome = space.from_json([2, 2, "sum", 1, "0 1 2", 0, 0, "sum", 2, 2, "sum", 2, 2, "sum"])
    plan = space.decode(genome, TASK).plan
    sums = [node for node, shape in zip(plan.nodes, plan.shapes, strict=True) if node.op == "add" and shape[0] == 24]
    assert [len(node.inputs) for node in sums] == [3]  # of stride 8: the output, the backbone's map, and the cell


def test_attention_is_the_coarse_map_and_the_fine_one_times_a_share():
    space = Fpn(intermediate=0, repeats=1)
    genome = space.from_json(["0 1 2", 0, 2, "attention", 1, 1, "sum", 2, 2, "sum"])
    plan = space.decode(genome, TASK).plan
    [product] = [node for node in plan.nodes if node.op == "multiply"]
    fine, share = product.inputs
    assert plan.shapes[fine] == (24, 8, 8) and plan.nodes[share].op == "sigmoid"
    [top] = plan.nodes[share].inputs
    assert plan.nodes[top].op == "global_max" and plan.nodes[plan.nodes[top].inputs[0]].op == "upsample"


def test_sketches_show_each_cell():
    [sketch] = Fpn().sketches(PLAIN)
    assert sketch.nodes[3:] == (
        *("cell: sum, stride 16", "cell: sum, stride 8"),
        *("output: sum, stride 16", "output: sum, stride 8", "output: sum, stride 4"),
    )
    assert (2, 3) in sketch.links and (0, 7) in sketch.links and (4, 7) in sketch.links


@pytest.mark.parametrize("wrong", [{"channels": 0}, {"width": 1.5}, {"repeats": 0}, {"intermediate": 11}])
def test_settings_of_pyramids_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=f"space.{next(iter(wrong))} must be"):
        Fpn(**wrong)


def test_a_path_of_the_supernet_is_the_network_of_its_genome():
    space = Backbone(channels=4, width=8, blocks=1)
    superplan, generator = space.superplan(TASK), torch.Generator().manual_seed(0)
    supernet = Supernet(superplan, generator)
    x = torch.randn(2, 3, 32, 32, generator=generator)
    for path in ((3, 1, 0),):
        plan = space.decode(space.assigned(path), TASK).plan
        assert superplan.multiply_adds(path) == plan.multiply_adds
        own = Network(plan, torch.Generator().manual_seed(1))
        live = [supernet.layers[name] for name in _named(superplan, path)]
        for layer, shared in zip(own.layers.values(), live, strict=True):
            if list(shared.parameters()):
                layer.load_state_dict(shared.state_dict())
        torch.testing.assert_close(own.train()(x), supernet.path(x, path), rtol=1e-3, atol=1e-4)


def _named(superplan, path) -> list[str]:
    live = [index for index in superplan.live(path) if index and index not in superplan.mixtures]
    return [f"{index}_{superplan.plan.nodes[index].op}" for index in live]


@pytest.mark.parametrize("wrong", [{"channels": 0}, {"width": 0}, {"blocks": True}])
def test_settings_of_backbones_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=f"space.{next(iter(wrong))} must be"):
        Backbone(**wrong)


@pytest.mark.parametrize("space", [Fpn(), Backbone()])
def test_data_without_boxes_is_refused_with_a_cure(space):
    with pytest.raises(PlanError, match="needs images with boxes, as dataset=scenes"):
        space.decode(space.sample(Random(0)), Task((3, 32, 32), 10))
