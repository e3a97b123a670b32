"""Randomness as an argument: streams derived by name from the run's seed, never stored and never global."""

from __future__ import annotations

from hashlib import blake2b
from random import Random
from typing import Any


def derive(seed: int, purpose: str, *index: int) -> int:
    """A 64-bit seed that depends on nothing but its arguments."""
    place = index[0] if len(index) == 1 else "/".join(map(str, index))
    key = f"{seed}/{purpose}/{place}".encode()
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big")


class Seeded(Random):
    """What `Random(seed)` is for a whole number, without the time that Random takes to find out what its seed is."""

    def __init__(self, seed: int = 0) -> None:
        super(Random, self).seed(seed)
        self.gauss_next = None


def stream(seed: int, purpose: str, *index: int) -> Random:
    """A generator of its own for (seed, purpose, index); equal arguments give equal draws on every machine."""
    return Seeded(derive(seed, purpose, *index))


class LazyStream(Random):
    """The same draws as `stream`, but seeded before the first one: for uses that mostly draw nothing.

    Seeding takes 4 us, which is as much as a strategy needs for a step on a table.
    """

    def __init__(self, seed: int, purpose: str, *index: int) -> None:
        self._name: tuple[int, str, *tuple[int, ...]] | None = (seed, purpose, *index)
        self.gauss_next = None

    def random(self) -> float:
        """As in Random."""
        self._begin()
        return super().random()

    def getrandbits(self, k: int, /) -> int:
        """As in Random."""
        self._begin()
        return super().getrandbits(k)

    def seed(self, a: Any = None, version: int = 2) -> None:
        """As in Random."""
        self._name = None
        super().seed(a, version)

    def getstate(self) -> tuple[Any, ...]:
        """As in Random."""
        self._begin()
        return super().getstate()

    def setstate(self, state: tuple[Any, ...]) -> None:
        """As in Random."""
        self._name = None
        super().setstate(state)

    def _begin(self) -> None:
        if self._name is not None:
            self.seed(derive(*self._name))
