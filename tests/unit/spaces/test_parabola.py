"""The parabola: its top, its ends, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.capabilities import Linear, Measured, Mutable, Scored
from evonas_cli.spaces.parabola import Parabola


def test_capabilities() -> None:
    assert all(isinstance(Parabola(), capability) for capability in (Linear, Scored, Mutable, Measured))


def test_the_top_is_at_the_optimum_and_the_farther_end_has_nothing() -> None:
    space = Parabola(low=-20, high=20, optimum=5)
    assert space.score((5.0,)) == 1
    assert space.score((-20.0,)) == 0
    assert space.score((20.0,)) == pytest.approx(1 - (15 / 25) ** 2)


@given(st.floats(0, 15))
def test_it_falls_alike_on_both_sides(apart: float) -> None:
    space = Parabola()
    assert space.score((5 - apart,)) == pytest.approx(space.score((5 + apart,)))
    assert space.score((5 + apart,)) <= space.score((5 + apart / 2,))


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ({"low": 3, "high": 1}, "the lower end 3 is above"),
        ({"low": 5, "high": 5}, "space.low must be below space.high"),
        ({"optimum": 21}, r"x is 21; it must be a number in \[-20.0, 20.0\]"),
        ({"high": float("inf")}, "no finite number"),
        ({"low": "0"}, "no finite number"),
    ],
)
def test_settings_that_are_refused(refused: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Parabola(**refused)
