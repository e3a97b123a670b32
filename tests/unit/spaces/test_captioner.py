"""Networks that describe images: Show and Tell among them, causal in the words, and with the image at every join."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import torch

from evonas_cli.core.errors import UsageError
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.captions import CaptionTask, show_and_tell
from evonas_cli.network.plan import Graph, PlanError
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network
from evonas_cli.spaces.captioner import JOINS, LAYERS, Captioner

TASK = CaptionTask((3, 8, 8), tokens=11, steps=6)
PLAIN: dict[str, Any] = {
    **{"convolutions": 2, "channels": 8, "pooling": "flatten", "embedding": 32, "join": "before", "layer 1": "lstm"},
    **{"width 1": 64, "skip 1": "none", "layer 2": "none", "width 2": 32, "skip 2": "none", "head": 0, "dropout": 0.0},
}


def example() -> torch.Tensor:
    """Two different images, each with the same words."""
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randn(2, 3 * 8 * 8, generator=generator)
    return torch.cat([pixels, torch.tensor([[1.0, 4, 7, 2, 9, 3]] * 2)], 1)


def network(genome: Any, space: Captioner, task: CaptionTask = TASK) -> Network:
    return Network(space.decode_captioner(genome, task), torch.Generator().manual_seed(0)).eval()


def test_show_and_tell_is_a_genome() -> None:
    space = Captioner()
    found = space.decode_captioner(space.from_json(PLAIN), TASK)
    assert canonical_hash(found) == canonical_hash(show_and_tell(TASK, [8, 16], embedding=32, hidden=64))


def test_networks_read_and_give_what_the_task_has() -> None:
    space, rng = Captioner(), Random(3)
    for _ in range(50):
        plan = space.decode_captioner(space.sample(rng), TASK)
        assert (plan.shapes[0], plan.shapes[plan.output]) == ((3 * 8 * 8 + 6,), (11, 6))


@torch.no_grad()
def test_no_score_depends_on_a_later_word() -> None:
    space, rng, x = Captioner(), Random(5), example()
    for _ in range(40):
        made = network(space.sample(rng), space)
        before = made(x)
        for step in range(1, 6):
            changed = x.clone()
            changed[:, 3 * 8 * 8 + step] = 5.0
            after = made(changed)
            torch.testing.assert_close(after[:, :, :step], before[:, :, :step], rtol=0, atol=1e-6)
            assert not torch.equal(after[:, :, step], before[:, :, step])


@torch.no_grad()
@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("kind", LAYERS)
def test_the_image_decides_wherever_it_enters(join: str, kind: str) -> None:
    """A dense layer sees a single word, so that an image before all words reaches none."""
    space = Captioner()
    scores = network(space.from_json({**PLAIN, "join": join, "layer 1": kind}), space)(example())
    same = torch.allclose(scores[0], scores[1], atol=1e-5)
    assert same == (join == "before" and kind == "dense")


@pytest.mark.parametrize(("skip", "more"), [("none", 0), ("sum", 32 * 64), ("concat", 11 * 32)])
def test_skip_links_cost_what_they_add(skip: str, more: int) -> None:
    """A sum of 32 and 64 features has a projection, a concatenation a wider last layer."""
    space = Captioner()
    plain, linked = (space.decode_captioner(space.from_json({**PLAIN, "skip 1": one}), TASK) for one in ("none", skip))
    assert linked.parameters - plain.parameters == more


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"layers": 0}, "space.layers must be a whole number of at least 1"),
        ({"joins": ["never"]}, "space.joins may be before, each_sum"),
        ({"kinds_of_layers": ["none"]}, "space.kinds_of_layers may be lstm, gru, dense"),
        ({"widths": [32, 32]}, "space.widths lists an option twice"),
        ({"dropouts": [1.0]}, "space.dropouts must be numbers in"),
    ],
)
def test_options_that_are_none_are_refused(settings: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError, match=line):
        Captioner(**settings)


def test_images_that_are_too_small_have_no_network() -> None:
    space = Captioner()
    with pytest.raises(PlanError, match="max_pool"):
        space.decode_captioner(space.from_json({**PLAIN, "convolutions": 3}), CaptionTask((3, 4, 4), 11, 6))


def test_the_task_is_recorded_and_read_again() -> None:
    assert CaptionTask.of(Task.from_json(TASK.task.to_json())) == TASK
    with pytest.raises(ValueError, match="has no captions"):
        CaptionTask.of(Task((3, 8, 8), 10))


def test_a_network_of_other_shapes_is_refused() -> None:
    graph = Graph((TASK.reads,))
    with pytest.raises(PlanError, match=r"must read \(198,\) and give \(11, 6\), not \(198,\) and \(5,\)"):
        TASK.check(graph.plan(graph.add("linear", graph.input, features=5)))
