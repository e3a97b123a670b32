"""What a search has seen: failures imputed, outliers fenced, and samples that are new."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.spaces.bits import Bits
from evonas_cli.surrogates.seen import Seen, Told, fenced, imputed, new_samples


def test_asks_are_told_in_order_and_forms_of_both_are_known() -> None:
    seen: Seen[str] = Seen()
    seen = seen.asking([Proposal("a"), Proposal("b")], str.upper).asking([Proposal("c")], str.upper)
    assert seen.asked == 3 and seen.forms == {"A", "B", "C"} and [one.genome for one in seen.waiting] == ["a", "b", "c"]
    seen = seen.telling([Evaluation(0, "a", (1.0,)), Evaluation(1, "b", None)])
    assert seen.told == (Told(0, "a", "A", (1.0,)), Told(1, "b", "B", None))
    assert [one.id for one in seen.able] == [0] and [one.genome for one in seen.waiting] == ["c"]
    assert seen.asked == 3 and seen.forms == {"A", "B", "C"}


def test_a_failure_counts_as_the_worst_of_each_objective() -> None:
    told = [Told(0, "a", "a", (1.0, 5.0)), Told(1, "b", "b", None), Told(2, "c", "c", (2.0, 3.0))]
    assert imputed(told) == [(1.0, 5.0), (2.0, 5.0), (2.0, 3.0)]


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30))
def test_a_fence_moves_bad_losses_alone_and_keeps_their_order(values: list[float]) -> None:
    losses = np.array(values)[:, None]
    found = fenced(losses)
    assert (found <= losses).all() and (
        found[losses <= np.quantile(losses, 0.75)] == losses[losses <= np.quantile(losses, 0.75)]
    ).all()
    order = np.argsort(values, kind="stable")
    assert (np.diff(found[order, 0]) >= 0).all()


def test_an_outlier_stands_at_the_fence() -> None:
    assert fenced(np.array([[0.0], [1.0], [2.0], [3.0], [90.0]])).tolist() == [[0.0], [1.0], [2.0], [3.0], [6.0]]


def test_samples_are_new_and_end_where_the_space_does() -> None:
    space, form = Bits(3), str
    known = {str((0, 0, 0)), str((1, 1, 1))}
    found = [proposal.genome for proposal in new_samples(space, 20, known, form, Random(0))]
    assert len(found) == len(set(found)) == 6 and not {str(genome) for genome in found} & known
    assert len(new_samples(space, 2, known, form, Random(0))) == 2
