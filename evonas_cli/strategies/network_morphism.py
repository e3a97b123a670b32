"""Bayesian optimisation over network morphisms (Jin, Song and Hu, Auto-Keras, KDD 2019).

    train the space's start network; then each step: fit a Gaussian process to all losses, search the tree of morphs for
    the network of the best confidence bound, and train that one from the weights of the trained network it grew from

The kernel is a Gaussian of the edit distance (`surrogates/edit_distance.py`) in Bourgain's embedding, for the model and
for its predictions (`surrogates/bourgain.py`). The search is A* with simulated annealing (section 3.2, algorithm 1): a
queue holds the trained networks by their losses; the best entry is taken off and, with probability exp((value - best) /
T), up to `neighbours` children by one morph each join the queue with their bounds; T begins at 1 and is multiplied by
0.9 each time until `coldest` and until there is a child. Any trained network may grow, not the latest ones alone. The
search runs on networks without weights; the child that is trained carries all morphs since its trained ancestor. Loss
is the first objective, losses[0]; losses are warm-started. Beside the authors' code losses are standardised, failures
count as the worst loss, and length and noise of the kernel have the largest marginal likelihood.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import heapify, heappop, heappush
from math import exp, inf
from random import Random
from typing import Any, ClassVar, Generic, Protocol

import numpy as np

from evonas_cli.core.checks import whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.genomes.morphing import Morphing
from evonas_cli.surrogates.acquisition import confidence_bound
from evonas_cli.surrogates.bourgain import Bourgain, Gaussian, euclidean
from evonas_cli.surrogates.edit_distance import Chain, chain, edit_distance
from evonas_cli.surrogates.environment import environment
from evonas_cli.surrogates.gaussian_process import Array, GaussianProcess, fit
from evonas_cli.surrogates.layers import layers
from evonas_cli.surrogates.plans import canonical_form, network, nominal_task, remembered
from evonas_cli.surrogates.seen import Seen, fenced, imputed

COOLING = 0.9
"""What the temperature is multiplied by whenever an entry is taken off the queue."""
DIGITS = 9
"""Digits of a bound after the point that count: what differs beyond them may be rounding."""


class MorphingSpace(Space[G], Morphing[G], Protocol[G]):
    """What this strategy uses of a space."""


@dataclass(frozen=True, slots=True)
class Tree(Generic[G]):
    """All networks told and the one that is trained; `bound` is that of the latest choice, None before it."""

    seen: Seen[G] = field(default_factory=Seen)
    bound: float | None = None


@dataclass(frozen=True, slots=True)
class Node(Generic[G]):
    """A network in the tree, with the id of the trained one that it grew from and the morphs since then."""

    ancestor: int
    genome: G
    morphs: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Belief:
    """The process over the embedded networks told."""

    told: tuple[Chain, ...]
    embedding: Bourgain
    points: Array
    process: GaussianProcess

    @classmethod
    def of(cls, told: Sequence[Chain], losses: Array, rng: Random) -> Belief:
        """Fitted to the losses, (n,)."""
        apart = np.zeros((len(told), len(told)))
        for row, one in enumerate(told):
            apart[row, :row] = apart[:row, row] = [edit_distance(one, other) for other in told[:row]]
        embedding = Bourgain.of(len(told), rng)
        points = embedding.coordinates(apart)
        return cls(tuple(told), embedding, points, fit(euclidean(points, points), losses, True, Gaussian()))

    def bounds(self, chains: Sequence[Chain], beta: float) -> list[float]:
        """The upper confidence bound of minus the loss of each network."""
        apart = np.array([[edit_distance(one, other) for other in self.told] for one in chains])
        posterior = self.process.posterior(euclidean(self.points, self.embedding.coordinates(apart)))
        return [round(bound, DIGITS) for bound in confidence_bound(posterior.mean, posterior.deviation, beta).tolist()]


@dataclass(frozen=True, kw_only=True)
class NetworkMorphism(Generic[G]):
    """A Gaussian process on edit distances says which trained network grows, and how (Auto-Keras; Jin et al., 2019)."""

    original_cost: ClassVar[str] = (
        "12 hours on one GPU for each data set (Jin et al., 2019; recalled, not checked against the paper)"
    )

    space: MorphingSpace[G]
    beta: float = 2.576
    neighbours: int = 8
    coldest: float = 1e-4
    most_layers: int = 200

    def __post_init__(self) -> None:
        within("beta", self.beta, interval="[0, inf)")
        whole("neighbours", self.neighbours, least=1)
        within("coldest", self.coldest, interval="(0, 1)")
        whole("most_layers", self.most_layers, least=1)

    @property
    def demands(self) -> Demands:
        """Morphisms, and a job that hands weights on by them; a choice goes on from all losses before it."""
        return Demands(space=(Morphing, Buildable), continues=True, options=True, window=1)

    @property
    def least_evaluations(self) -> int:
        """The start network and a child."""
        return 2

    def environment(self) -> dict[str, Json]:
        """numpy and scipy, on which last bits depend."""
        return environment()

    def init(self, rng: Random) -> Tree[G]:
        """No network yet. Raises UsageError for layers that the distance does not know."""
        self._chain(self.space.start())
        return Tree()

    def ask(self, state: Tree[G], rng: Random) -> tuple[list[Proposal[G]], Tree[G]]:
        """The start network until one is trained, then one child; nothing where no network can grow."""
        proposals, bound = [Proposal(self.space.start(), operator="start")], state.bound
        if state.seen.able:
            found = self._search(state.seen, rng)
            if found is None:
                return [], state
            node, bound = found
            options: dict[str, Json] = {"start": "inherited", "morphs": list(node.morphs)}
            from_one = (node.ancestor,)
            proposals = [Proposal(node.genome, "", 1.0, node.ancestor, from_one, "morphism", options)]
        return proposals, Tree(state.seen.asking(proposals, self._form), bound)

    def tell(self, state: Tree[G], told: Sequence[Evaluation[G]], rng: Random) -> Tree[G]:
        """Remembers the outcome."""
        return replace(state, seen=state.seen.telling(told))

    def population(self, state: Tree[G]) -> tuple[int, ...]:
        """The trained networks, each of which may grow."""
        return tuple([one.id for one in state.seen.able])

    def keeps(self, state: Tree[G]) -> tuple[int, ...]:
        """All of them."""
        return self.population(state)

    def figures(self, state: Tree[G]) -> Mapping[str, Json]:
        """The confidence bound of the latest choice, as a loss."""
        return {"loss_bound": None if state.bound is None else -state.bound}

    def _search(self, seen: Seen[G], rng: Random) -> tuple[Node[G], float] | None:
        """The child of the largest bound that annealing meets, and its bound; None where it meets none."""
        losses = fenced(np.array(imputed(seen.told)))[:, 0]
        belief = Belief.of([self._chain(one.genome) for one in seen.told], losses, rng)
        trained = [(one.losses[0], Node(one.id, one.genome)) for one in seen.able if one.losses is not None]
        queue = [(loss, place, node) for place, (loss, node) in enumerate(trained)]
        heapify(queue)
        known, pushed = set(seen.forms), len(queue)
        best: Node[G] | None = None
        most, temperature = -inf, 1.0
        while queue and (temperature > self.coldest or best is None):
            negated, _, node = heappop(queue)
            if exp(min(0.0, (-negated - most) / temperature)) >= rng.random():
                children = self._children(node, known, rng)
                bounds = belief.bounds([self._chain(child.genome) for child in children], self.beta) if children else []
                for child, bound in zip(children, bounds, strict=True):
                    heappush(queue, (-bound, pushed, child))
                    pushed += 1
                    if bound > most:
                        best, most = child, bound
            temperature *= COOLING
        return None if best is None else (best, most)

    def _children(self, node: Node[G], known: set[str], rng: Random) -> list[Node[G]]:
        """Up to `neighbours` networks that no step and no entry of this search has had, which join the known ones."""
        found = []
        for _ in range(self.neighbours):
            grown = self.space.grow(node.genome, rng)
            if grown is None:
                break
            form = self._form(grown.genome)
            if form not in known and len(self._chain(grown.genome).layers) <= self.most_layers:
                known.add(form)
                found.append(Node(node.ancestor, grown.genome, (*node.morphs, *grown.morphs)))
        return found

    @cached_property
    def _form(self) -> Callable[[G], str]:
        return canonical_form(self.space)

    @cached_property
    def _chain(self) -> Callable[[G], Chain]:
        space: Any = self.space
        task = nominal_task(space)

        def of(genome: G) -> Chain:
            found = network(space, genome, task)
            return Chain() if found is None else chain(layers(found.plan))

        return remembered(of)
