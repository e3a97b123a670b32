"""What is remembered of behaviours, what it is worth under each pressure, and how it is weighed with fitness."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Descriptor, Evaluation
from evonas_cli.evolution import pressure
from evonas_cli.evolution.behaviour import Behaviours, Trace, cell_of, remembered
from evonas_cli.evolution.curiosity import curiosity
from evonas_cli.evolution.pressure import PressureSettings, WeighedPressure, judged, losses, objectives, standardised


def told(first: int, *descriptors: Descriptor | None, parents: Sequence[int] = ()) -> list[Evaluation[str]]:
    """Evaluations with ids from `first`; None is a failure."""
    return [
        Evaluation(id, "", None if point is None else (1.0,), descriptor=point or (), parents=tuple(parents))
        for id, point in enumerate(descriptors, first)
    ]


def test_only_successes_are_remembered_with_their_first_parent_and_cells_are_counted() -> None:
    state = remembered(Behaviours(), told(0, (0.2, 0.9), None, (-0.1, 0.0), (0.3, 0.1)), 1.0)
    state = remembered(state, told(4, (0.5, 0.5), (7.0, 7.0), parents=(2, 0)), 1.0)
    assert dict(state.traces) == {
        0: Trace((0.2, 0.9), None), 2: Trace((-0.1, 0.0), None), 3: Trace((0.3, 0.1), None),
        4: Trace((0.5, 0.5), 2), 5: Trace((7.0, 7.0), 2),
    }  # fmt: skip
    assert dict(state.cells) == {(0, 0): 0, (-1, 0): 2, (7, 7): 5} and state.n_cells == 3
    assert cell_of((4.1, -4.1), 2.0) == (2, -3)


def test_a_descriptor_that_is_missing_or_of_another_length_is_refused() -> None:
    state = remembered(Behaviours(), told(0, (1.0, 2.0)), 1.0)
    with pytest.raises(UsageError, match=r"^candidate 1 has a behaviour descriptor of 1 numbers instead of 2; "):
        remembered(state, told(1, (1.0,)), 1.0)
    with pytest.raises(UsageError, match=r"^candidate 0 has a behaviour descriptor of 0 numbers instead of some; "):
        remembered(Behaviours(), told(0, ()), 1.0)


def test_curiosity_counts_visits_along_the_line_of_descent() -> None:
    traces = {
        0: Trace((0.1,), None), 1: Trace((5.0,), 0), 2: Trace((0.9,), 1), 3: Trace((0.5,), 2), 4: Trace((0.5,), 99),
    }  # fmt: skip
    assert [curiosity(id, traces, 1.0) for id in traces] == pytest.approx([1.0, 1.0, 2**-0.5, 3**-0.5, 1.0])
    assert curiosity(2, traces, 10.0) == pytest.approx(3**-0.5)


def test_fitness_leaves_everything_as_it_is() -> None:
    settings, own = WeighedPressure(), {3: 0.5, 1: -2.0}
    assert judged(settings, Behaviours(), told(0, None), own, Random(0)) == Behaviours()
    assert losses(settings, Behaviours(), own) == own
    assert objectives(settings, Behaviours(), {3: (0.5, 1.0)}) == {3: (0.5, 1.0)}
    assert pressure.figures(settings, Behaviours()) == {}


def test_novelty_is_judged_among_the_living_and_the_archive() -> None:
    settings = PressureSettings(
        pressure="novelty", novelty_neighbours=1, novelty_entry="threshold", novelty_threshold=3.0
    )
    state = judged(settings, Behaviours(), told(0, (0.0,), (1.0,), (9.0,)), [0, 1, 2], Random(0))
    assert state.bonus == {0: 1.0, 1: 1.0, 2: 8.0} and [point.id for point in state.archive] == [2]
    state = judged(settings, state, told(3, (9.5,), (4.0,)), [0, 4, 0], Random(0))
    assert state.bonus == {0: 4.0, 4: 4.0}, "2 and 3 do not live, but 2 is in the archive"
    assert [point.id for point in state.archive] == [2, 4]
    assert pressure.figures(settings, state) == {"coverage": 4, "mean_novelty": 4.0, "archive": 2}


def test_surprise_waits_for_two_generations() -> None:
    settings = PressureSettings(pressure="surprise", surprise_clusters=1)
    state = Behaviours()
    for first, middle in ((0, 0.0), (2, 3.0), (4, 6.0)):
        state = judged(settings, state, told(first, (middle - 1,), (middle + 1,)), [first, first + 1], Random(0))
    assert state.bonus == {4: 1.0, 5: 1.0} and state.centres == (((3.0,),), ((6.0,),))
    state = judged(settings, state, told(6, (9.0,), (2.0,)), [6, 7], Random(0))
    assert state.bonus == {6: 0.0, 7: 7.0}
    assert pressure.figures(settings, state) == {"coverage": 7, "mean_surprise": 3.5}


def test_curiosity_keeps_the_bonus_of_the_living() -> None:
    settings = PressureSettings(pressure="curiosity")
    state = judged(settings, Behaviours(), told(0, (0.0,)), [0], Random(0))
    state = judged(settings, state, told(1, (0.5,), (3.0,), parents=(0,)), [0, 1, 2], Random(0))
    assert state.bonus == pytest.approx({0: 1.0, 1: 2**-0.5, 2: 1.0})


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 9)), min_size=1, max_size=9), st.floats(0, 1))
def test_losses_weigh_fitness_and_bonus_in_standard_deviations(pairs: list[tuple[int, int]], rho: float) -> None:
    own = {id: float(loss) for id, (loss, _) in enumerate(pairs)}
    state = Behaviours(bonus={id: float(bonus) for id, (_, bonus) in enumerate(pairs)})
    found = losses(WeighedPressure(pressure="novelty", rho=rho), state, own)
    assert list(found) == list(own) and abs(fmean(found.values())) < 1e-9
    for better, worse in ((a, b) for a in own for b in own):
        if own[better] <= own[worse] and state.bonus[better] >= state.bonus[worse]:
            assert found[better] <= found[worse] + 1e-9
    alone = losses(WeighedPressure(pressure="novelty"), state, own)
    assert sorted(own, key=lambda id: (alone[id], id)) == sorted(own, key=lambda id: (-state.bonus[id], id))


def test_the_bonus_is_the_last_of_several_objectives() -> None:
    state = Behaviours(bonus={1: 0.5, 2: 3.0, 3: 9.0})
    found = objectives(PressureSettings(pressure="curiosity"), state, {2: (0.1, 7.0), 1: (0.2, 6.0)})
    assert found == {2: (0.1, 7.0, -3.0), 1: (0.2, 6.0, -0.5)}


@given(st.lists(st.integers(-1000, 1000).map(float), max_size=20))
def test_standardised_values_have_mean_0_and_deviation_1(values: list[float]) -> None:
    found = standardised(values)
    assert len(found) == len(values)
    if len(set(values)) > 1:
        assert fmean(found) == pytest.approx(0, abs=1e-9) and pstdev(found) == pytest.approx(1)
    else:
        assert not any(found)


def test_what_is_out_of_range_is_refused() -> None:
    refusals = [
        ({"pressure": "boredom"}, "pressure must be one of fitness, novelty, surprise, curiosity; it is 'boredom'"),
        ({"novelty_neighbours": 0}, "novelty_neighbours must be a whole number of at least 1"),
        ({"novelty_entry": "first"}, "novelty_entry must be one of random, threshold, best"),
        ({"novelty_share": 1.1}, r"novelty_share must be a number in \[0, 1\]"),
        ({"behaviour_cell": 0}, "behaviour_cell must be a number in"),
        (
            {"pressure": "novelty", "novelty_neighbours": 20, "novelty_capacity": 0},
            "novelty_neighbours=20 exceeds the 19 others of a population and novelty_capacity=0",
        ),
        ({"pressure": "surprise", "surprise_clusters": 21}, "surprise_clusters=21 exceeds population_size=20"),
    ]
    for settings, line in refusals:
        with pytest.raises(UsageError, match=f"^strategy.{line}"):
            pressure.check(PressureSettings(**settings), 20)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"^strategy.rho must be a number in \[0, 1\]"):
        pressure.check(WeighedPressure(rho=1.5), 20)
    with pytest.raises(UsageError, match=r"^strategy.surprise_clusters=10 exceeds the 9 networks of a step"):
        pressure.check(PressureSettings(pressure="surprise"), 9, "the {} networks of a step")
    pressure.check(PressureSettings(pressure="novelty", novelty_neighbours=20, novelty_capacity=1), 20)
    pressure.check(PressureSettings(novelty_neighbours=20, novelty_capacity=0, surprise_clusters=99), 20)
