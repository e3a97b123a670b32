"""The locus of a weight: its prior, steps in its own unit, and what is no weight."""

from __future__ import annotations

from random import Random
from statistics import fmean, pstdev

import pytest

from evonas_cli.core.capability import lack
from evonas_cli.genomes.choices import Locus
from evonas_cli.genomes.weights import Weight

WEIGHT = Weight("weight", 2.0)


def test_it_is_a_locus() -> None:
    assert lack(WEIGHT, Locus) is None and WEIGHT.grid is None


def test_the_prior_and_steps_are_normal() -> None:
    rng = Random(0)
    drawn = [float(WEIGHT.draw(rng)) for _ in range(4000)]
    assert abs(fmean(drawn)) < 0.15 and 1.9 < pstdev(drawn) < 2.1
    stepped = [float(WEIGHT.step(10.0, rng, 0.5)) for _ in range(4000)]
    assert abs(fmean(stepped) - 10) < 0.05 and 0.48 < pstdev(stepped) < 0.52
    assert WEIGHT.redraw(10.0, Random(1)) == WEIGHT.draw(Random(1))


def test_distance_and_blend() -> None:
    assert WEIGHT.distance(-3.0, 4.5) == WEIGHT.distance(4.5, -3.0) == 7.5
    assert WEIGHT.blend(1.0, 3.0, 0.25) == 1.5


@pytest.mark.parametrize("value", [None, "1", True, float("inf"), float("nan"), [1.0]])
def test_what_is_no_weight_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="weight is .*; it must be a finite number"):
        WEIGHT.check(value)  # type: ignore[arg-type]


def test_whole_numbers_are_weights() -> None:
    assert WEIGHT.check(3) == 3.0 and isinstance(WEIGHT.check(3), float)
