"""Noise schedules of diffusion, and the numbers by which a network is told the time; without torch.

In step t of T, counted from 1, the forward process keeps the share 1 - beta_t of an example's variance and puts normal
noise in the place of the rest (Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models", NeurIPS 2020, eq. 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import cos, pi, sin

MOST = 0.999
"""The largest beta (Nichol and Dhariwal, 2021, section 3.2)."""
REFERENCE = 1000
"""Steps for which Ho et al. give their betas."""
OFFSET = 0.008
"""s of the cosine schedule."""
PERIOD = 10_000


def linear(steps: int) -> tuple[float, ...]:
    """Betas in equal steps from 1e-4 to 0.02 for 1,000 steps (Ho et al., section 4), else 1000 / T times these, so that
    as little is left of the example at the end."""
    scale = REFERENCE / steps
    low, high = 1e-4 * scale, 0.02 * scale
    return tuple([min(MOST, low + (high - low) * (at / (steps - 1) if steps > 1 else 1.0)) for at in range(steps)])


def cosine(steps: int) -> tuple[float, ...]:
    """Betas by which after step t the share cos^2((t/T + s) / (1 + s) pi/2) of the variance is the example's, but for a
    constant factor (Nichol and Dhariwal, "Improved Denoising Diffusion Probabilistic Models", ICML 2021, eq. 17)."""

    def left(at: int) -> float:
        return cos((at / steps + OFFSET) / (1 + OFFSET) * pi / 2) ** 2

    return tuple([min(MOST, 1 - left(at + 1) / left(at)) for at in range(steps)])


SCHEDULES: Mapping[str, Callable[[int], tuple[float, ...]]] = {"linear": linear, "cosine": cosine}
"""From the number of steps to the betas, each in (0, MOST]."""


def time_features(step: int, steps: int, count: int) -> tuple[float, ...]:
    """What a network reads of step t of T: t / T for one number; for an even number of them the sines and cosines of
    Vaswani et al. (2017, section 3.5) at the position 1000 t / T, whatever T is.

    Raises ValueError for another number.
    """
    check_features(count)
    if count == 1:
        return (step / steps,)
    half = count // 2
    angles = [REFERENCE * step / steps * PERIOD ** (-place / half) for place in range(half)]
    return tuple([function(angle) for function in (sin, cos) for angle in angles])


def check_features(count: int) -> None:
    """Raises ValueError for a number of time features that is neither 1 nor even and above 0."""
    if type(count) is not int or count < 1 or (count > 1 and count % 2):
        raise ValueError(f"time features must be 1 or an even number above 0; they are {count!r}")
