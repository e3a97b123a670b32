"""The table of Q-learning: updates by hand, greedy walks, links of anchors, and legal answers."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.genomes.walk import Decision, Program
from evonas_cli.spaces.chain_cnn import ChainCnn
from evonas_cli.spaces.chain_landscape import ChainLandscape
from evonas_cli.walks.table import Learner, Table

CHAIN = ChainLandscape(length=3, options=2)


class Banned:
    """Two decisions among three options, of which the second must not repeat the first."""

    kinds = {"letter": ("a", "b", "c")}

    def walk(self) -> Program[Any]:
        first = yield Decision("letter")
        second = yield Decision("letter", legal=tuple(other for other in range(3) if other != first))
        return first, second


def test_an_update_goes_from_the_last_transition_to_the_first() -> None:
    learner = Learner(space=CHAIN, learning_rate=0.5, initial=0.5)
    table: Table = {}
    learner.update(table, (0, 1, 0), 1.0)
    assert table == {
        (2, "decision_2", (1,)): (0.75, 0.5),
        (1, "decision_1", (0,)): (0.5, 0.625),
        (0, "decision_0", ()): (0.5625, 0.5),
    }
    learner.update(table, (0, 1, 1), 0.0)
    assert table[2, "decision_2", (1,)] == (0.75, 0.25)
    assert table[1, "decision_1", (0,)] == (0.5, 0.5 * 0.625 + 0.5 * 0.75), "the best answer counts, not the one taken"


def test_a_discount_belongs_to_each_transition_but_the_last() -> None:
    table: Table = {}
    Learner(space=CHAIN, learning_rate=1.0, discount=0.5, initial=0.0).update(table, (1, 1, 1), 1.0)
    assert [values[1] for values in table.values()] == [1.0, 0.5, 0.25]


@pytest.mark.parametrize(("history", "known"), [(0, 1), (1, 1), (2, 0)])
def test_states_hold_so_many_last_answers(history: int, known: int) -> None:
    table: Table = {}
    learner = Learner(space=CHAIN, history=history)
    learner.update(table, (0, 1, 0), 1.0)
    shared = [step.state in table for step in learner.trajectory((1, 1, 1))]
    assert shared == [True, history == 0, bool(known)]


def test_greedy_walks_take_the_best_and_break_ties_at_random() -> None:
    learner, table = Learner(space=CHAIN, learning_rate=1.0), Table()
    learner.update(table, (1, 0, 1), 1.0)
    assert {learner.walk(table, 0.0, Random(seed))[1] for seed in range(20)} == {(1, 0, 1)}
    learner.update(table, (1, 0, 0), 1.0)
    assert {learner.walk(table, 0.0, Random(seed))[1] for seed in range(20)} == {(1, 0, 1), (1, 0, 0)}
    assert len({learner.walk(table, 1.0, Random(seed))[1] for seed in range(60)}) == 8


def test_only_legal_answers_are_taken_and_count_as_best() -> None:
    learner, table = Learner(space=Banned(), learning_rate=1.0, history=0), Table()
    learner.update(table, (0, 1), 1.0)
    learner.update(table, (1, 2), 0.0)
    assert table[1, "letter", ()] == (0.5, 1.0, 0.0)
    assert table[0, "letter", ()] == (1.0, 0.5, 0.5), "after 1, the value 1.0 of answering 1 again is not legal"
    for seed in range(20):
        first, second = learner.walk(table, 0.3, Random(seed))[1]
        assert first != second


@given(seed=st.integers(0, 10_000), epsilon=st.sampled_from([0.0, 0.5, 1.0]))
def test_links_of_anchors_are_steps_and_the_trace_leads_back(seed: int, epsilon: float) -> None:
    space = ChainCnn(layers=4)
    learner, table = Learner(space=space, learning_rate=0.5), Table()
    for _ in range(4):
        genome, trace = learner.walk(table, epsilon, Random(seed))
        steps = learner.trajectory(trace)
        assert len(steps) == 4 * 3 + (0 + 1 + 2 + 3)
        assert [step.state[0] for step in steps] == list(range(len(steps)))
        assert all(step.answer in step.legal for step in steps)
        assert sum(len(layer.inputs) for layer in genome) == sum(
            step.answer for step in steps if step.state[1] == "anchor"
        )
        learner.update(table, trace, 0.9)


@given(rewards=st.lists(st.floats(0, 1), min_size=1, max_size=20), seed=st.integers(0, 100))
def test_values_stay_between_the_initial_value_and_the_rewards(rewards: list[float], seed: int) -> None:
    learner, table, rng = Learner(space=CHAIN, learning_rate=0.3), Table(), Random(seed)
    for reward in rewards:
        learner.update(table, learner.walk(table, 0.5, rng)[1], reward)
    values = [value for row in table.values() for value in row]
    assert min(0.5, *rewards) - 1e-12 <= min(values) and max(values) <= max(0.5, *rewards) + 1e-12
