"""Fully connected networks: what the genes mean, which inputs are read, and settings that are refused."""

from __future__ import annotations

from random import Random

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.genomes.capabilities import Buildable, Linear, Measured, Mutable, Walkable
from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Task
from evonas_cli.spaces.mlp import Mlp

SPACE = Mlp()


def operations(genome, task: Task) -> list[str]:
    return [node.op for node in SPACE.decode(genome, task).plan.nodes[1:]]


def test_it_has_the_capabilities_of_a_linear_space() -> None:
    assert all(isinstance(SPACE, kind) for kind in (Space, Buildable, Linear, Measured, Mutable, Walkable))


def test_the_genes_are_the_network() -> None:
    task = Task((8,), 3, "numbers")
    plan = SPACE.decode((32, 0, 64, "gelu", "layer_norm", 0.2), task).plan
    hidden = ["linear", "layer_norm", "gelu", "dropout"]
    assert [node.op for node in plan.nodes[1:]] == [*hidden, *hidden, "linear"]
    assert plan.parameters == (8 * 32 + 32) + 64 + (32 * 64 + 64) + 128 + (64 * 3 + 3)
    assert operations((0, 0, 0, "tanh", "batch_norm", 0.5), task) == ["linear"]
    assert operations((0, 32, 0, "relu", "none", 0.0), task) == ["linear", "relu", "linear"]


def test_images_and_series_are_flattened_and_token_ids_refused() -> None:
    genome = (0, 0, 0, "relu", "none", 0.0)
    assert operations(genome, Task((1, 8, 8), 10)) == ["flatten", "linear"]
    assert operations(genome, Task((3, 20), 10)) == ["flatten", "linear"]
    with pytest.raises(PlanError) as raised:
        SPACE.decode(genome, Task((20,), 2, vocabulary=50))
    assert str(raised.value) == (
        "mlp needs vectors, series or images; the task has texts of 20 tokens; space=sequence_net reads token ids"
    )


def test_grids_and_mutants_stay_inside() -> None:
    rng = Random(0)
    for _ in range(50):
        genome = SPACE.sample(rng)
        mutant = SPACE.mutate(genome, rng)
        assert sum(a != b for a, b in zip(genome, mutant, strict=True)) == 1
        assert SPACE.distance(genome, mutant) == pytest.approx(1 / 6)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"layers": 0}, "space.layers must be a whole number of at least 1; it is 0"),
        ({"widths": [-1]}, "space.widths must be whole numbers of at least 0"),
        ({"widths": [8, 8]}, r"space.widths lists an option twice: \[8, 8\]"),
        ({"widths": []}, "space.widths is empty; name at least one option"),
        ({"activations": ["relu", "swish"]}, "space.activations may be relu, gelu, tanh; 'swish' is none of them"),
        ({"normalisations": ["group"]}, "space.normalisations may be none, batch_norm, layer_norm"),
        ({"dropouts": [1.0]}, r"space.dropouts must be numbers in \[0, 1\)"),
    ],
)
def test_impossible_settings_are_refused(settings, reason) -> None:
    with pytest.raises(UsageError, match=reason):
        Mlp(**settings)
