"""Distances of samples from held-out data, beside sums over pairs one by one."""

from __future__ import annotations

from itertools import combinations
from math import dist, exp
from statistics import mean, median

import pytest
import torch

from evonas_cli.training.diffusion.distances import SCALES, Yardstick


def drawn(seed: int, count: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def test_they_are_the_published_sums_over_pairs() -> None:
    held, samples = drawn(0, 10), drawn(1, 7, shift=0.3)
    x, y = samples.tolist(), held.tolist()
    middle = median(dist(a, b) for a, b in combinations(y, 2))

    def kernel(a: list[float], b: list[float]) -> float:
        return mean(exp(-(dist(a, b) ** 2) / (2 * (scale * middle) ** 2)) for scale in SCALES)

    found = Yardstick(held).measured(samples)
    terms = [
        mean(one(a, b) for a, b in combinations(x, 2))
        + mean(one(a, b) for a, b in combinations(y, 2))
        - 2 * mean(one(a, b) for a in x for b in y)
        for one in (kernel, dist)
    ]
    assert found["mmd"] == pytest.approx(terms[0], abs=1e-6)
    assert found["energy_distance"] == pytest.approx(-terms[1], abs=1e-6)


def test_they_have_no_bias_and_grow_with_the_difference() -> None:
    same = [Yardstick(drawn(seed, 40)).measured(drawn(seed + 100, 30)) for seed in range(60)]
    for name in ("mmd", "energy_distance"):
        values = [one[name] for one in same]
        assert abs(mean(values)) < 3 * (mean(value**2 for value in values) / len(values)) ** 0.5
        assert min(values) < 0
        by_shift = [Yardstick(drawn(0, 200)).measured(drawn(1, 200, shift))[name] for shift in (0.0, 0.3, 1.0)]
        assert by_shift == sorted(by_shift) and by_shift[2] > 10 * abs(by_shift[0])


def test_equal_examples_have_no_scale() -> None:
    with pytest.raises(ValueError, match="there is no scale"):
        Yardstick(torch.ones(5, 2))
