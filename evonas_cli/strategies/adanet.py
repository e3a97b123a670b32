"""AdaNet: an ensemble grown subnetwork by subnetwork (Cortes, Gonzalvo, Kuznetsov, Mohri and Yang, ICML 2017).

A round trains two subnetworks: one as deep as the last member (at first linear), and one that is a layer deeper. Each
is tried beside the frozen members: the mixture weights w, which begin at 1/N, are fitted to the objective (their eq. 4)

    F(w) = mean loss(sum_j w_j h_j) + sum_j (lambda r_j + beta) |w_j|,    r_j = sqrt(hidden layers of h_j).

The subnetwork with the smaller F joins, where F is smaller than that of the ensemble so far, which competes; otherwise
growth ends. r_j and the defaults lambda = beta = 0 are those of the authors' framework (tensorflow/adanet). Deviations:
subnetworks read no hidden layers of each other, as in the framework's example, and are trained before they are mixed,
not alongside; F is that of the whole training part, so no moving mean of batches is needed.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt
from random import Random
from typing import Generic, Protocol

from evonas_cli.core.checks import whole
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.genomes.ensembling import Ensembling

JOB = "ensemble"
"""The further job that mixes."""
OBJECTIVE = "objective"
"""Its metric F."""


class EnsemblingSpace(Space[G], Ensembling[G], Protocol[G]):
    """What AdaNet uses of a space."""


@dataclass(frozen=True, slots=True)
class Member(Generic[G]):
    """A trained subnetwork."""

    id: int
    genome: G


@dataclass(frozen=True, slots=True)
class Growth(Generic[G]):
    """What evolves: the frozen `members`, the `trained` subnetworks that are yet to be tried, the candidate that is the
    `ensemble`, and F after each accepted round. `done`: growth has ended."""

    members: tuple[Member[G], ...] = ()
    trained: tuple[Member[G], ...] = ()
    ensemble: int | None = None
    objectives: tuple[float, ...] = ()
    done: bool = False


@dataclass(frozen=True, kw_only=True)
class AdaNet(Generic[G]):
    """AdaNet: an ensemble grown by one subnetwork a round (Cortes et al., 2017).

    `rounds` bounds the members; `complexity` is lambda, `beta` the penalty of every member. `mixture_steps` is the
    number of descent steps on the mixture weights. With `force_grow` the better subnetwork joins even where F does not
    fall. Raises UsageError for a negative penalty.
    """

    space: EnsemblingSpace[G]
    rounds: int = 5
    complexity: float = 0.0
    beta: float = 0.0
    mixture_steps: int = 100
    force_grow: bool = False

    def __post_init__(self) -> None:
        whole("rounds", self.rounds, least=1)
        whole("mixture_steps", self.mixture_steps, least=1)
        for name, value in (("complexity", self.complexity), ("beta", self.beta)):
            if not 0 <= value < inf:
                raise UsageError(f"strategy.{name} is {value}; a penalty is a number of at least 0")

    @property
    def demands(self) -> Demands:
        """Subnetworks of any depth, their weights, and the job that mixes them; nothing is asked ahead."""
        return Demands(space=(Ensembling,), jobs=(JOB,), continues=True, window=1, objectives="none")

    @property
    def least_evaluations(self) -> int:
        """A round: two subnetworks, and each of them in the ensemble."""
        return 4

    def init(self, rng: Random) -> Growth[G]:
        """No member yet."""
        return Growth()

    def ask(self, state: Growth[G], rng: Random) -> tuple[list[Proposal[G]], Growth[G]]:
        """Two subnetworks; or, where they are trained, the ensembles with each of them; nothing after the end."""
        if state.trained:
            return [self._mixture(state.members, new) for new in state.trained], state
        if state.done or len(state.members) == self.rounds:
            return [], state
        depth = self._depth(state.members[-1]) if state.members else 0
        proposals = [Proposal(self.space.member(depth), operator="same depth", again=True)]
        if depth < self.space.deepest:
            proposals.append(Proposal(self.space.member(depth + 1), operator="deeper", again=True))
        return proposals, state

    def tell(self, state: Growth[G], told: Sequence[Evaluation[G]], rng: Random) -> Growth[G]:
        """Trained subnetworks are tried next; of tried ones the best joins if F falls. Failures are left out, and a
        round in which all fail is asked again."""
        if not any(one.parents for one in told):
            fresh = [Member(one.id, one.genome) for one in told if one.losses is not None]
            return replace(state, trained=tuple(fresh))
        ids = tuple(member.id for member in state.members)
        tried = [one for one in told if one.parents[:-1] == ids and isfinite(one.metrics.get(OBJECTIVE, inf))]
        new = {member.id: member for member in state.trained}
        state = replace(state, trained=())
        best = min(tried, key=lambda one: one.metrics[OBJECTIVE], default=None)
        if best is None or best.parents[-1] not in new:
            return state
        value = best.metrics[OBJECTIVE]
        if not self.force_grow and state.objectives and value >= state.objectives[-1]:
            return replace(state, done=True)
        members = (*state.members, new[best.parents[-1]])
        return Growth(members, (), best.id, (*state.objectives, value))

    def population(self, state: Growth[G]) -> tuple[int, ...]:
        """The members, then the ensemble."""
        ids = tuple([member.id for member in state.members])
        return ids if state.ensemble is None else (*ids, state.ensemble)

    def figures(self, state: Growth[G]) -> Mapping[str, Json]:
        """F after each accepted round, the ensemble's candidate, and the depths of its members."""
        return {
            "objectives": list(state.objectives),
            "ensemble": state.ensemble,
            "hidden_layers": [self._depth(member) for member in state.members],
        }

    def keeps(self, state: Growth[G]) -> Container[int]:
        """Members, subnetworks that are yet to be tried, and the ensemble, so that it can be exported."""
        return {*self.population(state), *(member.id for member in state.trained)}

    def _mixture(self, members: Sequence[Member[G]], new: Member[G]) -> Proposal[G]:
        joined = [*members, new]
        ids = tuple([member.id for member in joined])
        options: Json = {
            "members": list(ids),
            "penalties": [self.complexity * sqrt(self._depth(member)) + self.beta for member in joined],
            "steps": self.mixture_steps,
        }
        genome = self.space.join([member.genome for member in joined])
        return Proposal(genome, JOB, continues=new.id, parents=ids, operator="mixture", options=options)

    def _depth(self, member: Member[G]) -> int:
        return self.space.hidden_layers(member.genome)[0]
