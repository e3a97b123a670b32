"""Random search: independent draws from the space's own prior, the baseline for all others (Bergstra and Bengio, 2012).

Duplicates are not skipped: each draw counts, as it does for the initial population of every other strategy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Proposal


@dataclass(frozen=True, slots=True)
class Count:
    """How many genomes have been proposed."""

    asked: int = 0


@dataclass(frozen=True, kw_only=True)
class RandomSearch(Generic[G]):
    """Random search, the baseline: every candidate is sampled from the space's prior.

    `batch` samples a step, of which those of one structure are trained as one program; nothing it is told matters, so
    any window gives the same run. Raises UsageError for an empty batch.
    """

    space: Space[G]
    batch: int = 1

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise UsageError(f"strategy.batch is {self.batch}; it must be 1 or more")

    @property
    def demands(self) -> Demands:
        """Nothing beyond sampling."""
        return Demands(objectives="none")

    @property
    def least_evaluations(self) -> int:
        """One."""
        return 1

    def init(self, rng: Random) -> Count:
        """Nothing proposed."""
        return Count()

    def ask(self, state: Count, rng: Random) -> tuple[list[Proposal[G]], Count]:
        """A batch of samples."""
        samples = [Proposal(self.space.sample(rng), operator="sample") for _ in range(self.batch)]
        return samples, Count(state.asked + self.batch)

    def tell(self, state: Count, told: Sequence[Evaluation[G]], rng: Random) -> Count:
        """Learns nothing."""
        return state

    def population(self, state: Count) -> tuple[int, ...]:
        """Empty: there is no memory."""
        return ()
