"""Fused optimisers against torch's plain ones, and decoupled decay."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from torch import nn

from evonas_cli.training.optimizers import OPTIMIZERS, step
from evonas_cli.training.trainer import Trainer

CONF = Path(__file__).parents[3] / "conf/trainer"


def trainer(name: str, **changes) -> Trainer:
    loaded = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml"))
    del loaded["_target_"]
    return Trainer(**{**loaded, **changes})


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 6, 1), nn.Flatten(), nn.Linear(54, 3)).to(
        memory_format=torch.channels_last
    )


def gradients(net: nn.Module, seed: int) -> None:
    x = torch.randn(2, 1, 5, 5, generator=torch.Generator().manual_seed(seed)).to(memory_format=torch.channels_last)
    net(x).square().sum().backward()


def plain_sgd(net: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(net.parameters(), lr=1.0, momentum=0.9, nesterov=True, weight_decay=0.01, foreach=False)


def plain_adamw(net: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(net.parameters(), lr=1.0, betas=(0.9, 0.999), weight_decay=0.01, foreach=False)


@pytest.mark.parametrize(("name", "plain"), [("sgd", plain_sgd), ("adamw", plain_adamw)])
def test_three_steps_are_torchs(name, plain):
    settings = trainer(name, weight_decay=0.01, momentum=0.9)
    ours, theirs = network(), network()
    optimizer, reference = OPTIMIZERS[name](ours, settings), plain(theirs)
    for i, rate in enumerate((0.01, 0.02, 0.005)):
        gradients(ours, i)
        step(optimizer, settings, rate)
        gradients(theirs, i)
        reference.param_groups[0]["lr"] = rate
        reference.step()
        reference.zero_grad()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-6)
        assert a.grad is None


def test_decoupled_decay_stays_out_of_the_momentum():
    settings = trainer("sgd", decoupled=True, weight_decay=0.5, momentum=0.9, nesterov=False)
    parameter = nn.ParameterList([nn.Parameter(torch.tensor([2.0]))])
    optimizer = OPTIMIZERS["sgd"](parameter, settings)
    for expected in (2.0 * 0.95 - 0.1, (2.0 * 0.95 - 0.1) * 0.95 - 0.1 * 1.9):
        parameter[0].grad = torch.ones(1)
        step(optimizer, settings, 0.1)
        assert parameter[0].item() == pytest.approx(expected)


def test_coupled_decay_is_a_part_of_the_gradient():
    settings = trainer("sgd", decoupled=False, weight_decay=0.5, momentum=0.9, nesterov=False)
    parameter = nn.ParameterList([nn.Parameter(torch.tensor([2.0]))])
    optimizer = OPTIMIZERS["sgd"](parameter, settings)
    parameter[0].grad = torch.ones(1)
    step(optimizer, settings, 0.1)
    assert parameter[0].item() == pytest.approx(2.0 - 0.1 * (1 + 0.5 * 2))


def test_clipping_bounds_the_step():
    settings = trainer("sgd", clip_norm=0.5, weight_decay=0.0, momentum=0.0, nesterov=False)
    parameter = nn.ParameterList([nn.Parameter(torch.zeros(4))])
    parameter[0].grad = torch.full((4,), 100.0)
    step(OPTIMIZERS["sgd"](parameter, settings), settings, 1.0)
    assert parameter[0].norm().item() == pytest.approx(0.5, rel=1e-4)


def test_parameters_without_gradient_stay():
    settings = trainer("sgd", decoupled=True, weight_decay=0.5)
    parameters = nn.ParameterList([nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))])
    parameters[0].grad = torch.ones(1)
    step(OPTIMIZERS["sgd"](parameters, settings), settings, 0.1)
    assert parameters[1].item() == 1.0 != parameters[0].item()


def test_the_trainer_names_exactly_these_optimizers():
    from evonas_cli.training.trainer import OPTIMIZERS as names

    assert set(names) == set(OPTIMIZERS)
