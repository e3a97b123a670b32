"""Transformers: what the genes mean, which inputs are read, padding, and that no genome is without a network."""

from __future__ import annotations

from random import Random

import pytest
import torch

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.genomes.capabilities import Buildable, Linear, Measured, Mutable, Walkable
from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network
from evonas_cli.spaces.transformer import Transformer

SPACE = Transformer()
SERIES = Task((3, 20), 5)
TEXTS = Task((20,), 2, vocabulary=50)
IMAGES = Task((1, 8, 8), 10)
GENES = {
    "layers": 1,
    "width/heads": "16/2",
    "ratio": 4,
    "norm": "pre",
    "activation": "gelu",
    "positions": "rotary",
    "patch": 4,
    "window": 2,
    "pooling": "mean",
    "dropout": 0.0,
    **{f"attention {layer}": kind for layer, kind in enumerate(("local", "linear", "full", "full"), 1)},
}


def plan(task: Task, **changes: object):
    return SPACE.decode(SPACE.from_json({**GENES, **changes}), task).plan


def test_it_has_the_capabilities_of_a_linear_space() -> None:
    assert all(isinstance(SPACE, kind) for kind in (Space, Buildable, Linear, Measured, Mutable, Walkable))


def test_the_genes_are_the_network() -> None:
    found = plan(SERIES)
    layer = ["layer_norm", "attention", "add", "layer_norm", "conv1d", "gelu", "conv1d", "add"]
    assert [node.op for node in found.nodes[1:]] == ["conv1d", *layer, "layer_norm", "mean_time", "linear"]
    assert dict(found.nodes[3].params) == {"heads": 2, "window": 2, "linear": 0, "rotary": 1}
    width, hidden = 16, 64
    weights = 4 * width * (width + 1) + (width + 1) * hidden + (hidden + 1) * width + 3 * 2 * width
    assert found.parameters == (3 + 1) * width + weights + (width + 1) * 5
    post = plan(TEXTS, norm="post", layers=2, positions="sinusoidal", dropout=0.1)
    layer = ["attention", "dropout", "add", "layer_norm", "conv1d", "gelu", "conv1d", "dropout", "add", "layer_norm"]
    assert [node.op for node in post.nodes[1:]] == [
        *("embedding", "sinusoidal_positions", *layer, *layer),
        *("mean_time", "dropout", "linear"),
    ]
    kinds = [dict(node.params) for node in post.nodes if node.op == "attention"]
    assert [(kind["window"], kind["linear"], kind["rotary"]) for kind in kinds] == [(2, 0, 0), (0, 1, 0)]
    assert plan(IMAGES, patch=2, positions="learned").shapes[1:4] == ((16, 4, 4), (16, 16), (16, 16))


def test_ten_thousand_draws_have_a_network() -> None:
    space = Transformer(widths=(6, 10, 16, 24), heads=(1, 2, 3, 4))
    [sizes] = [choice.options for choice in space.choices if choice.name == "width/heads"]
    assert sizes == ("6/1", "6/3", "10/1", "16/1", "16/2", "16/4", "24/1", "24/2", "24/3", "24/4")
    rng, drawn = Random(3), set()
    for number in range(10_000):
        genome = space.sample(rng)
        genome = space.mutate(genome, rng) if number % 2 else genome
        width, heads = map(int, str(genome[1]).split("/"))
        assert width % heads == 0 and width // heads % 2 == 0
        drawn.add(genome[1])
        if number % 20 == 0:
            for task in (SERIES, TEXTS, IMAGES):
                space.decode(genome, task)
    assert drawn == set(sizes)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("positions", ["none", "sinusoidal", "learned", "rotary"])
def test_longer_padding_changes_nothing(seed: int, positions: str) -> None:
    genome = Transformer(positions=[positions]).sample(Random(seed))
    ids = torch.randint(1, 50, (4, 20), generator=torch.Generator().manual_seed(seed))
    ids[0, 5:], ids[1, 1:], ids[2, :] = 0, 0, 0
    outputs, state = [], {}
    for length in (33, 20):
        task = Task((length,), 2, vocabulary=50)
        network = Network(
            Transformer(positions=[positions]).decode(genome, task).plan, torch.Generator().manual_seed(0)
        )
        shapes = network.state_dict()
        state = {
            key: (value if key not in state else state[key][..., : value.shape[-1]]) for key, value in shapes.items()
        }
        network.load_state_dict(state)
        outputs.append(network.eval()(torch.nn.functional.pad(ids, (0, length - 20))))
    torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-4, atol=1e-5)


def test_an_order_is_seen_with_positions_alone() -> None:
    for positions in ("none", "sinusoidal", "learned", "rotary"):
        found = plan(TEXTS, positions=positions, **{"attention 1": "full"})
        network = Network(found, torch.Generator().manual_seed(0)).eval()
        ids = torch.randint(1, 50, (4, 20), generator=torch.Generator().manual_seed(1))
        same = torch.allclose(network(ids), network(ids.flip(1)), rtol=1e-4, atol=1e-5)
        assert same == (positions == "none")


def test_other_inputs_are_refused_before_a_network_is_made() -> None:
    genome = SPACE.sample(Random(0))
    for task, words in (
        (Task((8,), 3), "transformer needs token ids, series .* or images; the task has vectors 8; space=mlp reads"),
        (Task((1, 7, 8), 3), "patches of 2x2, which do not fit images 1x7x8; leave in space.patches only sides that"),
        (Task((1, 2, 2), 3), "patches of 4x4, which do not fit images 1x2x2"),
        (
            Task((900,), 2, vocabulary=9),
            "at most 512 positions, and texts of 900 tokens have 900; raise",
        ),
        (Task((1, 64, 64), 2), "at most 512 positions, and images 1x64x64 have 1024"),
    ):
        with pytest.raises(PlanError, match=words):
            SPACE.decode(genome, task)
    assert Transformer(positions=["rotary"]).decode(genome[:5] + ("rotary",) + genome[6:], Task((3, 900), 2)).plan


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"layers": [0, 1]}, "space.layers must be whole numbers of at least 1"),
        (
            {"widths": [6], "heads": [4], "positions": ["none"]},
            r"no number of space.heads \[4\] divides 6; change either",
        ),
        ({"widths": [6], "heads": [2]}, r"divides 6, into heads of an even width, which rotary positions need; change"),
        ({"heads": [1, 5]}, r"space.heads: 5 divides no width of space.widths \[16, 32, 64\]"),
        ({"attentions": ["flash"]}, "space.attentions may be full, local, linear; 'flash' is none of them"),
        ({"windows": [0]}, "space.windows must be whole numbers of at least 1"),
        ({"patches": []}, "space.patches is empty"),
        ({"dropouts": [1.0]}, r"space.dropouts must be numbers in \[0, 1\)"),
        ({"max_length": 0}, "space.max_length must be a whole number of at least 1; it is 0"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Transformer(**settings)
