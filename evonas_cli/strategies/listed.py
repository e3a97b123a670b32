"""Given genomes, each measured several times: what comes after a search, not a search of its own.

A step asks for one genome `repeats` times. The candidates of a step differ in their seeds alone, so that a job may
train them side by side. After the last genome the run ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any, Generic

from evonas_cli.core.checks import whole
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Proposal


@dataclass(frozen=True, slots=True)
class Asked:
    """How many of the genomes have been proposed."""

    count: int = 0


@dataclass(frozen=True, kw_only=True)
class Listed(Generic[G]):
    """Measures given genomes, each several times with different seeds, and ends; `evonas retrain` uses it.

    `genomes` are written as the journal has them; `repeats` says how often each is measured. The genome of candidate i
    is the one at place i // repeats.
    """

    space: Space[G]
    genomes: Sequence[Any] = ()
    repeats: int = 1

    def __post_init__(self) -> None:
        whole("repeats", self.repeats, least=1)
        if not self.genomes:
            raise UsageError(
                "strategy.genomes is empty; give genomes as a list, strategy.genomes=[...], or take those of a run "
                "with `evonas retrain RUN`"
            )
        _ = self._parsed

    @property
    def demands(self) -> Demands:
        """Nothing beyond reading genomes."""
        return Demands(objectives="none")

    @property
    def least_evaluations(self) -> int:
        """One."""
        return 1

    @property
    def confirmations(self) -> int:
        """Genomes times repeats."""
        return len(self._parsed) * self.repeats

    def init(self, rng: Random) -> Asked:
        """Nothing has been proposed."""
        return Asked()

    def ask(self, state: Asked, rng: Random) -> tuple[list[Proposal[G]], Asked]:
        """The next genome, `repeats` times; an empty list after the last one."""
        if state.count >= len(self._parsed):
            return [], state
        genome = self._parsed[state.count]
        proposals = [Proposal(genome, operator="listed", again=True) for _ in range(self.repeats)]
        return proposals, Asked(state.count + 1)

    def tell(self, state: Asked, told: Sequence[Evaluation[G]], rng: Random) -> Asked:
        """Learns nothing."""
        return state

    def population(self, state: Asked) -> tuple[int, ...]:
        """Empty: there is no memory."""
        return ()

    @cached_property
    def _parsed(self) -> tuple[G, ...]:
        """The genomes. Raises UsageError for what the space cannot read."""
        found = []
        for place, written in enumerate(self.genomes):
            try:
                found.append(self.space.from_json(written))
            except Exception as error:  # what a space raises for JSON of another shape is its own affair
                name, reason = type(self.space).__name__, " ".join(str(error).split())[:160] or type(error).__name__
                text = f"strategy.genomes[{place}] is no genome of {name} with these settings: {reason}"
                raise UsageError(text) from error
        return tuple(found)
