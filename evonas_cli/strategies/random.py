"""Random search: independent draws from the space's own prior, the baseline for all others (Bergstra and Bengio, 2012).

Duplicates are not skipped: each draw counts, as it does for the initial population of every other strategy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic

from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Proposal


@dataclass(frozen=True, slots=True)
class Count:
    """How many genomes have been proposed."""

    asked: int = 0


@dataclass(frozen=True, kw_only=True)
class RandomSearch(Generic[G]):
    """Random search, the baseline: every candidate is sampled from the space's prior.

    One sample a step; nothing it is told matters, so any window gives the same run.
    """

    space: Space[G]

    @property
    def needs(self) -> tuple[type, ...]:
        """Nothing beyond sampling."""
        return ()

    @property
    def least_evaluations(self) -> int:
        """One."""
        return 1

    def init(self, rng: Random) -> Count:
        """Nothing proposed."""
        return Count()

    def ask(self, state: Count, rng: Random) -> tuple[list[Proposal[G]], Count]:
        """One sample."""
        return [Proposal(self.space.sample(rng), operator="sample")], Count(state.asked + 1)

    def tell(self, state: Count, told: Sequence[Evaluation[G]], rng: Random) -> Count:
        """Learns nothing."""
        return state

    def population(self, state: Count) -> tuple[int, ...]:
        """Empty: there is no memory."""
        return ()
