"""Randomness as an argument: streams derived by name from the run's seed, never stored and never global."""

from __future__ import annotations

from hashlib import blake2b
from random import Random


def derive(seed: int, purpose: str, *index: int) -> int:
    """A 64-bit seed that depends on nothing but its arguments."""
    key = f"{seed}/{purpose}/{'/'.join(map(str, index))}".encode()
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big")


def stream(seed: int, purpose: str, *index: int) -> Random:
    """A generator of its own for (seed, purpose, index); equal arguments give equal draws on every machine."""
    return Random(derive(seed, purpose, *index))
