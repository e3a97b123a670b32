"""Stacked optimisers against torch's, member by member."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from quadrants import trainer
from torch import nn

from evonas_cli.training.optimizers import OPTIMIZERS

SHAPES = [(4, 1, 3, 3), (4,), (6, 4), (6,)]
RATES = [(0.01, 0.1, 0.02), (0.02, 0.2, 0.03), (0.005, 0.05, 0.0)]


def stacked(width: int, seed: int = 0) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(width * rows, *rest, generator=generator)) for rows, *rest in SHAPES]


def reference(name: str, parameters: list[nn.Parameter], member) -> torch.optim.Optimizer:
    if name == "sgd":
        return torch.optim.SGD(
            parameters, 1.0, member.momentum, weight_decay=member.weight_decay, nesterov=member.nesterov
        )
    return torch.optim.AdamW(parameters, 1.0, betas=(member.momentum, 0.999), weight_decay=member.weight_decay)


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(["sgd", "adamw"]),
    width=st.sampled_from([1, 3]),
    momenta=st.tuples(*[st.floats(0.1, 0.95)] * 3),
    decays=st.tuples(*[st.floats(0, 0.1)] * 3),
    nesterov=st.booleans(),
    clip=st.sampled_from([None, 0.5]),
    apart=st.booleans(),
)
def test_each_member_is_updated_as_torch_does(name, width, momenta, decays, nesterov, clip, apart):
    """Members of SGD in one operation, or one after the other, as large ones are on CUDA devices."""
    members = [
        trainer(name, momentum=m, weight_decay=d, nesterov=nesterov, clip_norm=clip)
        for m, d in zip(momenta[:width], decays[:width], strict=True)
    ]
    ours = stacked(width)
    alone = [[nn.Parameter(p.detach().chunk(width)[i].clone()) for p in ours] for i in range(width)]
    optimizer = OPTIMIZERS[name](ours, members)
    if name == "sgd" and apart:
        optimizer._apart = True
    references = [reference(name, parameters, member) for parameters, member in zip(alone, members, strict=True)]
    for step, rates in enumerate(RATES):
        gradients = [p.detach() for p in stacked(width, seed=step + 1)]
        for i, (parameters, torchs) in enumerate(zip(alone, references, strict=True)):
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient.chunk(width)[i].clone()
            if clip is not None:
                nn.utils.clip_grad_norm_(parameters, clip)
            torchs.param_groups[0]["lr"] = rates[i]
            torchs.step()
        optimizer.step([g.clone() for g in gradients], torch.tensor(rates[:width]))
    for i, parameters in enumerate(alone):
        for parameter, mine in zip(parameters, ours, strict=True):
            torch.testing.assert_close(mine.detach().chunk(width)[i], parameter.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_a_members_memory_moves_to_another_place(name):
    members = [trainer(name)] * 2
    first, second = stacked(2), stacked(2)
    mine, others = OPTIMIZERS[name](first, members), OPTIMIZERS[name](second, members)
    gradients = [p.detach() for p in stacked(2, seed=5)]
    mine.step([g.clone() for g in gradients], torch.tensor([0.1, 0.1]))
    others.load_memory(0, mine.memory(1))
    assert others.memory(0).keys() == mine.memory(1).keys()
    for index, parts in mine.memory(1).items():
        for key, value in parts.items():
            assert torch.equal(value, others.memory(0)[index][key])
    others.load_memory(0, {})
    assert all(not part.any() for parts in others.memory(0).values() for part in parts.values())


def scalar(value: float, **changes):
    parameter = nn.Parameter(torch.tensor([value]))
    return parameter, OPTIMIZERS["sgd"]([parameter], [trainer("sgd", momentum=0.9, nesterov=False, **changes)])


def test_one_member_alone_is_updated_as_among_others():
    members = [trainer("sgd", decoupled=True, weight_decay=0.1, clip_norm=1.0)] * 2
    both, one = stacked(2), [nn.Parameter(p.detach().chunk(2)[1].clone()) for p in stacked(2)]
    wide, narrow = OPTIMIZERS["sgd"](both, members), OPTIMIZERS["sgd"](one, members[:1])
    for seed in range(3):
        gradients = [p.detach() for p in stacked(2, seed=seed)]
        narrow.step([g.chunk(2)[1].clone() for g in gradients], torch.tensor([0.1]))
        wide.step([g.clone() for g in gradients], torch.tensor([0.2, 0.1]))
    for mine, other in zip(one, both, strict=True):
        torch.testing.assert_close(mine.detach(), other.detach().chunk(2)[1])


def test_decoupled_decay_stays_out_of_the_momentum():
    parameter, optimizer = scalar(2.0, decoupled=True, weight_decay=0.5)
    for expected in (2.0 * 0.95 - 0.1, (2.0 * 0.95 - 0.1) * 0.95 - 0.1 * 1.9):
        optimizer.step([torch.ones(1)], torch.tensor([0.1]))
        assert parameter.item() == pytest.approx(expected)


def test_coupled_decay_is_a_part_of_the_gradient():
    parameter, optimizer = scalar(2.0, decoupled=False, weight_decay=0.5)
    optimizer.step([torch.ones(1)], torch.tensor([0.1]))
    assert parameter.item() == pytest.approx(2.0 - 0.1 * (1 + 0.5 * 2))


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_parameters_without_gradient_stay(name):
    parameters = stacked(2)
    before = [parameter.detach().clone() for parameter in parameters]
    optimizer = OPTIMIZERS[name](parameters, [trainer(name, weight_decay=0.5)] * 2)
    optimizer.step([torch.ones_like(parameters[0]), None, None, None], torch.tensor([0.1, 0.1]))
    assert not torch.equal(before[0], parameters[0])
    assert all(torch.equal(b, p) for b, p in zip(before[1:], parameters[1:], strict=True))


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_no_number_reaches_another_member(name):
    parameters = stacked(2)
    optimizer = OPTIMIZERS[name](parameters, [trainer(name, clip_norm=1.0)] * 2)
    gradients = [torch.ones_like(parameter) for parameter in parameters]
    for gradient in gradients:
        gradient.chunk(2)[0].fill_(float("nan"))
    optimizer.step(gradients, torch.tensor([0.1, 0.1]))
    assert all(parameter.chunk(2)[0].isnan().all() for parameter in parameters)
    assert all(parameter.chunk(2)[1].isfinite().all() for parameter in parameters)


def test_the_trainer_names_exactly_these_optimizers():
    from evonas_cli.training.trainer import OPTIMIZERS as names

    assert set(names) == set(OPTIMIZERS)
