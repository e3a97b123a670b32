"""The process puts in as much noise as the schedule says, and who knows the noise comes back to the example."""

from __future__ import annotations

from math import prod
from random import Random

import pytest
import torch
from torch import Tensor

from evonas_cli.network.denoiser import Denoiser
from evonas_cli.network.noise import SCHEDULES
from evonas_cli.network.op import Shape
from evonas_cli.spaces.denoiser import Denoisers
from evonas_cli.training.diffusion.process import Process

ENDS = torch.full((2,), -9.0), torch.full((2,), 9.0)


def denoiser(shape: Shape, schedule: str, steps: int) -> Denoiser:
    space = Denoisers(widths=[8], depths=[1], schedules=[schedule], steps=[steps], features=[4])
    return space.decode_denoiser(space.sample(Random(0)), shape)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("shape", "steps"), [((2,), 1), ((2,), 20), ((2, 3, 4), 7)])
def test_who_knows_the_noise_samples_the_example(schedule: str, shape: Shape, steps: int) -> None:
    process = Process(denoiser(shape, schedule, steps), shape, *ENDS)
    example = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    kept = [prod(1 - beta for beta in SCHEDULES[schedule](steps)[: at + 1]) for at in range(steps)]
    left = iter(reversed(kept))

    def oracle(read: Tensor) -> Tensor:
        share = next(left)
        assert read.shape[1] == shape[0] + 4
        noise: Tensor = (read[:, : shape[0]] - share**0.5 * example) / (1 - share) ** 0.5
        return noise

    found = process.samples(oracle, 5, torch.Generator().manual_seed(2))
    torch.testing.assert_close(found, example.expand(5, *shape), atol=1e-3, rtol=0)


def test_samples_stay_within_the_range_and_follow_the_generator() -> None:
    ends = torch.tensor([-0.5, -0.25]), torch.tensor([0.5, 0.25])
    process = Process(denoiser((2,), "cosine", 10), (2,), *ends)
    first, second, other = (
        process.samples(lambda read: read[:, :2], 50, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)
    )
    assert torch.equal(first, second) and not torch.equal(first, other)
    assert bool((first >= ends[0]).all() and (first <= ends[1]).all())


def test_noisy_examples_have_the_variance_of_the_schedule() -> None:
    process = Process(denoiser((2,), "linear", 20), (2,), *ENDS)
    generator = torch.Generator().manual_seed(0)
    x, noise = (torch.randn(40_000, 2, generator=generator) for _ in range(2))
    for step in (0, 9, 19):
        noisy = process.noisy(x, torch.full((40_000,), step), noise)
        assert float(noisy.var()) == pytest.approx(1, abs=0.03)
