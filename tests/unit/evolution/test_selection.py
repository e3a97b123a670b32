"""Selection operators against their formulas, by chi-square over 1e4 draws of a fixed stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import MutableSequence, Sequence
from functools import partial
from math import ceil, exp, floor, sqrt
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.rng import stream
from evonas_cli.evolution import selection
from evonas_cli.evolution.selection import OPERATORS, SCALINGS, Selection, Settings

LOSSES = [0.5, -0.2, 3.0, 0.1, 1.4, 0.9, -1.0, 2.2, 0.7, 0.4]
M = len(LOSSES)
RANKS = [sum(other > loss for other in LOSSES) for loss in LOSSES]  # 0 = worst
DRAWS = 10_000


def chi_square(counts: Counter[int], probabilities: Sequence[float]) -> float:
    assert not any(counts[i] for i, p in enumerate(probabilities) if p == 0)
    n = sum(counts.values())
    return sum((counts[i] - n * p) ** 2 / (n * p) for i, p in enumerate(probabilities) if p > 0)


def critical(probabilities: Sequence[float]) -> float:
    """Chi-square quantile by Wilson and Hilferty (1931) at z = 4: exceeded by chance in one stream of 30,000."""
    df = sum(p > 0 for p in probabilities) - 1
    return df * (1 - 2 / (9 * df) + 4 * sqrt(2 / (9 * df))) ** 3


def normalised(weights: Sequence[float]) -> list[float]:
    return [weight / sum(weights) for weight in weights]


def standard_scores() -> list[float]:
    mean = sum(LOSSES) / M
    deviation = sqrt(sum((loss - mean) ** 2 for loss in LOSSES) / M)
    return [(mean - loss) / deviation for loss in LOSSES]


def tournament_law(k: int) -> list[float]:
    return [((rank + 1) / M) ** k - (rank / M) ** k for rank in RANKS]


ROULETTE = {
    "window": normalised([3.0 - loss for loss in LOSSES]),
    "softmax": normalised([exp(z) for z in standard_scores()]),
    "sigma": normalised([max(0.1, 1 + z / 2) for z in standard_scores()]),
}
RANKING = {s: [(2 - s) / M + 2 * i * (s - 1) / (M * (M - 1)) for i in RANKS] for s in (1.2, 1.5, 2.0)}
CASES: list[tuple[str, Selection, list[float]]] = [
    *[(f"tournament {k}", partial(selection.tournament, size=k), tournament_law(k)) for k in (1, 2, 3, 7)],
    *[(f"ranking {s}", partial(selection.ranking, pressure=s), law) for s, law in RANKING.items()],
    *[(f"roulette {name}", partial(selection.roulette, scaling=name), law) for name, law in ROULETTE.items()],
    ("truncation", partial(selection.truncation, fraction=0.5), [0.2 if rank >= 5 else 0.0 for rank in RANKS]),
]


@pytest.mark.parametrize(("name", "operator", "law"), CASES, ids=[case[0] for case in CASES])
def test_frequencies_match_the_formula(name: str, operator: Selection, law: list[float]) -> None:
    counts = Counter(operator(LOSSES, DRAWS, stream(0, name)))
    assert sum(law) == pytest.approx(1)
    assert sum(counts.values()) == DRAWS
    assert chi_square(counts, law) < critical(law)


def test_the_chi_square_tells_neighbouring_formulas_apart() -> None:
    counts = Counter(selection.ranking(LOSSES, DRAWS, stream(0, "power"), pressure=1.5))
    law = RANKING[1.2]
    assert chi_square(counts, law) > critical(law)


@pytest.mark.parametrize("k", [1, 2, 3, 10])
def test_the_best_wins_a_tournament_as_often_as_it_is_drawn(k: int) -> None:
    wins = Counter(selection.tournament(LOSSES, DRAWS, stream(1, "best", k), size=k))[LOSSES.index(-1.0)]
    p = 1 - (1 - 1 / M) ** k
    assert abs(wins - DRAWS * p) < 4 * sqrt(DRAWS * p * (1 - p))


def test_tournament_of_everyone_without_replacement_always_finds_the_best() -> None:
    assert set(selection.tournament(LOSSES, 50, Random(0), size=M, replacement=False)) == {LOSSES.index(-1.0)}
    law = [rank / (M * (M - 1) / 2) for rank in RANKS]  # size 2: beaten are the `rank` worse ones
    counts = Counter(selection.tournament(LOSSES, DRAWS, stream(2, "pairs"), size=2, replacement=False))
    assert chi_square(counts, law) < critical(law)


def test_the_best_of_a_linear_ranking_has_pressure_expected_copies() -> None:
    for pressure, law in RANKING.items():
        assert max(law) * M == pytest.approx(pressure)
        assert min(law) * M == pytest.approx(2 - pressure)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_universal_sampling_follows_the_roulette_law_within_one_copy(scaling: str) -> None:
    expected = [37 * p for p in ROULETTE[scaling]]
    sums: Counter[int] = Counter()
    for draw in range(300):
        counts = Counter(selection.stochastic_universal(LOSSES, 37, stream(3, "sus", draw), scaling=scaling))
        assert all(floor(e - 1e-9) <= counts[i] <= ceil(e + 1e-9) for i, e in enumerate(expected))
        sums.update(counts)
    assert [sums[i] / 300 for i in range(M)] == pytest.approx(expected, abs=4 * 0.5 / sqrt(300))


@given(
    st.lists(st.floats(-100, 100), min_size=1, max_size=20),
    st.integers(0, 30),
    st.integers(),
    st.sampled_from([*SCALINGS]),
)
def test_universal_sampling_stays_within_one_copy_for_any_losses(
    losses: list[float], n: int, seed: int, scaling: str
) -> None:
    weights = SCALINGS[scaling](losses)
    law = normalised(weights if sum(weights) > 0 else [1.0] * len(losses))
    counts = Counter(selection.stochastic_universal(losses, n, Random(seed), scaling=scaling))
    assert sum(counts.values()) == n
    assert all(floor(n * p - 1e-6) <= counts[i] <= ceil(n * p + 1e-6) for i, p in enumerate(law))


class NearOne(Random):
    """Draws the largest number below 1, which rounds the last pointer up to the end of the wheel."""

    def random(self) -> float:
        return 1 - 2**-53

    def shuffle(self, x: MutableSequence[Any]) -> None:
        """Leaves the order: with one value only, the real one never ends."""


def test_the_last_pointer_of_universal_sampling_stays_on_the_wheel() -> None:
    chosen = selection.stochastic_universal([1.0, 0.0, 2.0], 3, NearOne(0), scaling="window")
    assert set(chosen) <= {0, 1}  # 2 is the worst and has no share


def test_universal_sampling_comes_in_random_order() -> None:
    orders = {tuple(selection.stochastic_universal([0.0] * 6, 6, Random(seed), scaling="window")) for seed in range(20)}
    assert len(orders) > 10
    assert {tuple(sorted(order)) for order in orders} == {(0, 1, 2, 3, 4, 5)}


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("name", OPERATORS)
def test_equal_losses_have_equal_chances_wherever_they_stand(name: str, scaling: str) -> None:
    operator = OPERATORS[name](Settings(scaling=scaling))
    picks = Counter(operator([7.0] * 6, 1, stream(4, name, draw))[0] for draw in range(6_000))
    assert chi_square(picks, [1 / 6] * 6) < critical([1 / 6] * 6)


@pytest.mark.parametrize("name", OPERATORS)
def test_ties_for_the_best_are_broken_by_the_stream(name: str) -> None:
    operator = OPERATORS[name](Settings(truncation_fraction=0.25))
    picks = Counter(operator([5.0, 1.0, 5.0, 1.0], 1, stream(5, name, draw))[0] for draw in range(4_000))
    n_best = picks[1] + picks[3]
    assert n_best > 2_200
    assert abs(picks[1] - n_best / 2) < 4 * sqrt(n_best / 4)


@pytest.mark.parametrize("name", OPERATORS)
def test_table_binds_every_operator_to_its_own_setting(name: str) -> None:
    settings = Settings(7, replacement=False, truncation_fraction=0.3, ranking_pressure=2.0, scaling="softmax")
    direct: dict[str, Selection] = {
        "tournament": partial(selection.tournament, size=7, replacement=False),
        "truncation": partial(selection.truncation, fraction=0.3),
        "ranking": partial(selection.ranking, pressure=2.0),
        "roulette": partial(selection.roulette, scaling="softmax"),
        "sus": partial(selection.stochastic_universal, scaling="softmax"),
    }
    assert OPERATORS[name](settings)(LOSSES, 40, Random(9)) == direct[name](LOSSES, 40, Random(9))
    assert OPERATORS[name](settings)(LOSSES, 40, Random(9)) != OPERATORS[name](settings)(LOSSES, 40, Random(8))


@pytest.mark.parametrize("name", OPERATORS)
def test_one_individual_is_always_chosen(name: str) -> None:
    assert OPERATORS[name](Settings())([3.0], 5, Random(0)) == [0] * 5


@pytest.mark.parametrize(
    ("fraction", "m", "kept"), [(0.5, 5, 2), (0.3, 10, 3), (0.29, 100, 29), (0.01, 5, 1), (1, 4, 4)]
)
def test_truncation_keeps_the_floor_of_the_share(fraction: float, m: int, kept: int) -> None:
    losses = [float(i) for i in range(m)]
    assert set(selection.truncation(losses, 2_000, Random(0), fraction=fraction)) == set(range(kept))


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("losses", [[], [1.0, float("nan")], [1.0, float("inf")]])
def test_nobody_and_losses_that_are_not_finite_are_refused(name: str, losses: list[float]) -> None:
    with pytest.raises(ValueError, match="losses is empty|not finite"):
        OPERATORS[name](Settings())(losses, 1, Random(0))


def test_parameters_out_of_range_are_refused() -> None:
    rng = Random(0)
    with pytest.raises(ValueError, match="tournament size is 0"):
        selection.tournament(LOSSES, 1, rng, size=0)
    with pytest.raises(ValueError, match="tournament size is 11"):
        selection.tournament(LOSSES, 1, rng, size=11, replacement=False)
    for fraction in (0.0, 1.01, float("nan")):
        with pytest.raises(ValueError, match="truncation fraction"):
            selection.truncation(LOSSES, 1, rng, fraction=fraction)
    for pressure in (1.0, 2.01):
        with pytest.raises(ValueError, match="ranking pressure"):
            selection.ranking(LOSSES, 1, rng, pressure=pressure)
    for operator in (selection.roulette, selection.stochastic_universal):
        with pytest.raises(ValueError, match="window, softmax, sigma"):
            operator(LOSSES, 1, rng, scaling="none")


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(2, 5), st.integers())
def test_groups_hold_nobody_twice(selected: list[int], size: int, seed: int) -> None:
    identities = [0, 1, 2, 3, 3, 4]  # 3 and 4 are the same
    groups = selection.groups(selected, identities, size, Random(seed))
    n_identities = len({identities[index] for index in selected})
    assert [group[0] for group in groups] == selected[::size]
    for start, group in zip(range(0, len(selected), size), groups, strict=True):
        drawn = selected[start : start + size]
        assert len({identities[index] for index in group}) == len(group) == min(len(drawn), n_identities)
        assert set(group) <= set(selected)
        if len({identities[index] for index in drawn}) == len(drawn):
            assert group == drawn


def test_groups_replace_from_all_that_was_selected() -> None:
    mates = Counter(selection.groups([0, 0, 1, 2, 2, 2], range(3), 2, Random(seed))[0][1] for seed in range(4_000))
    assert abs(mates[2] - 3_000) < 5 * sqrt(4_000 * 3 / 16)
    assert mates[1] + mates[2] == 4_000


def test_exploit_moves_the_worst_to_the_best() -> None:
    losses = [0.5, 0.1, 0.9, 0.2, 0.8, 0.3, 0.4, 0.6, 0.7, 1.0]
    moves = [selection.exploit(losses, Random(seed), fraction=0.2) for seed in range(2_000)]
    for sources in moves:
        assert [i for i, source in enumerate(sources) if source != i] == [2, 9]
    copied = Counter(source for sources in moves for source in (sources[2], sources[9]))
    assert set(copied) == {1, 3}
    assert abs(copied[1] - 2_000) < 5 * sqrt(1_000)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9), st.integers(1, 9), st.integers(), st.booleans())
def test_a_winner_is_the_first_of_the_best_of_what_python_draws(
    losses: list[int], size: int, seed: int, replacement: bool
) -> None:
    members = list(enumerate(losses))
    size = size if replacement else min(size, len(losses))
    theirs, ours = Random(seed), Random(seed)
    drawn = theirs.choices(members, k=size) if replacement else theirs.sample(members, size)
    best = min(loss for _, loss in drawn)
    won = selection.winner(members, lambda member: member[1], ours, size=size, replacement=replacement)
    assert won == next(member for member in drawn if member[1] == best)
    assert ours.getstate() == theirs.getstate()


@given(
    st.lists(st.none() | st.integers(0, 3), min_size=2, max_size=12), st.sampled_from([0.01, 0.2, 0.5]), st.integers()
)
def test_exploit_leaves_no_failed_one_and_moves_at_least_one(
    values: list[int | None], fraction: float, seed: int
) -> None:
    losses = [None if value is None else float(value) for value in values]
    if all(loss is None for loss in losses):
        with pytest.raises(ValueError, match="losses is empty"):
            selection.exploit(losses, Random(seed), fraction=fraction)
        return
    sources = selection.exploit(losses, Random(seed), fraction=fraction)
    moved = [index for index, source in enumerate(sources) if source != index]
    n_failed = losses.count(None)
    assert len(moved) == max(1, n_failed, floor(fraction * len(losses) + 1e-9))
    for index, source in enumerate(sources):
        ours, theirs = losses[index], losses[source]
        assert theirs is not None and (ours is None or theirs <= ours)


def test_exploit_breaks_ties_by_the_stream_and_refuses_other_fractions() -> None:
    moved = Counter(
        index
        for seed in range(4_000)
        for index, source in enumerate(selection.exploit([1.0] * 4, Random(seed), fraction=0.25))
        if source != index
    )
    assert all(abs(moved[index] - 1_000) < 5 * sqrt(750) for index in range(4))
    for fraction in (0.0, 0.51, float("nan")):
        with pytest.raises(ValueError, match=r"must be in \(0, 0.5\]"):
            selection.exploit(LOSSES, Random(0), fraction=fraction)
