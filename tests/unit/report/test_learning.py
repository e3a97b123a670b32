"""Learning curves of a journal's entries, as evonas writes them and as anything else may be."""

from __future__ import annotations

import pytest

from evonas_cli.cli.sparkline import BLOCKS, sparkline
from evonas_cli.report.learning import curves_of

CURVES = {"epoch": [1, 2, 3], "train_loss": [2.0, 1.5, None], "valid_error": [0.9, None, 0.5]}


def test_curves_by_name() -> None:
    found = curves_of({"curves": CURVES})
    assert list(found) == ["train_loss", "valid_error"]
    assert found["valid_error"].known() == [(1.0, 0.9), (3.0, 0.5)]


@pytest.mark.parametrize(
    "wrong",
    [None, 3, [], {}, {"train_loss": [1.0]}, {"epoch": [None], "a": [1]}, {"epoch": 3, "a": [1]}],
    ids=str,
)
def test_an_entry_without_curves_has_none(wrong: object) -> None:
    assert curves_of({}) == {} and curves_of({"curves": wrong}) == {}


@pytest.mark.parametrize("wrong", [[1.0], "abc", [1, 2, "x"], [1, 2, float("inf")], None], ids=str)
def test_a_curve_that_is_none_is_left_out(wrong: object) -> None:
    assert list(curves_of({"curves": {**CURVES, "odd": wrong}})) == ["train_loss", "valid_error"]


def test_blocks_grow_with_values() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == BLOCKS
    assert sparkline([3.0, None, 1.0]) == "█ ▁" and sparkline([5.0, 5.0]) == "▁▁"
    assert sparkline([]) == "" and sparkline([None]) == ""
    assert sparkline([-1.7e308, 1.7e308]) == "▁█"
    long = sparkline(range(1000), 10)
    assert len(long) == 10 and long[0] == "▁" and long[-1] == "█"
