"""Networks for sequences: what the genes mean, which inputs are read, padding, and settings that are refused."""

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
from evonas_cli.spaces.sequence_net import SequenceNet

SPACE = SequenceNet()
SERIES = Task((3, 20), 5)
TEXTS = Task((20,), 2, vocabulary=50)


def operations(genome, task: Task) -> list[str]:
    return [node.op for node in SPACE.decode(genome, task).plan.nodes[1:]]


def test_it_has_the_capabilities_of_a_linear_space() -> None:
    assert all(isinstance(SPACE, kind) for kind in (Space, Buildable, Linear, Measured, Mutable, Walkable))


def test_the_genes_are_the_network() -> None:
    genome = ("conv1d", 16, 5, "none", 32, 3, "gru", 64, 7, 32, "max", 32, 0.2)
    assert operations(genome, SERIES) == ["conv1d", "relu", "gru", "max_time", "dropout", "linear", "relu"] + [
        "dropout",
        "linear",
    ]
    plan = SPACE.decode(genome, SERIES).plan
    assert plan.parameters == (3 * 5 * 16 + 16) + 3 * 64 * (16 + 64 + 2) + (64 * 32 + 32) + (32 * 5 + 5)
    assert operations(genome, TEXTS)[:4] == ["embedding", "conv1d", "relu", "mask"]
    assert SPACE.decode(genome, TEXTS).plan.shapes[1] == (32, 20)
    alone = ("lstm", 16, 5, "none", 32, 3, "none", 64, 7, 32, "last", 0, 0.0)
    assert operations(alone, TEXTS) == ["embedding", "lstm", "last_time", "linear"]


@pytest.mark.parametrize("seed", range(12))
def test_longer_padding_changes_nothing(seed) -> None:
    genome = SPACE.sample(Random(seed))
    ids = torch.randint(1, 50, (4, 20), generator=torch.Generator().manual_seed(seed))
    ids[0, 5:], ids[1, 1:] = 0, 0
    outputs = []
    for length in (20, 33):
        task = Task((length,), 2, vocabulary=50)
        network = Network(SPACE.decode(genome, task).plan, torch.Generator().manual_seed(0)).eval()
        outputs.append(network(torch.nn.functional.pad(ids, (0, length - 20))))
    torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-5, atol=1e-6)


def test_other_inputs_are_refused_with_a_space_that_reads_them() -> None:
    genome = SPACE.sample(Random(0))
    for task, words in (
        (Task((8,), 3), "the task has vectors 8; space=mlp reads vectors"),
        (Task((1, 8, 8), 3), "the task has images 1x8x8; space=chain_cnn reads images"),
    ):
        with pytest.raises(PlanError) as raised:
            SPACE.decode(genome, task)
        assert str(raised.value) == f"sequence_net needs series (channels, length) or token ids; {words}"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"layers": 0}, "space.layers must be a whole number of at least 1; it is 0"),
        ({"operations": ["rnn"]}, "space.operations may be conv1d, lstm, gru; 'rnn' is none of them"),
        ({"operations": ["none", "lstm"]}, "'none' is none of them"),
        ({"kernels": [3, 4]}, "space.kernels must be odd, so that the length stays"),
        ({"kernels": [-1]}, "space.kernels must be whole numbers of at least 1"),
        ({"widths": [0]}, "space.widths must be whole numbers of at least 1"),
        ({"heads": [-1]}, "space.heads must be whole numbers of at least 0"),
        ({"poolings": []}, "space.poolings is empty; name at least one option"),
        ({"dropouts": [-0.1]}, r"space.dropouts must be numbers in \[0, 1\)"),
    ],
)
def test_impossible_settings_are_refused(settings, reason) -> None:
    with pytest.raises(UsageError, match=reason):
        SequenceNet(**settings)
