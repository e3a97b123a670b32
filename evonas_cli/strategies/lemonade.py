"""LEMONADE, a Lamarckian evolution of a front of networks (Elsken, Metzen and Hutter, ICLR 2019).

    train `initial` networks; then each round: draw parents from the front in proportion to 1 / p; make `proposed`
    children of them by network morphisms, which grow or shrink them; draw `trained` of these in proportion to 1 / p;
    train these from the weights that they inherit; the front of all is the population

p is a kernel density of the front over the logarithms of its `cheap` sizes, which are known before training; so search
goes where the front is sparse, and pays for training last. Children that shrink keep their parent's function about:
`distil` steps of distillation to their parent's outputs come before their training.

Beside the paper: the initial networks are the space's start network and ones grown from it, trained from scratch. A
child whose genome is on the front, or was proposed before in the round, is left out. With `remeasure` so many members
of the front are trained on in each round, and the new measurement takes the place of the old one: a lucky one goes.
Losses are warm-started: a child has had its ancestors' epochs, too.

`pressure` other than fitness makes behaviour one more objective of the front, the last one: the bonus of
`evolution.pressure`, among the members and the newcomers. A member that is on the front for its bonus alone leaves it
once others behave like it. The run's front is without the bonus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from random import Random
from typing import Any, ClassVar, Generic

from evonas_cli.core.checks import whole
from evonas_cli.core.codec import later
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation, G, Json, Objective, Proposal
from evonas_cli.evolution import pressure
from evonas_cli.evolution.behaviour import Behaviours
from evonas_cli.evolution.density import Point, rarities
from evonas_cli.evolution.nondominated import fronts
from evonas_cli.evolution.pressure import FITNESS, PressureSettings
from evonas_cli.genomes.capabilities import Buildable, Sized
from evonas_cli.genomes.morphing import Morphing


@dataclass(frozen=True, slots=True)
class Member(Generic[G]):
    """One of the front."""

    id: int
    genome: G
    losses: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A proposed child: its parent, its cheap sizes, its chance of the first draw, and whether it is trained."""

    parent: int
    sizes: tuple[int, ...]
    weight: float
    accepted: bool


@dataclass(frozen=True, slots=True)
class Rounds(Generic[G]):
    """The front, the number of rounds asked, what the last of them proposed, and what is remembered of behaviours."""

    members: tuple[Member[G], ...] = ()
    asked: int = 0
    offers: tuple[Offer, ...] = ()
    behaviours: Behaviours = later(Behaviours)


@dataclass(frozen=True, kw_only=True)
class Lemonade(PressureSettings, Generic[G]):
    """LEMONADE: a front that grows and shrinks by network morphisms, chosen by cheap sizes first (Elsken, 2019)."""

    original_cost: ClassVar[str] = (
        "24 to 80 GPU-days on CIFAR-10 by different sources (Elsken et al., 2019; recalled, not checked)"
    )

    space: Any
    initial: int = 4
    proposed: int = 30
    trained: int = 6
    cheap: Sequence[str] = ("parameters",)
    distil: int = 50
    remeasure: int = 0
    rounds: int | None = None

    def __post_init__(self) -> None:
        for key, least in (("initial", 1), ("proposed", 1), ("trained", 1), ("distil", 0), ("remeasure", 0)):
            whole(key, getattr(self, key), least=least)
        whole("rounds", self.rounds, least=1, optional=True)
        if self.trained > self.proposed:
            raise UsageError(f"strategy.trained={self.trained} exceeds strategy.proposed={self.proposed}")
        if not self.cheap:
            raise UsageError("strategy.cheap names no size; name one, such as [parameters]")
        pressure.check(self, self.initial, "initial={}")

    @property
    def demands(self) -> Demands:
        """Morphisms and sizes, and a job that hands weights on; a round goes on from the one before it. A descriptor
        where behaviour counts."""
        return Demands(
            space=(Morphing, Sized, Buildable),
            continues=True,
            options=True,
            window=1,
            objectives="all",
            descriptor=self.pressure != FITNESS,
        )

    @property
    def least_evaluations(self) -> int:
        """The initial networks."""
        return self.initial

    def check_objectives(self, objectives: Sequence[Objective]) -> None:
        """Raises UsageError for fewer than two objectives, which have no front."""
        if len(objectives) < 2:
            raise UsageError(
                f"strategy=lemonade evolves a front, for which it needs two objectives or more, not {len(objectives)}; "
                "pass objectives=[valid_error,parameters]"
            )

    def check_space(self) -> None:
        """Raises UsageError for `cheap` sizes that the space does not count."""
        known = self.space.sizes(self.space.start())
        unknown = [name for name in self.cheap if name not in known]
        if unknown:
            raise UsageError(f"strategy.cheap names {unknown[0]}, but the space counts {', '.join(known)}")

    def init(self, rng: Random) -> Rounds[G]:
        """No network. Raises as `check_space`."""
        self.check_space()
        return Rounds()

    def ask(self, state: Rounds[G], rng: Random) -> tuple[list[Proposal[G]], Rounds[G]]:
        """The initial networks until one of them succeeds; then a round; nothing after the last one."""
        if not state.members:
            return self._initial(rng), state
        if self.rounds is not None and state.asked >= self.rounds:
            return [], state
        children = self._proposed(state.members, rng)
        accepted, offers = self._accepted(state.members, children, rng)
        again = rng.sample(state.members, min(self.remeasure, len(state.members)))
        after = replace(state, asked=state.asked + 1, offers=offers)
        return accepted + [_again(member) for member in again], after

    def tell(self, state: Rounds[G], told: Sequence[Evaluation[G]], rng: Random) -> Rounds[G]:
        """The front of the members and those told; a member that was measured again has the new losses alone."""
        able = [Member(one.id, one.genome, one.losses) for one in told if one.losses is not None]
        renewed = {one.parents[0] for one in told if one.losses is not None and _is_again(one, state.members)}
        everyone = [member for member in state.members if member.id not in renewed] + able
        own = {member.id: member.losses for member in everyone}
        behaviours = pressure.judged(self, state.behaviours, told, own, rng)
        by_id = pressure.objectives(self, behaviours, own)
        first = next(iter(fronts([by_id[member.id] for member in everyone])), [])
        return replace(state, members=tuple([everyone[index] for index in first]), behaviours=behaviours)

    def population(self, state: Rounds[G]) -> tuple[int, ...]:
        """The front, by id."""
        return tuple(sorted(member.id for member in state.members))

    def keeps(self, state: Rounds[G]) -> tuple[int, ...]:
        """The front."""
        return self.population(state)

    def figures(self, state: Rounds[G]) -> Mapping[str, Json]:
        """The size of the members' front by the objectives alone, rounds, and each child of the last one: parent, cheap
        sizes, weight, whether trained; and `pressure.figures`."""
        offers: list[Json] = [[one.parent, list(one.sizes), one.weight, one.accepted] for one in state.offers]
        first = next(iter(fronts([member.losses for member in state.members])), [])
        found: dict[str, Json] = {"front": len(first), "rounds": state.asked, "offers": offers}
        return {**found, **pressure.figures(self, state.behaviours)}

    def _initial(self, rng: Random) -> list[Proposal[G]]:
        genome, found = self.space.start(), [Proposal[G](self.space.start(), operator="start")]
        for _ in range(self.initial - 1):
            grown = self.space.grow(genome, rng)
            genome = self.space.start() if grown is None else grown.genome
            found.append(Proposal(genome, operator="start"))
        return found

    def _proposed(self, members: Sequence[Member[G]], rng: Random) -> list[Proposal[G]]:
        """Up to `proposed` different children of parents from where the front is sparse."""
        places = [self._place(member.genome) for member in members]
        parents = rng.choices(members, rarities(places, places), k=self.proposed)
        taken, found = [member.genome for member in members], []
        for parent in parents:
            grows = rng.random() < 0.5
            child = (self.space.grow if grows else self.space.shrink)(parent.genome, rng)
            if child is None or child.genome in taken:
                continue
            taken.append(child.genome)
            options: dict[str, Json] = {"start": "inherited", "morphs": list(child.morphs)}
            if not grows and self.distil:
                options["distil"] = self.distil
            operator = "morphism" if grows else "approximate"
            found.append(Proposal(child.genome, continues=parent.id, parents=(parent.id,), operator=operator,
                                  options=options))  # fmt: skip
        return found

    def _accepted(
        self, members: Sequence[Member[G]], children: Sequence[Proposal[G]], rng: Random
    ) -> tuple[list[Proposal[G]], tuple[Offer, ...]]:
        """`trained` of the children, drawn one after the other without putting back, and all of them as offers."""
        weights = rarities(
            [self._place(member.genome) for member in members], [self._place(c.genome) for c in children]
        )
        left = list(range(len(children)))
        while len(left) > len(children) - self.trained and left:
            left.remove(rng.choices(left, [weights[index] for index in left])[0])
        offers = tuple([
            Offer(child.parents[0], self._sizes(child.genome), weights[index], index not in left)
            for index, child in enumerate(children)
        ])  # fmt: skip
        return [child for child, offer in zip(children, offers, strict=True) if offer.accepted], offers

    def _sizes(self, genome: G) -> tuple[int, ...]:
        sizes = self.space.sizes(genome)
        return tuple([sizes[name] for name in self.cheap])

    def _place(self, genome: G) -> Point:
        """Where a genome stands among the sizes, by their logarithms."""
        return tuple([log(1 + size) for size in self._sizes(genome)])


def _again(member: Member[G]) -> Proposal[G]:
    options: Json = {"start": "weights"}
    return Proposal(member.genome, continues=member.id, parents=(member.id,), operator="train_on", options=options)


def _is_again(one: Evaluation[G], members: Sequence[Member[G]]) -> bool:
    """Whether the candidate is a member of the front that was trained on."""
    return any(one.parents == (member.id,) and one.genome == member.genome for member in members)
