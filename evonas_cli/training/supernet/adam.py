"""Adam (Kingma and Ba, ICLR 2015) for the few numbers that say which operations count; decay is L2, as in DARTS."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

EPSILON = 1e-8


class Adam:
    """Updates tensors in place; moments are corrected for their start at 0."""

    def __init__(self, values: Sequence[Tensor], rate: float, betas: tuple[float, float], decay: float) -> None:
        self._values, self._rate, self._betas, self._decay = list(values), rate, betas, decay
        self._first = [torch.zeros_like(value) for value in values]
        self._second = [torch.zeros_like(value) for value in values]
        self._steps = torch.zeros(1)

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        """One update."""
        self._steps += 1
        steps, (beta1, beta2) = float(self._steps), self._betas
        for value, m, v, gradient in zip(self._values, self._first, self._second, gradients, strict=True):
            g = gradient + self._decay * value
            m.lerp_(g, 1 - beta1)
            v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
            root = (v / (1 - beta2**steps)).sqrt().add_(EPSILON)
            value.addcdiv_(m / (1 - beta1**steps), root, value=-self._rate)

    def tensors(self) -> list[Tensor]:
        """Moments and the number of steps."""
        return [*self._first, *self._second, self._steps]
