"""Clusters around medoids: partitions, groups that are far apart, and what cannot be divided further."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.evolution.medoids import k_medoids

PLACES = st.lists(st.integers(-50, 50), max_size=12)


def between(places: list[int]) -> list[list[float]]:
    return [[float(abs(a - b)) for b in places] for a in places]


@given(PLACES, st.integers(1, 6), st.integers(0, 1000))
def test_every_item_is_in_one_cluster(places: list[int], k: int, seed: int) -> None:
    clusters = k_medoids(between(places), k, Random(seed))
    assert sorted(item for cluster in clusters for item in cluster) == list(range(len(places)))
    assert all(cluster == sorted(cluster) and cluster for cluster in clusters)
    assert len(clusters) <= min(k, len(places))


@given(PLACES.filter(bool), st.integers(1, 6), st.integers(0, 1000))
def test_no_item_is_nearer_to_the_medoid_of_another_cluster(places: list[int], k: int, seed: int) -> None:
    distances = between(places)
    clusters = k_medoids(distances, k, Random(seed))
    total = sum(min(sum(distances[a][b] for b in cluster) for a in cluster) for cluster in clusters)
    again = sum(min(distances[item][medoid(distances, cluster)] for cluster in clusters) for item in range(len(places)))
    assert again >= total - 1e-9


def test_a_tie_does_not_end_it_too_early() -> None:
    places = [0, 4, 8, 9, -9, -9, 9, 5]
    assert sorted(k_medoids(between(places), 2, Random(0))) == [[0, 1, 4, 5], [2, 3, 6, 7]]


def medoid(distances: list[list[float]], cluster: list[int]) -> int:
    return min(cluster, key=lambda a: sum(distances[a][b] for b in cluster))


def test_groups_that_are_far_apart_are_found() -> None:
    places = [0, 100, 1, 101, 2, 102]
    found = {tuple(map(tuple, sorted(k_medoids(between(places), 2, Random(seed))))) for seed in range(20)}
    assert found == {((0, 2, 4), (1, 3, 5))}


def test_equal_items_are_one_cluster() -> None:
    assert k_medoids(between([7, 7, 7]), 2, Random(0)) == [[0, 1, 2]]
    assert k_medoids([], 3, Random(0)) == []
