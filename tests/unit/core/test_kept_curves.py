"""Learning curves as a journal keeps them: thinned evenly, with their last row, without what is no number."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.cache import copy
from evonas_cli.core.curves import MOST, are_curves, recordable
from evonas_cli.core.errors import UsageError
from evonas_cli.core.front import evaluate
from evonas_cli.core.guard import guard
from evonas_cli.core.types import Candidate, Objective, Proposal, Result
from evonas_cli.spaces.bits import Bits
from evonas_cli.store.records import digest, entry, is_entry, result_of

CURVES = {"epoch": [1, 2], "train_loss": [2.5, 1.25], "valid_error": [None, 0.5]}


@given(st.integers(0, 1000))
def test_long_curves_are_thinned_evenly_and_keep_their_last_row(rows: int) -> None:
    kept = recordable({"epoch": list(range(1, rows + 1)), "loss": [0.5] * rows})
    epochs: Any = kept["epoch"]
    assert len(epochs) == len(kept["loss"]) <= MOST
    assert len({after - before for before, after in zip(epochs, epochs[1:], strict=False)}) <= 1
    assert epochs[-1:] == ([rows] if rows else [])
    assert recordable(kept) == kept
    if rows <= MOST:
        assert len(epochs) == rows
    else:
        assert len(epochs) > MOST // 2


def test_what_is_no_finite_number_is_none() -> None:
    given: Any = {"epoch": (1, 2, 3, 4), "loss": [np.float32(0.5), float("nan"), float("inf"), None]}
    assert recordable(given) == {"epoch": [1, 2, 3, 4], "loss": [0.5, None, None, None]}


@pytest.mark.parametrize(
    ("curves", "reason"),
    [
        ([1.0], "curves is a list, not a dictionary of columns by name"),
        ({"epoch": [1], "loss": [1.0, 2.0]}, "the columns of curves have different lengths: {'epoch': 1, 'loss': 2}"),
        ({"epoch": 3}, "column epoch of curves is a int, not a list of numbers"),
        ({"epoch": "12"}, "column epoch of curves is a str, not a list of numbers"),
        ({"epoch": [[1]]}, "column epoch of curves holds a list, which is no number"),
        ({1: [1]}, "curves has the name '1', which cannot be recorded"),
    ],
)
def test_what_is_no_curve_is_named(curves: Any, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        guard(Result(7, "ok", {"a": 1.0}, curves=curves), ["a"])
    assert str(refused.value) == f"the job's Result for candidate 7: {reason}"


def test_curves_go_from_the_job_to_the_journal_and_to_the_strategy() -> None:
    space, candidate = Bits(2), Candidate(3, 1, 0, Proposal((0, 1)))
    result = guard(Result(3, "ok", {"valid_error": 0.5}, curves=CURVES), ["valid_error"])
    written = json.loads(json.dumps(entry(candidate, result, space, 1.0)))
    assert is_entry(written) and written["curves"] == CURVES
    assert list(written)[-4:] == ["metrics", "curves", "seconds", "elapsed"]
    assert result_of(written).curves == CURVES
    assert evaluate(candidate, result_of(written), [Objective("valid_error", "min")]).curves == CURVES
    assert copy(result, 9, ()).curves == CURVES
    assert "curves" not in entry(candidate, Result(3, "ok", {"valid_error": 0.5}), space, 1.0)


def test_a_failed_candidate_keeps_its_curves() -> None:
    failed = guard(Result(3, "ok", {"valid_error": float("nan")}, curves=CURVES), ["valid_error"])
    assert (failed.status, failed.curves) == ("failed", CURVES)


def test_digests_do_not_know_curves() -> None:
    written = entry(Candidate(3, 1, 0, Proposal((0, 1))), Result(3, "ok", {"a": 0.5}, curves=CURVES), Bits(2), 1.0)
    without = {name: value for name, value in written.items() if name != "curves"}
    assert digest([written], [3], [3], ()) == digest([without], [3], [3], ())


@pytest.mark.parametrize("wrong", [[], {"a": 1}, {"a": [True, "x"]}, {"a": [1], "b": []}, {"a": [float("nan")]}])
def test_entries_with_other_curves_are_damaged(wrong: Any) -> None:
    given = entry(Candidate(3, 1, 0, Proposal((0, 1))), Result(3, "ok", {"a": 0.5}), Bits(2), 1.0)
    written = json.loads(json.dumps(given))
    assert is_entry(written) and are_curves(CURVES) and not is_entry({**written, "curves": wrong})
