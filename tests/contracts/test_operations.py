"""An operation of a user's own trains as ours do; without a stacked form its networks are trained one by one."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from own_operation import Scaled

from evonas_cli.core.evaluating import Place
from evonas_cli.core.nowhere import Nowhere
from evonas_cli.core.types import Candidate, Proposal, Unit
from evonas_cli.data.digits import Digits
from evonas_cli.jobs import stacks
from evonas_cli.jobs.train import Train
from evonas_cli.network.ops import OPS
from evonas_cli.network.task import Task
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.trainer import Trainer

DIGITS = Digits(valid_fraction=0.5, test_fraction=0.2, limit=256, crop=0, flip=False, cutout=0)
PLAN = Scaled().decode(4, Task((1, 8, 8), 10)).plan


def train(**changes: Any) -> Train:
    settings: Any = OmegaConf.to_container(OmegaConf.load(Path(__file__).parents[2] / "conf/trainer/sgd.yaml"))
    del settings["_target_"]
    trainer = Trainer(
        **{**settings, "save_state": False, "epochs": 2, "batch_size": 32, "checkpoint_seconds": None, **changes}
    )
    return Train(Scaled(), DIGITS, trainer, seed=5, device="cpu", deterministic=True, threads=1)


def asked(*genomes: int) -> list[Candidate[int]]:
    return [Candidate(id, 0, 1000 + id, Proposal(genome)) for id, genome in enumerate(genomes)]


def networks(count: int) -> list[Network]:
    return [Network(PLAN, torch.Generator().manual_seed(seed)) for seed in range(count)]


@pytest.mark.parametrize("stack", [None, 4])
def test_its_networks_are_trained_one_by_one_which_is_said_once(stack: Any, caplog: Any) -> None:
    stacks._say.cache_clear()
    job, candidates = train(stack=stack), asked(4, 4, 8, 4)
    with caplog.at_level(logging.INFO):
        found = [job.units(candidates, job.open(Place()).environment()) for _ in range(3)]
    assert all([unit.width for unit in units] == [1, 1, 1, 1] for units in found)
    said = [line for line in caplog.messages if "own_scale" in line]
    assert said == ["the operation own_scale has no stacked form: networks with it are trained one by one"]


def test_each_member_trains_its_own_weights() -> None:
    job, candidates = train(), asked(4, 4)
    bench = job.open(Place())
    units = job.units(candidates, bench.environment())
    results = [result for unit in units for result in bench.evaluate(unit, Nowhere())]
    assert [result.status for result in results] == ["ok", "ok"]
    losses = [result.metrics["train_loss"] for result in results]
    assert losses[0] != losses[1] and max(losses) < 2.3
    together = bench.evaluate(Unit(tuple(candidates), 1, (0, 0)), Nowhere())
    assert [replace(r, seconds=0, metrics=r.metrics | {"train_seconds": 0}) for r in together] == [
        replace(r, seconds=0, metrics=r.metrics | {"train_seconds": 0}) for r in results
    ]


def test_alone_it_learns_what_its_network_would() -> None:
    (member,), x = networks(1), torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    population = Population([member])
    population(x).square().sum().backward()
    member(x).square().sum().backward()
    for (name, found), (_, expected) in zip(population.named_parameters(), member.named_parameters(), strict=True):
        assert found is not expected, "a training does not change the network that it was given"
        torch.testing.assert_close(found.grad, expected.grad, msg=name)
    torch.testing.assert_close(population(x)[0], member(x))


def test_a_stack_of_it_is_refused() -> None:
    with pytest.raises(ValueError, match="own_scale has no stacked form, so that 2 networks cannot be one program"):
        Population(networks(2))


def test_its_trainings_can_be_tuned() -> None:
    trials = train().open(Place()).probe([4, 4], 0.01)
    assert trials and not any("trainer.stack" in str(trial) for trial in trials)


def test_weights_without_a_stacked_form_of_their_own_are_never_shared() -> None:
    for name, op in OPS.items():
        assert op.parameters is None or op.stack != "same", name
