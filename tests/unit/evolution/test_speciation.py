"""Species by distance, the threshold, shared fitness and offspring counts."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.evolution.neat import GraphLoci, distance, grow
from evonas_cli.evolution.speciation import (
    Species,
    joined,
    nudged,
    offspring_counts,
    ranks,
    settled,
    shared_fitness,
    speciate,
)
from evonas_cli.genomes.marked_graph import MarkedGraph, minimal
from evonas_cli.genomes.ranges import Real

LOCI = GraphLoci((Real("x", 0.0, 1.0),))
SHARES = st.dictionaries(st.integers(0, 50), st.floats(0.01, 100), min_size=1, max_size=8)


def at(x: float) -> MarkedGraph:
    return minimal((x,))


def apart(first: MarkedGraph, second: MarkedGraph) -> float:
    return distance(first, second, LOCI, 1.0, 1.0)


def test_species_are_made_by_distance_not_by_size() -> None:
    """Graphs of one size fall into two species, a larger one that is near joins the first."""
    larger = grow(2, 0, LOCI, Random(0))
    near = distance(at(0.1), larger, LOCI, 0.1, 0.1)
    labels, species = speciate(
        [at(0.1), at(0.12), at(0.9), larger], (), near + 0.01, lambda a, b: distance(a, b, LOCI, 0.1, 1.0), 4
    )
    assert labels[:3] == [4, 4, 5]
    assert [one.id for one in species][:2] == [4, 5]
    labels, _ = speciate([at(0.1), larger], (), near + 0.01, lambda a, b: distance(a, b, LOCI, 0.1, 0.1), 0)
    assert labels == [0, 0]


def test_a_genome_joins_the_nearest_representative() -> None:
    known = [Species(3, at(0.0)), Species(8, at(0.5))]
    labels, species = speciate([at(0.3), at(0.2), at(1.0), at(0.95)], known, 0.4, apart, 9)
    assert labels == [8, 3, 9, 9]
    assert species[:2] == known and species[2] == Species(9, at(1.0))


def test_the_first_representative_that_is_near_enough_can_be_joined_instead() -> None:
    def gap(first: float, second: float) -> float:
        return abs(first - second)

    genomes, known = [0.4, 0.9, 5.0, 4.5], [0.0, 0.5]
    assert joined(genomes, known, 1.0, gap) == ([1, 1, 2, 2], [0.0, 0.5, 5.0])
    assert joined(genomes, known, 1.0, gap, first=True) == ([0, 0, 2, 2], [0.0, 0.5, 5.0])


def test_the_threshold_moves_by_a_tenth_towards_the_wanted_number() -> None:
    assert nudged(1.0, 5, 3) == 1.1
    assert nudged(1.0, 2, 3) == 0.9
    assert nudged(1.0, 3, 3) == 1.0
    assert nudged(0.1, 1, 3) == 0.1
    assert nudged(0.15, 1, 3) == 0.1


@pytest.mark.parametrize("start", [0.1, 0.3, 2.0])
def test_a_first_population_settles_at_the_wanted_number(start: float) -> None:
    graphs = [at(x) for x in (0.0, 0.01, 0.4, 0.41, 0.8, 0.81)]
    threshold = settled(graphs, start, 3, apart)
    assert len(speciate(graphs, (), threshold, apart, 0)[1]) == 3


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(1, 5), st.floats(0.1, 3.0))
def test_settling_ends(xs: list[float], wanted: int, start: float) -> None:
    assert settled([at(x) for x in xs], start, wanted, apart) >= 0.1


def test_ranks_rise_with_fitness_and_ties_share() -> None:
    assert ranks([0.5, -3.0, 0.5, None, 9.0]) == [2.5, 1.0, 2.5, 0.0, 4.0]
    assert ranks([None]) == [0.0]


def test_fitness_is_shared_among_the_members() -> None:
    """Ranks 1, 2, 3 and 4: a species of three shares 2 + 3 + 4, the single one keeps its 1."""
    assert shared_fitness([7, 7, 7, 2], [0.2, 0.3, 0.4, 0.1]) == {2: 1.0, 7: 3.0}
    assert shared_fitness([0, 1], [None, -5.0]) == {0: 0.0, 1: 1.0}


def test_shares_do_not_depend_on_the_losses_scale() -> None:
    fitnesses = [-0.9, -0.5, -0.2, -0.1]
    labels = [0, 0, 1, 1]
    assert shared_fitness(labels, fitnesses) == shared_fitness(labels, [1000 * f - 7 for f in fitnesses])


def test_offspring_counts_by_hand() -> None:
    assert offspring_counts({0: 8.0, 1: 5.0, 2: 2.0}, 9, 0) == {0: 5, 1: 3, 2: 1}
    assert offspring_counts({0: 1.0, 1: 1.0}, 3, 1) == {0: 2, 1: 1}


def test_the_champions_species_gets_a_place() -> None:
    assert offspring_counts({0: 0.01, 1: 10.0, 2: 10.0}, 4, 0) == {0: 1, 1: 1, 2: 2}


@given(SHARES, st.integers(1, 60), st.data())
def test_offspring_counts_sum_and_follow_the_shares(shares: dict[int, float], total: int, data: st.DataObject) -> None:
    champion = data.draw(st.sampled_from(sorted(shares)))
    counts = offspring_counts(shares, total, champion)
    assert sum(counts.values()) == total
    assert counts[champion] >= 1
    assert all(count >= 0 for count in counts.values())
    whole = sum(shares.values())
    assert all(abs(counts[key] - total * share / whole) < 2 for key, share in shares.items())


@given(st.integers(1, 30), st.integers(1, 30))
def test_a_species_without_fitness_gets_no_place(total: int, share: int) -> None:
    assert offspring_counts({0: 0.0, 1: share / 7, 2: share / 3}, total, 1)[0] == 0


def test_no_shares_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="no species has a share"):
        offspring_counts({0: 0.0}, 3, 0)
