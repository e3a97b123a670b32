"""Species by distance from a representative, shared fitness and offspring counts (Stanley and Miikkulainen, 2002).

Deviations: where the caller does not ask for the first, a genome joins the nearest of the representatives within the
threshold; the threshold may follow a wanted number of species; and `shared_fitness` shares ranks in the place of
fitness, since a loss may have any sign and scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from statistics import fmean
from typing import TypeAlias, TypeVar

from evonas_cli.genomes.marked_graph import MarkedGraph

T = TypeVar("T")
STEP = 0.1
"""How much the threshold moves in a generation, and its least value."""

Distance: TypeAlias = Callable[[MarkedGraph, MarkedGraph], float]


@dataclass(frozen=True, slots=True)
class Species:
    """A species: an id that is never used again, and the genome that stands for it."""

    id: int
    representative: MarkedGraph


def joined(
    genomes: Sequence[T],
    representatives: Sequence[T],
    threshold: float,
    distance: Callable[[T, T], float],
    first: bool = False,
) -> tuple[list[int], list[T]]:
    """For each genome the index of its representative, and all representatives, new ones last.

    A genome joins the nearest representative that is less than `threshold` away, or with `first` the first such one. A
    genome without such a representative is a representative itself.
    """
    every, labels = list(representatives), []
    for genome in genomes:
        distances: list[float] = []
        for one in every:
            distances.append(distance(genome, one))
            if first and distances[-1] < threshold:
                break
        nearest = min(range(len(distances)), key=distances.__getitem__, default=None)
        if nearest is None or distances[nearest] >= threshold:
            nearest = len(every)
            every.append(genome)
        labels.append(nearest)
    return labels, every


def speciate(
    graphs: Sequence[MarkedGraph], known: Sequence[Species], threshold: float, distance: Distance, next_id: int
) -> tuple[list[int], list[Species]]:
    """The species of each graph, and all species, empty ones included.

    A graph that is `threshold` or farther from every representative founds a species, whose id counts from `next_id`.
    """
    labels, every = joined(graphs, [one.representative for one in known], threshold, distance)
    species = [*known, *[Species(next_id + place, graph) for place, graph in enumerate(every[len(known) :])]]
    return [species[label].id for label in labels], species


def nudged(threshold: float, n_species: int, wanted: int) -> float:
    """The threshold one step nearer to what gives the wanted number of species; never below one step."""
    if n_species == wanted:
        return threshold
    return round(max(STEP, threshold + (STEP if n_species > wanted else -STEP)), 6)


def settled(
    genomes: Sequence[T], threshold: float, wanted: int, distance: Callable[[T, T], float], first: bool = False
) -> float:
    """The threshold nudged for a first population until it gives the wanted number of species or turns back."""
    before = threshold
    while True:
        n_species = len(joined(genomes, (), threshold, distance, first)[1])
        after = nudged(threshold, n_species, wanted)
        if after in (threshold, before):
            return threshold
        before, threshold = threshold, after


def ranks(fitnesses: Sequence[float | None]) -> list[float]:
    """1 for the worst, upwards; equal ones share the mean of their ranks. None, who was never judged, has 0."""
    judged = sorted(fitness for fitness in fitnesses if fitness is not None)
    places: dict[float, list[int]] = {}
    for place, fitness in enumerate(judged, 1):
        places.setdefault(fitness, []).append(place)
    return [0.0 if fitness is None else fmean(places[fitness]) for fitness in fitnesses]


def shared_fitness(labels: Sequence[int], fitnesses: Sequence[float | None]) -> dict[int, float]:
    """By species, in order of ids: the sum of its members' ranks, each divided by the size of the species."""
    members: dict[int, list[float]] = {label: [] for label in sorted(set(labels))}
    for label, rank in zip(labels, ranks(fitnesses), strict=True):
        members[label].append(rank)
    return {label: fmean(ranked) for label, ranked in members.items()}


def offspring_counts(shares: Mapping[int, float], total: int, champion: int) -> dict[int, int]:
    """How many of `total` places each species gets: proportional to its share, by largest remainder.

    The species of the `champion` gets at least one, where need be from the largest. Raises ValueError unless a share
    is above 0.
    """
    whole = sum(shares.values())
    if not whole > 0:
        raise ValueError("no species has a share above 0")
    quotas = {species: total * share / whole for species, share in shares.items()}
    counts = {species: floor(quota) for species, quota in quotas.items()}
    sharing = [species for species, share in shares.items() if share > 0]
    by_remainder = sorted(sharing, key=lambda species: counts[species] - quotas[species])
    for species in by_remainder[: total - sum(counts.values())]:
        counts[species] += 1
    if total > 0 and counts[champion] == 0:
        counts[max(counts, key=counts.__getitem__)] -= 1
        counts[champion] = 1
    return counts
