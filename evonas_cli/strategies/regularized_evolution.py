"""Regularized (aging) evolution: tournament parents, the oldest dies (Real, Aggarwal, Huang and Le, AAAI 2019).

    fill a queue with `population_size` samples; then for each step: draw `sample_size` members, mutate the best of
    them, append the child, and remove the oldest member, however good.

Fitness is the first objective, losses[0]. A failed candidate enters the queue and ages like any other but is never
drawn. Beside the paper: a step may be asked before the steps just before it are told (the run's window); it draws among
the members told so far, and samples from the prior while none of them can be a parent. `remove: worst` is the ablation
that keeps the elite: failed members leave first, then the largest loss, the newcomer included. `inherit: weights`
starts each mutant from its parent's trained weights, as far as they match: its loss is then warm-started. `pressure`
(evolution/pressure.py) has tournaments won by new behaviour; a step is then a generation.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from random import Random
from typing import ClassVar, Generic, Literal, Protocol

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Evaluation, G, Json, Proposal, value
from evonas_cli.evolution import pressure
from evonas_cli.evolution.behaviour import Behaviours
from evonas_cli.evolution.pressure import FITNESS, WeighedPressure
from evonas_cli.evolution.selection import winner
from evonas_cli.genomes.capabilities import Buildable, Mutable

log = logging.getLogger(__name__)
_loss = attrgetter("loss")


class MutableSpace(Space[G], Mutable[G], Protocol[G]):
    """What this strategy uses of a space: `sample` and `mutate`."""


@value
class Member(Generic[G]):
    """One of the queue; `loss` is None for a failed candidate."""

    id: int
    genome: G
    loss: float | None


@value
class Queue(Generic[G]):
    """The living members, oldest first, the number of steps asked, and what is remembered of behaviours."""

    asked: int = 0
    members: tuple[Member[G], ...] = ()
    behaviours: Behaviours = field(default_factory=Behaviours)


@dataclass(frozen=True, kw_only=True)
class RegularizedEvolution(WeighedPressure, Generic[G]):
    """Aging evolution: tournament parents, one mutation, the oldest dies (Real et al., 2019).

    `replacement` says whether one member can be drawn twice for the same tournament, as in the paper; `remove` worst
    is the ablation without aging. `inherit` weights hands trained weights on from parent to mutant. `rho` is the weight
    of fitness under a `pressure` other than fitness.
    """

    original_cost: ClassVar[str] = (
        "20,000 networks in 3,150 GPU-days on CIFAR-10 (Real et al., 2019; recalled, not checked against the paper)"
    )

    space: MutableSpace[G]
    population_size: int
    sample_size: int
    replacement: bool = True
    remove: Literal["oldest", "worst"] = "oldest"
    inherit: Literal["none", "weights"] = "none"

    def __post_init__(self) -> None:
        size, drawn = self.population_size, self.sample_size
        _require(type(size) is int and size >= 2, "population_size", "a whole number of at least 2", size)
        _require(type(self.replacement) is bool, "replacement", "true or false", self.replacement)
        _require(type(drawn) is int and drawn >= 1, "sample_size", "a whole number of at least 1", drawn)
        if not self.replacement:
            _require(drawn <= size, "sample_size", f"1 to {size} (population_size) without replacement", drawn)
        elif drawn > size:
            log.warning("strategy.sample_size=%d exceeds population_size=%d: some member is drawn twice", drawn, size)
        _require(self.remove in ("oldest", "worst"), "remove", "oldest or worst", self.remove)
        _require(self.inherit in ("none", "weights"), "inherit", "none or weights", self.inherit)
        pressure.check(self, size)

    @property
    def demands(self) -> Demands:
        """Mutation; with `inherit` weights also networks, and a job that hands weights on."""
        inherits = self.inherit == "weights"
        space = (Mutable, *((Buildable,) if inherits else ()))
        return Demands(space=space, continues=inherits, options=inherits, descriptor=self.pressure != FITNESS)

    @property
    def least_evaluations(self) -> int:
        """The initial population."""
        return self.population_size

    def init(self, rng: Random) -> Queue[G]:
        """An empty queue."""
        return Queue()

    def ask(self, state: Queue[G], rng: Random) -> tuple[list[Proposal[G]], Queue[G]]:
        """A sample for each of the first `population_size` steps, then a mutant of the winner of a tournament."""
        after = Queue(state.asked + 1, state.members, state.behaviours)
        parent = self._parent(state, rng) if state.asked >= self.population_size else None
        if parent is None:
            return [Proposal(self.space.sample(rng), operator="sample")], after
        child = self.space.mutate(parent.genome, rng)
        operator = "identity" if child == parent.genome else "mutation"
        born = Proposal(child, parents=(parent.id,), operator=operator)
        if self.inherit == "weights":
            born = replace(born, continues=parent.id, options={"start": "matching"})
        return [born], after

    def tell(self, state: Queue[G], told: Sequence[Evaluation[G]], rng: Random) -> Queue[G]:
        """Appends the newcomers; for each above `population_size` a member leaves."""
        members = list(state.members)
        for evaluation in told:
            loss = None if evaluation.losses is None else evaluation.losses[0]
            members.append(Member(evaluation.id, evaluation.genome, loss))
            if len(members) > self.population_size:
                del members[0 if self.remove == "oldest" else _worst(members, rng)]
        able = (member.id for member in members if member.loss is not None)
        return Queue(state.asked, tuple(members), pressure.judged(self, state.behaviours, told, able, rng))

    def population(self, state: Queue[G]) -> tuple[int, ...]:
        """Oldest first, failed members included."""
        return tuple([member.id for member in state.members])

    def keeps(self, state: Queue[G]) -> tuple[int, ...]:
        """The living members, any of which may be a parent."""
        return self.population(state)

    def figures(self, state: Queue[G]) -> Mapping[str, Json]:
        """See `pressure.figures`; none for pressure=fitness."""
        return pressure.figures(self, state.behaviours)

    def _parent(self, state: Queue[G], rng: Random) -> Member[G] | None:
        able = [member for member in state.members if member.loss is not None]
        if not able:
            return None
        drawn = self.sample_size if self.replacement else min(self.sample_size, len(able))
        if self.pressure == FITNESS:
            return winner(able, _loss, rng, size=drawn, replacement=self.replacement)
        own = {member.id: member.loss for member in able if member.loss is not None}
        worth = pressure.losses(self, state.behaviours, own)
        return winner(able, lambda member: worth[member.id], rng, size=drawn, replacement=self.replacement)


def _worst(members: Sequence[Member[G]], rng: Random) -> int:
    ranks = [(member.loss is None, member.loss or 0.0) for member in members]
    worst = max(ranks)
    return rng.choice([index for index, rank in enumerate(ranks) if rank == worst])


def _require(holds: bool, key: str, rule: str, value: object) -> None:
    if not holds:
        raise UsageError(f"strategy.{key} must be {rule}; it is {value!r}")
