"""How generational strategies make children: by loci on Linear spaces, by the space's own operators on all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from evonas_cli.core.checks import require
from evonas_cli.evolution import crossover as crossovers
from evonas_cli.genomes.capabilities import Crossable, Linear, Mutable, Repairable
from evonas_cli.genomes.choices import mutate


def needed(space: object, recombines: bool = True) -> tuple[type, ...]:
    """What a space must be: Linear, or else Mutable and, for recombination, Crossable."""
    graphs = (Mutable, *((Crossable,) if recombines else ()))
    return graphs if all(isinstance(space, need) for need in graphs) and not isinstance(space, Linear) else (Linear,)


@dataclass(frozen=True)
class Variation:
    """Recombination and mutation of the genomes of a space.

    On a Linear space `crossover` names one of `evolution.crossover.OPERATORS`; every gene changes with `probability`
    (None: 1 / genes), by a redraw or, with a `scale`, by a Gaussian step; a Repairable space then repairs. Any other
    space recombines and mutates as it does itself; `probability` is then that of one mutation (None: always).
    """

    space: Any
    crossover: str = "uniform"
    scale: float | None = None
    probability: float | None = None

    def check(self) -> None:
        """Raises UsageError for settings of loci on a space that has none."""
        if isinstance(self.space, Crossable) and not isinstance(self.space, Linear):
            name = type(self.space).__name__
            rule = f"is for spaces of independent choices, and {name} recombines and mutates by itself; leave it at"
            require(self.crossover == "uniform", "crossover", self.crossover, f"{rule} uniform")
            require(self.scale is None, "mutation", "step", f"{rule} redraw")

    def cross(self, parents: Sequence[Any], rng: Random) -> Any:
        """A child of two parents or more."""
        if self._linear:
            return crossovers.cross(self.crossover, self.space.choices, parents, rng)
        return self.space.recombine(parents, rng)

    def mutate(self, genome: Any, rng: Random) -> Any:
        """The mutated genome, repaired where that is needed."""
        if self._linear:
            mutant = mutate(self.space.choices, genome, self.probability, self.scale, rng)
            return self.space.repair(mutant, rng) if isinstance(self.space, Repairable) else mutant
        changes = self.probability is None or rng.random() < self.probability
        return self.space.mutate(genome, rng) if changes else genome

    @cached_property
    def _linear(self) -> bool:
        """Asked once, since the answer takes a look at every choice of the space."""
        return isinstance(self.space, Linear)
