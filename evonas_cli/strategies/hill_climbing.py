"""Hill climbing by network morphisms (Elsken, Metzen and Hutter, Simple and Efficient Architecture Search, 2017).

    train the space's start network; then each step: make `children` of the current network, each by `morphs` random
    morphisms that keep its function; train them all from the weights that they inherit; the best child is the current
    network if it is better than its parent

So Kwasigroch, Grochowski and Mikolajczyk (MMAR 2019) search for networks that classify melanoma. Loss is the first
objective, losses[0]. Each child trains all of the trainer's epochs, so that a cosine schedule begins again with each
(warm restarts: Loshchilov and Hutter, 2017). The search ends after `steps`, after `patience` steps without a gain, or
where nothing can grow. Losses are warm-started: a child has had its ancestors' epochs, too.

`pressure` (evolution/pressure.py) chooses the best child by rho z(fitness) + (1 - rho) z(bonus), among the current
network and its children. The best child is then the current network even where the parent is better: children that all
grow are near each other and far from their parent, whose novelty would end the climb at the start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar, Generic, Protocol

from evonas_cli.core.checks import whole
from evonas_cli.core.codec import later
from evonas_cli.core.demands import Demands
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution import pressure
from evonas_cli.evolution.behaviour import Behaviours
from evonas_cli.evolution.pressure import FITNESS, WeighedPressure
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.genomes.morphing import Morphing


class GrowingSpace(Space[G], Morphing[G], Protocol[G]):
    """What this strategy uses of a space."""


@dataclass(frozen=True, slots=True)
class Current(Generic[G]):
    """The network from which children are made."""

    id: int
    genome: G
    loss: float


@dataclass(frozen=True, slots=True)
class Climb(Generic[G]):
    """`asked` counts the steps of children that were asked, `stale` those told since the last gain.

    `behaviours` is empty where the loss alone counts.
    """

    current: Current[G] | None = None
    asked: int = 0
    stale: int = 0
    behaviours: Behaviours = later(Behaviours)


@dataclass(frozen=True, kw_only=True)
class HillClimbing(WeighedPressure, Generic[G]):
    """Children grow by network morphisms, inherit weights, train; the best is the next parent (Elsken et al., 2017)."""

    original_cost: ClassVar[str] = "12 hours to one day on one GPU on CIFAR-10 (Elsken et al., 2017)"

    space: GrowingSpace[G]
    children: int = 8
    morphs: int = 5
    steps: int | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        whole("children", self.children, least=1)
        whole("morphs", self.morphs, least=1)
        whole("steps", self.steps, least=1, optional=True)
        whole("patience", self.patience, least=1, optional=True)
        pressure.check(self, 1 + self.children, "the {} networks of a step")

    @property
    def demands(self) -> Demands:
        """Morphisms, and a job that hands weights on by them; a step goes on from the step before it. A descriptor
        where behaviour counts."""
        behaves = self.pressure != FITNESS
        return Demands(space=(Morphing, Buildable), continues=True, options=True, window=1, descriptor=behaves)

    @property
    def least_evaluations(self) -> int:
        """The start network and a step of children."""
        return 1 + self.children

    def init(self, rng: Random) -> Climb[G]:
        """No network yet."""
        return Climb()

    def ask(self, state: Climb[G], rng: Random) -> tuple[list[Proposal[G]], Climb[G]]:
        """The start network until it has been trained, then children of the current one."""
        current = state.current
        if current is None:
            return [Proposal(self.space.start(), operator="start")], state
        ended = self.steps is not None and state.asked >= self.steps
        if ended or (self.patience is not None and state.stale >= self.patience):
            return [], state
        grown = [self._child(current, rng) for _ in range(self.children)]
        return [child for child in grown if child is not None], replace(state, asked=state.asked + 1)

    def tell(self, state: Climb[G], told: Sequence[Evaluation[G]], rng: Random) -> Climb[G]:
        """The best child is the current network if its loss is smaller, or under any pressure but fitness; of equal
        children the first."""
        able = [Current(one.id, one.genome, one.losses[0]) for one in told if one.losses is not None]
        current = state.current
        own = {one.id: one.loss for one in ([] if current is None else [current]) + able}
        state = replace(state, behaviours=pressure.judged(self, state.behaviours, told, own, rng))
        losses = pressure.losses(self, state.behaviours, own)
        if able:
            best = min(able, key=lambda one: (losses[one.id], one.id))
            if current is None or self.pressure != FITNESS or losses[best.id] < losses[current.id]:
                return replace(state, current=best, stale=0)
        return replace(state, stale=state.stale + (current is not None))

    def population(self, state: Climb[G]) -> tuple[int, ...]:
        """The current network alone."""
        return () if state.current is None else (state.current.id,)

    def keeps(self, state: Climb[G]) -> tuple[int, ...]:
        """The current network."""
        return self.population(state)

    def figures(self, state: Climb[G]) -> Mapping[str, Json]:
        """The current network's loss, steps of children, steps without a gain; and `pressure.figures`."""
        loss = None if state.current is None else state.current.loss
        found: dict[str, Json] = {"current_loss": loss, "steps": state.asked, "stale": state.stale}
        return {**found, **pressure.figures(self, state.behaviours)}

    def _child(self, parent: Current[G], rng: Random) -> Proposal[G] | None:
        """A child by `morphs` morphisms, or as many as the space has; None where it has none."""
        genome, morphs = parent.genome, list[Json]()
        for _ in range(self.morphs):
            grown = self.space.grow(genome, rng)
            if grown is None:
                break
            genome, morphs = grown.genome, [*morphs, *grown.morphs]
        if not morphs:
            return None
        options: dict[str, Json] = {"start": "inherited", "morphs": morphs}
        return Proposal(genome, continues=parent.id, parents=(parent.id,), operator="morphism", options=options)
