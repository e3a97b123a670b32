"""Networks of the spaces mlp and sequence_net learn classes, labels and numbers from vectors, series and token ids."""

from __future__ import annotations

import pytest
import torch
from kinds_of_data import resident
from quadrants import SEED, Interrupted, InterruptedAfter, fit, fit_all, same_bits, trainer, without_times

from evonas_cli.data.resident import Resident
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.population import Population
from evonas_cli.spaces.mlp import Mlp
from evonas_cli.spaces.sequence_net import SequenceNet
from evonas_cli.training.checkpoint import Checkpoint
from evonas_cli.training.loop import Member

VECTORS, SERIES, TEXTS = (6,), (3, 12), (10,)
DENSE = (32, 0, 32, "gelu", "layer_norm", 0.0)
CONVOLUTION = ("conv1d", 16, 3, "none", 16, 3, "conv1d", 16, 3, 16, "mean", 0, 0.0)
RECURRENT = ("lstm", 16, 3, "none", 16, 3, "none", 16, 3, 16, "max", 32, 0.2)
GATED = ("conv1d", 16, 3, "gru", 16, 3, "none", 16, 3, 16, "last", 0, 0.2)


def networks(genome: tuple[object, ...], data: Resident, count: int) -> list[Network]:
    space = Mlp() if genome is DENSE else SequenceNet()
    plan = space.decode(genome, data.task).plan
    return [Network(plan, torch.Generator().manual_seed(seed)) for seed in range(count)]


def trained(genome, data: Resident, checkpoint: Checkpoint | None = None, **changes):
    population = Population(networks(genome, data, 1))
    settings = trainer("adamw", **{"epochs": 12, "learning_rate": 0.01, "momentum": 0.9, **changes})
    return population, fit(population, data, settings, SEED, settings.epochs, checkpoint or Checkpoint())


LEARNED = {"classes": ("valid_accuracy", 0.7), "labels": ("valid_auroc", 0.8), "numbers": ("valid_r2", 0.3)}


@pytest.mark.parametrize(
    ("kind", "genome", "shape", "vocabulary"),
    [
        ("classes", DENSE, VECTORS, 0),
        ("labels", DENSE, VECTORS, 0),
        ("numbers", DENSE, SERIES, 0),
        ("labels", CONVOLUTION, SERIES, 0),
        ("numbers", RECURRENT, SERIES, 0),
        ("classes", CONVOLUTION, TEXTS, 6),
        ("numbers", RECURRENT, TEXTS, 6),
    ],
)
def test_every_kind_of_target_is_learned(kind, genome, shape, vocabulary):
    metric, least = LEARNED[kind]
    assert trained(genome, resident(kind, shape, vocabulary))[1][metric] > least


@pytest.mark.parametrize(("genome", "shape", "vocabulary"), [(DENSE, VECTORS, 0), (CONVOLUTION, TEXTS, 6)])
def test_a_stack_trains_as_its_members_do_alone(genome, shape, vocabulary):
    data, settings = resident("classes", shape, vocabulary), trainer("sgd", epochs=2)
    together = Population(networks(genome, data, 3))
    outcomes = fit_all(together, [Member(settings, 2, Checkpoint(), place) for place in range(3)], data, SEED)
    for place, network in enumerate(networks(genome, data, 3)):
        alone = Population([network])
        expected = fit(alone, data, settings, SEED, 2, Checkpoint())
        assert outcomes[place]["train_loss"] == pytest.approx(expected["train_loss"], rel=1e-4)
        for key, value in alone.member(0).items():
            torch.testing.assert_close(together.member(place)[key], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("genome", [RECURRENT, GATED])
def test_a_recurrent_training_resumes_with_equal_bits(genome, tmp_path):
    data = resident("classes", TEXTS, 6)
    straight, expected = trained(genome, data, epochs=3)
    with pytest.raises(Interrupted):
        trained(genome, data, InterruptedAfter(1, tmp_path), epochs=3)
    resumed, found = trained(genome, data, Checkpoint(tmp_path, seconds=0), epochs=3)
    assert same_bits(straight, resumed) and without_times(found) == without_times(expected)


@pytest.mark.parametrize("genome", [CONVOLUTION, RECURRENT])
def test_bf16_trains_too(genome):
    assert trained(genome, resident("classes", SERIES), precision="bf16")[1]["valid_error"] < 0.35
