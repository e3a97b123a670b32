"""Paths of a relaxed cell: drawn uniformly over distinct functions, varied, derived from strengths of operations."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from math import log
from random import Random
from typing import Generic, Protocol

from evonas_cli.core.protocols import Space
from evonas_cli.core.types import G
from evonas_cli.genomes.capabilities import Functional, Relaxable
from evonas_cli.network.relaxed import Path

LISTED = 20_000
"""Spaces of so many paths or fewer are listed, and drawn from uniformly over distinct functions. Of larger ones paths
are drawn uniformly, and functions that have many paths come more often."""
WEAKEST = 1e6
"""What an operation of strength 0 adds to the negative logarithm of a product of strengths."""
TRIES = 200
"""Draws in a row without anything new after which a space counts as used up."""


class RelaxableSpace(Space[G], Relaxable[G], Functional[G], Protocol[G]):
    """What one-shot strategies use of a space."""


class Paths(Generic[G]):
    """The paths of a space. Two of them are the same where their networks compute the same functions."""

    def __init__(self, space: RelaxableSpace[G]) -> None:
        self._space, self.relaxed = space, space.relaxed

    def key(self, path: Path) -> str:
        """Equal for paths whose networks, with weights of their own each, compute the same functions."""
        return self._space.function_key(self._space.assigned(path))

    @cached_property
    def distinct(self) -> tuple[Path, ...] | None:
        """The first path of each function; None for a space of more than LISTED paths."""
        if self.relaxed.paths > LISTED:
            return None
        first: dict[str, Path] = {}
        for number in range(self.relaxed.paths):
            path = self.relaxed.path(number)
            first.setdefault(self.key(path), path)
        return tuple(first.values())

    def draw(self, rng: Random) -> Path:
        """Uniform over distinct functions, or over paths (LISTED)."""
        if self.distinct is not None:
            return rng.choice(self.distinct)
        return tuple([rng.randrange(len(edge.operations)) for edge in self.relaxed.edges])

    def draw_new(self, count: int, known: Collection[str], rng: Random) -> list[Path]:
        """Up to `count` paths of different functions, none of which is `known`; fewer where there are no more."""
        if self.distinct is not None:
            left = [path for path in self.distinct if self.key(path) not in known]
            return rng.sample(left, min(count, len(left)))
        found: dict[str, Path] = {}
        tries = 0
        while len(found) < count and tries < TRIES:
            path = self.draw(rng)
            tries = tries + 1 if (key := self.key(path)) in known or key in found else 0
            if tries == 0:
                found[key] = path
        return list(found.values())

    def fair(self, rng: Random) -> tuple[Path, ...]:
        """As many paths as the edge with the most operations has, each operation of that edge in one of them (FairNAS).

        Beside the paper: an edge of fewer operations draws them without repetition, again and again, so that its
        operations differ by at most one in how often they are there.
        """
        most = max(len(edge.operations) for edge in self.relaxed.edges)
        columns: list[list[int]] = []
        for edge in self.relaxed.edges:
            own: list[int] = []
            while len(own) < most:
                own += rng.sample(range(len(edge.operations)), len(edge.operations))
            columns.append(own[:most])
        return tuple(zip(*columns, strict=True))

    def mutate(self, path: Path, rate: float, rng: Random) -> Path:
        """Each operation is drawn again with probability `rate` (Guo et al., 2020)."""
        edges = self.relaxed.edges
        return tuple(
            [
                rng.randrange(len(edge.operations)) if rng.random() < rate else op
                for edge, op in zip(edges, path, strict=True)
            ]
        )

    def cross(self, first: Path, second: Path, rng: Random) -> Path:
        """Each operation of either parent with equal chance."""
        return tuple([a if rng.random() < 0.5 else b for a, b in zip(first, second, strict=True)])

    def strongest(self, strengths: Sequence[Sequence[float]], count: int, most_skips: int | None = None) -> list[Path]:
        """Up to `count` paths of different functions, by the product of the strengths of their operations, greatest
        first. No edge has an operation that gives nothing, where it has another one; `most_skips` bounds the edges that
        pass their input on."""
        found: dict[str, Path] = {}
        for path in self._by_strength(strengths):
            if most_skips is None or self.relaxed.skips(path) <= most_skips:
                found.setdefault(self.key(path), path)
            if len(found) == count:
                break
        return list(found.values())

    def _by_strength(self, strengths: Sequence[Sequence[float]]) -> Iterator[Path]:
        """All paths without `none`, by falling product of strengths: from a path the next ones take, on one edge, the
        next weaker operation."""
        ordered: list[list[tuple[float, int]]] = []
        for edge, own in zip(self.relaxed.edges, strengths, strict=True):
            places = [place for place, role in enumerate(edge.roles) if role != "none"] or [0]
            ordered.append(sorted([(-log(own[p]) if own[p] > 0 else WEAKEST, p) for p in places]))
        start = (0,) * len(ordered)
        waiting, seen = [(sum(options[0][0] for options in ordered), start)], {start}
        while waiting:
            _, ranks = heapq.heappop(waiting)
            yield tuple([options[rank][1] for options, rank in zip(ordered, ranks, strict=True)])
            for place, options in enumerate(ordered):
                after = (*ranks[:place], ranks[place] + 1, *ranks[place + 1 :])
                if after[place] < len(options) and after not in seen:
                    seen.add(after)
                    heapq.heappush(waiting, (sum(e[r][0] for e, r in zip(ordered, after, strict=True)), after))
