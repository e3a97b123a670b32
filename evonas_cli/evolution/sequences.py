"""Variation of sequences of 1 to `most` components: no operator here makes an empty or a longer one."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def draw(options: Sequence[T], most: int, rng: Random) -> tuple[T, ...]:
    """Every length has equal chances, and so has every component at each place."""
    return tuple([rng.choice(options) for _ in range(rng.randint(1, most))])


def splice(first: Sequence[T], second: Sequence[T], most: int, rng: Random) -> tuple[T, ...]:
    """One-point crossover at a cut of each parent: the first one's head before the second one's tail.

    The first cut is uniform, the second one uniform among those with which the child has 1 to `most` components.
    """
    head = rng.randint(0, len(first))
    tails = [tail for tail in range(len(second) + 1) if 1 <= head + tail <= most]
    tail = rng.choice(tails)
    return (*first[:head], *second[len(second) - tail :])


def mutate(sequence: tuple[T, ...], options: Sequence[T], most: int, rng: Random) -> tuple[T, ...]:
    """A component is inserted, deleted or replaced by another; each that is possible has equal chances.

    The sequence itself where none is possible.
    """
    changes = ["insert"] * (len(sequence) < most) + ["delete"] * (len(sequence) > 1)
    changes += ["replace"] * (len(options) > 1)
    if not changes:
        return sequence
    change = rng.choice(changes)
    place = rng.randrange(len(sequence) + (change == "insert"))
    others = [option for option in options if change == "insert" or option != sequence[place]]
    middle = [] if change == "delete" else [rng.choice(others)]
    return (*sequence[:place], *middle, *sequence[place + (change != "insert") :])
