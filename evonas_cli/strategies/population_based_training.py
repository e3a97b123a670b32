"""Population-based training of settings (Jaderberg et al., Population Based Training of Neural Networks, 2017).

    generation 0: `population_size` samples, each trained for 1 / `generations` of the epochs; then each generation: all
    train on for the same share, but each of the worst `exploit_fraction` continues the weights and the genome of one of
    the best (truncation selection), the genome mutated (explore)

Fitness is the first objective, losses[0]. A failed individual always continues another one's weights; where all
individuals failed, the next generation is sampled afresh. Beside the paper: generations are synchronous, and mutation
is that of the space (`evolution.variation`) in the place of perturbation by factors of 0.8 and 1.2. `strategy=genetic
strategy.inherit=schedule` is the same algorithm, kept so that older runs can be resumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any, Generic

from evonas_cli.core.checks import one_of, whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution import generations
from evonas_cli.evolution.generations import Generation, best_first
from evonas_cli.evolution.variation import Variation, needed
from evonas_cli.genomes.capabilities import Measured, Tuning


@dataclass(frozen=True, kw_only=True)
class PopulationBasedTraining(Generic[G]):
    """A population trains in `generations` shares; after each the worst copy and perturb the best (Jaderberg, 2017)."""

    space: Any
    population_size: int = 20
    generations: int = 10
    exploit_fraction: float = 0.2
    mutation: str = "step"
    mutation_scale: float = 0.1
    mutation_probability: float | None = None

    def __post_init__(self) -> None:
        whole("population_size", self.population_size, least=2)
        whole("generations", self.generations, least=1)
        within("exploit_fraction", self.exploit_fraction, interval="(0, 0.5]")
        one_of("mutation", self.mutation, names=("redraw", "step"))
        within("mutation_scale", self.mutation_scale, interval="(0, inf)")
        within("mutation_probability", self.mutation_probability, interval="[0, 1]", optional=True)

    @property
    def demands(self) -> Demands:
        """Genomes that are trainer settings of one network; weights handed on through the shares of a training."""
        shares = tuple([(share + 1) / self.generations for share in range(self.generations)])
        return Demands(
            space=(*needed(self.space, recombines=False), Tuning),
            fidelities=shares,
            continues=True,
            stages=self.generations,
            window=1,
        )

    @property
    def least_evaluations(self) -> int:
        """Generation 0."""
        return self.population_size

    def init(self, rng: Random) -> Generation[G]:
        """No candidate."""
        return Generation()

    def ask(self, state: Generation[G], rng: Random) -> tuple[list[Proposal[G]], Generation[G]]:
        """The next share of every individual; nothing after the last one."""
        if state.number + len(state.pending) >= self.generations:
            return [], state
        if any(individual.loss is not None for individual in state.individuals):
            children = generations.train_on(state.individuals, self.exploit_fraction, self._variation.mutate, rng)
        else:
            samples = [self.space.sample(rng) for _ in range(self.population_size)]
            children = [(Proposal(genome, operator="sample"), 0) for genome in samples]
        born, new = generations.births(state, children, archive=False)
        fidelity = (state.number + 1) / self.generations
        asked = [replace(proposal, fidelity=fidelity) for proposal in new]
        return asked, replace(state, pending=(*state.pending, born))

    def tell(self, state: Generation[G], told: Sequence[Evaluation[G]], rng: Random) -> Generation[G]:
        """Those told, best first, are the population."""
        born, *pending = state.pending
        state, newborn = generations.settle(replace(state, pending=tuple(pending)), born, told, archive=False)
        return replace(state, individuals=tuple(best_first([individual for individual, _ in newborn], rng)))

    def population(self, state: Generation[G]) -> tuple[int, ...]:
        """Best first, the failed last."""
        return tuple([individual.id for individual in state.individuals])

    def keeps(self, state: Generation[G]) -> tuple[int, ...]:
        """The living: each trains on, or is copied."""
        return self.population(state)

    def figures(self, state: Generation[G]) -> Mapping[str, Json]:
        """See `generations.figures`; diversity where the space has a distance."""
        return generations.figures(state, self.space.distance if isinstance(self.space, Measured) else None)

    @cached_property
    def _variation(self) -> Variation:
        scale = None if self.mutation == "redraw" else self.mutation_scale
        return Variation(self.space, scale=scale, probability=self.mutation_probability)
