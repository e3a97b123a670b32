"""Denoising diffusion (Ho, Jain and Abbeel, NeurIPS 2020): examples with noise, and samples from noise.

With alpha_t = 1 - beta_t, and A_t the product of alpha_1 to alpha_t:

    x_t = sqrt(A_t) x_0 + sqrt(1 - A_t) e,   e normal                                                    (eq. 4)

A sample begins with normal noise x_T and goes back step by step (algorithm 2). The noise that the network finds in x_t
gives an estimate of x_0, which is clipped to the range of the training part; x_{t-1} is then drawn from the normal
distribution of x_{t-1} given x_t and that x_0 (eq. 7), without noise in the last step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from evonas_cli.network.denoiser import Denoiser
from evonas_cli.network.noise import SCHEDULES, time_features
from evonas_cli.network.op import Shape

Network: TypeAlias = Callable[[Tensor], Tensor]
"""From noisy examples with time features, as `Process.read` gives them, to the noise in the shape of the examples."""


class Process:
    """The diffusion of a denoiser on examples of a shape, (F,) or (C, H, W), standardised; steps t count from 0.

    `low` and `high`, (F,) or (C,), are the least and the greatest value of each feature, or channel, of the training
    part.
    """

    def __init__(self, denoiser: Denoiser, shape: Shape, low: Tensor, high: Tensor) -> None:
        self.shape, self.steps, self._device = shape, denoiser.steps, low.device
        betas = torch.tensor(SCHEDULES[denoiser.schedule](self.steps), dtype=torch.float64)
        kept = torch.cumprod(1 - betas, 0)
        before = torch.cat([torch.ones(1, dtype=torch.float64), kept[:-1]])
        self._signal, self._noise = self._column(kept.sqrt()), self._column((1 - kept).sqrt())
        self._of_start = self._column(before.sqrt() * betas / (1 - kept))
        self._of_now = self._column((1 - betas).sqrt() * (1 - before) / (1 - kept))
        self._spread = self._column((betas * (1 - before) / (1 - kept)).sqrt())
        told = [time_features(step, self.steps, denoiser.features) for step in range(1, self.steps + 1)]
        self._times = torch.tensor(told, dtype=torch.float32, device=self._device)
        wide = (-1, *[1] * (len(shape) - 1))
        self._low, self._high = low.view(wide), high.view(wide)

    def noisy(self, x: Tensor, steps: Tensor, noise: Tensor) -> Tensor:
        """Examples (B, *shape) in the steps (B,), int64, with this noise in them."""
        return self._signal[steps] * x + self._noise[steps] * noise

    def read(self, x: Tensor, steps: Tensor) -> Tensor:
        """Noisy examples with the features of their steps behind their own: what the network reads."""
        told = self._times[steps]
        if len(self.shape) == 3:
            told = told[:, :, None, None].expand(-1, -1, *self.shape[1:])
        return torch.cat([x, told], 1)

    @torch.inference_mode()
    def samples(self, network: Network, count: int, generator: torch.Generator) -> Tensor:
        """Samples (count, *shape), standardised, by ancestral sampling; all noise comes from the generator."""
        x = self._normal(count, generator)
        for step in reversed(range(self.steps)):
            at = torch.full((count,), step, device=self._device)
            found = network(self.read(x, at))
            start = (x - self._noise[step] * found) / self._signal[step]
            start = torch.maximum(torch.minimum(start, self._high), self._low)
            x = self._of_start[step] * start + self._of_now[step] * x
            if step:
                x = x + self._spread[step] * self._normal(count, generator)
        return x

    def _normal(self, count: int, generator: torch.Generator) -> Tensor:
        return torch.randn(count, *self.shape, generator=generator, device=self._device)

    def _column(self, values: Tensor) -> Tensor:
        """A value for each step, (steps, 1, ...), float32 on the device."""
        return values.to(self._device, torch.float32).view(-1, *[1] * len(self.shape))
