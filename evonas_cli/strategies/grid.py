"""Grid search: every combination of the genes, in a random order that the seed fixes.

The exhaustive sibling of random search (Bergstra and Bengio, JMLR 2012, compare the two). The order is a Feistel
network over the combinations' numbers (Luby and Rackoff, 1988) with cycle walking, so that no list of them is kept: a
budget that cuts the grid sees a random part of it, without repetition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import prod
from random import Random

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.genomes.capabilities import Linear
from evonas_cli.genomes.choices import Gene, Genes, check_listed

ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Place:
    """The key of the order, and how many combinations have been proposed."""

    key: int
    asked: int = 0


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Grid search: the Cartesian product of all genes, in a seeded order, until it is exhausted.

    `limit` is the largest grid that is accepted. A gene that is a range without `points` cannot be listed and is
    refused as well.
    """

    space: Linear
    limit: int = 1_000_000

    def __post_init__(self) -> None:
        if type(self.limit) is not int or self.limit < 1:
            raise UsageError(f"strategy.limit must be a whole number of at least 1; it is {self.limit!r}")

    @property
    def demands(self) -> Demands:
        """Independent genes."""
        return Demands(space=(Linear,), objectives="none")

    @property
    def least_evaluations(self) -> int:
        """One."""
        return 1

    def check_space(self) -> None:
        """Raises UsageError for a grid that cannot be walked."""
        check_listed(self.space.choices, "strategy grid", "the values of")
        if self._size() > self.limit:
            raise UsageError(
                f"the grid has {self._size():,} points, more than strategy.limit={self.limit:,}; "
                "raise the limit if that is meant, or use strategy=random"
            )

    def init(self, rng: Random) -> Place:
        """The beginning of an order drawn from `rng`. Raises as `check_space`."""
        self.check_space()
        return Place(rng.getrandbits(63))

    def ask(self, state: Place, rng: Random) -> tuple[list[Proposal[Genes]], Place]:
        """The next point; an empty list after the last."""
        if state.asked == self._size():
            return [], state
        number = permuted(state.asked, self._size(), state.key)
        return [Proposal(self._point(number), operator="grid")], Place(state.key, state.asked + 1)

    def tell(self, state: Place, told: Sequence[Evaluation[Genes]], rng: Random) -> Place:
        """Learns nothing."""
        return state

    def population(self, state: Place) -> tuple[int, ...]:
        """Empty: there is no memory."""
        return ()

    def _axes(self) -> list[tuple[Gene, ...]]:
        return [locus.grid or () for locus in self.space.choices]

    def _size(self) -> int:
        return prod(len(axis) for axis in self._axes())

    def _point(self, number: int) -> Genes:
        genes = []
        for axis in reversed(self._axes()):
            number, index = divmod(number, len(axis))
            genes.append(axis[index])
        return tuple(reversed(genes))


def permuted(index: int, size: int, key: int) -> int:
    """A bijection of 0 .. size-1 that `key` chooses: one over a power of 4, applied until it is back in the range."""
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    while True:
        index = _feistel(index, half, key)
        if index < size:
            return index


def _feistel(value: int, half: int, key: int) -> int:
    left, right = value >> half, value & ((1 << half) - 1)
    for turn in range(ROUNDS):
        mixed = blake2b(f"{key}/{turn}/{right}".encode(), digest_size=8).digest()
        left, right = right, left ^ (int.from_bytes(mixed, "big") & ((1 << half) - 1))
    return left << half | right
