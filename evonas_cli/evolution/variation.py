"""How generational strategies make children: by loci on Linear spaces, by the space's own operators on all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from evonas_cli.core.checks import require
from evonas_cli.core.types import Proposal
from evonas_cli.evolution import crossover as crossovers
from evonas_cli.evolution.generations import Individual
from evonas_cli.genomes.capabilities import Crossable, Linear, Mutable, Repairable
from evonas_cli.genomes.choices import mutate

OWN = "own"
"""The crossover that a Crossable space has itself, as `Variation.crossover`."""
CROSSOVERS = (*crossovers.OPERATORS, OWN)


def needed(space: object, recombines: bool = True) -> tuple[type, ...]:
    """What a space must be: Linear, or else Mutable and, for recombination, Crossable."""
    graphs = (Mutable, *((Crossable,) if recombines else ()))
    return graphs if all(isinstance(space, need) for need in graphs) and not isinstance(space, Linear) else (Linear,)


@dataclass(frozen=True)
class Variation:
    """Recombination and mutation of the genomes of a space.

    On a Linear space `crossover` names one of `evolution.crossover.OPERATORS`, or OWN where the space is Crossable as
    well; every gene changes with `probability` (None: 1 / genes), by a redraw or, with a `scale`, by a Gaussian step; a
    Repairable space then repairs. Any other space recombines and mutates as it does itself; `probability` is then that
    of one mutation (None: always).
    """

    space: Any
    crossover: str = "uniform"
    scale: float | None = None
    probability: float | None = None

    def check(self) -> None:
        """Raises UsageError for settings of loci on a space that has none, and for OWN on one that has no such."""
        name, crossable = type(self.space).__name__, isinstance(self.space, Crossable)
        rule = f"needs a space that recombines by itself (Crossable), which {name} does not; set it to uniform"
        require(crossable or self.crossover != OWN, "crossover", self.crossover, rule)
        if crossable and not isinstance(self.space, Linear):
            rule = f"is for spaces of independent choices, and {name} recombines and mutates by itself; leave it at"
            require(self.crossover in ("uniform", OWN), "crossover", self.crossover, f"{rule} uniform")
            require(self.scale is None, "mutation", "step", f"{rule} redraw")

    def cross(self, parents: Sequence[Any], rng: Random) -> Any:
        """A child of two parents or more."""
        if self._linear and self.crossover != OWN:
            return crossovers.cross(self.crossover, self.space.choices, parents, rng)
        return self.space.recombine(parents, rng)

    def mutate(self, genome: Any, rng: Random) -> Any:
        """The mutated genome, repaired where that is needed."""
        if self._linear:
            mutant = mutate(self.space.choices, genome, self.probability, self.scale, rng)
            return self.space.repair(mutant, rng) if isinstance(self.space, Repairable) else mutant
        changes = self.probability is None or rng.random() < self.probability
        return self.space.mutate(genome, rng) if changes else genome

    def child(self, parents: Sequence[Individual[Any]], crossover_probability: float, rng: Random) -> Proposal[Any]:
        """A mutated child of all parents, or with 1 - `crossover_probability` of the first alone, with its origin."""
        genome, ids = parents[0].genome, [parents[0].id]
        recombined = len(parents) > 1 and rng.random() < crossover_probability
        if recombined:
            genome = self.cross([parent.genome for parent in parents], rng)
            ids = [parent.id for parent in parents]
        child = self.mutate(genome, rng)
        steps = ["crossover"] * recombined + ["mutation"] * (child != genome)
        return Proposal(child, parents=tuple(ids), operator="+".join(steps) or "identity")

    @cached_property
    def _linear(self) -> bool:
        """Asked once, since the answer takes a look at every choice of the space."""
        return isinstance(self.space, Linear)
