"""Coevolution of sequences of components and of the components' settings, for a-ASP (de Wynter, ICANN 2019).

    given components, a bound p on the length of a sequence and a tolerance epsilon:
    population A: sequences of 1 to p components; population B: a setting for each component
    each generation: every sequence meets `partners` settings, the best one that lives on and others at random;
    loss of a sequence = mean over its partners; loss of a setting = mean over the sequences that met it;
    breed both: the best survive, others are children of tournament winners by one-point crossover and mutation
    (a component inserted, deleted or replaced; one gene of a setting redrawn)
    stop when a pair has a loss of epsilon or less, or with the budget

The paper (arXiv 1908.09942) proves bounds for the problem and names coevolutionary genetic algorithms as a solver; it
has no such algorithm in detail. This one is our reading, with the collaborators of cooperative coevolution (Potter and
De Jong, 1994). What is found is the best that was seen, and nothing says that it is the optimum.

The search ends by itself (`the strategy is done`) when epsilon is reached, and `figures.jsonl` then says `reached`. It
also ends after 100 generations without a pair that is new. Otherwise the budget ends it, which the reason names.

Loss is the first objective. A pair that was told is not evaluated again. A failed pair counts in no mean, and who has
none but failed pairs is no parent. Random partners are dealt in turn, so that every setting meets a sequence where
there are enough; a setting that met none is no parent either. A generation may be asked before the one before it is
told (the run's window): it is bred from the populations told so far.

`pressure` (evolution/pressure.py) judges sequences and settings by the worth of pairs in the place of their fitness:
rho z(fitness) + (1 - rho) z(bonus) among the pairs of a generation, known ones included. `epsilon` stays a loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from random import Random
from statistics import fmean
from typing import Generic, TypeAlias

from evonas_cli.core.checks import require, whole, within
from evonas_cli.core.codec import later
from evonas_cli.core.demands import Demands
from evonas_cli.core.persistent import PersistentDict
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution import crossover, pressure, sequences
from evonas_cli.evolution.behaviour import Behaviours
from evonas_cli.evolution.pressure import FITNESS, WeighedPressure
from evonas_cli.evolution.selection import winner
from evonas_cli.genomes import choices
from evonas_cli.genomes.capabilities import Sequenced
from evonas_cli.genomes.choices import Genes

IDLE_GENERATIONS = 100
TRIES = 20
Outcome: TypeAlias = tuple[int, float | None]
"""What is known of a pair: the candidate's id and its loss (None: failed)."""


@dataclass(frozen=True, slots=True)
class Member:
    """A sequence, or a setting for each component.

    `loss` is the mean over the pairs of the generation judged last, None before that and where all failed; `best` is
    the candidate with the least loss among these pairs; `parents` are the best candidates of the member's parents.
    """

    genes: Genes
    loss: float | None = None
    best: int | None = None
    parents: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Generation:
    """Both populations and the pairs (place of the sequence, place of the setting) by which they are judged."""

    sequences: tuple[Member, ...] = ()
    settings: tuple[Member, ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Coevolution(Generic[G]):
    """The populations judged last, best first; the generations asked and not yet told; what is known of each pair.

    `least` is the least loss told, None before a success. `behaviours` is empty where losses alone count.
    """

    judged: Generation = field(default_factory=Generation)
    pending: tuple[Generation, ...] = ()
    known: PersistentDict[G, Outcome] = field(default_factory=PersistentDict)
    number: int = 0
    least: float | None = None
    behaviours: Behaviours = later(Behaviours)


@dataclass(frozen=True, kw_only=True)
class SequenceCoevolution(WeighedPressure, Generic[G]):
    """Coevolution of sequences of components with the components' settings (for a-ASP; de Wynter, 2019).

    `partners` settings, 2 or more, judge a sequence, the best one among them. A loss of `epsilon` or less ends the
    search (null: none). `elitism` of each population live on; a child mutates once with `mutation_probability`.
    """

    space: Sequenced[G]
    sequence_population: int = 16
    setting_population: int = 16
    partners: int = 2
    tournament_size: int = 3
    elitism: int = 1
    crossover_probability: float = 0.7
    mutation_probability: float = 0.7
    epsilon: float | None = None

    def __post_init__(self) -> None:
        for key in ("sequence_population", "setting_population"):
            whole(key, getattr(self, key), least=2)
            rule = f"is not below strategy.{key}={getattr(self, key)}"
            require(self.elitism < getattr(self, key), "elitism", self.elitism, rule)
        whole("partners", self.partners, least=2)
        rule = f"is more than strategy.setting_population={self.setting_population}"
        require(self.partners <= self.setting_population, "partners", self.partners, rule)
        whole("tournament_size", self.tournament_size, least=1)
        whole("elitism", self.elitism, least=0)
        within("crossover_probability", self.crossover_probability, interval="[0, 1]")
        within("mutation_probability", self.mutation_probability, interval="[0, 1]")
        within("epsilon", self.epsilon, interval="[0, inf)", optional=True)
        pressure.check(self, self.sequence_population * self.partners, "the {} pairs of a generation")

    @property
    def demands(self) -> Demands:
        """Sequences of components; a descriptor where behaviour counts."""
        return Demands(space=(Sequenced,), descriptor=self.pressure != FITNESS)

    @property
    def least_evaluations(self) -> int:
        """The pairs of one generation, if none is there twice."""
        return self.sequence_population * self.partners

    def init(self, rng: Random) -> Coevolution[G]:
        """No population yet."""
        return Coevolution()

    def ask(self, state: Coevolution[G], rng: Random) -> tuple[list[Proposal[G]], Coevolution[G]]:
        """The pairs of the next generation that are new; nothing when epsilon is reached or nothing new is found."""
        for _ in range(0 if self._reached(state) else IDLE_GENERATIONS):
            generation = self._bred(state.judged, rng)
            proposals = self._new(generation, state.known)
            if proposals:
                return proposals, replace(state, pending=(*state.pending, generation))
            state = self._succeed(state, generation, (), rng)
        return [], state

    def tell(self, state: Coevolution[G], told: Sequence[Evaluation[G]], rng: Random) -> Coevolution[G]:
        """Judges both populations of the oldest generation that was asked."""
        new = {one.genome: (one.id, None if one.losses is None else one.losses[0]) for one in told}
        losses = [loss for _, loss in new.values() if loss is not None]
        least = min(losses if state.least is None else [state.least, *losses], default=None)
        generation, *pending = state.pending
        known = state.known.with_entries(new)
        return self._succeed(replace(state, pending=tuple(pending), known=known, least=least), generation, told, rng)

    def population(self, state: Coevolution[G]) -> tuple[int, ...]:
        """The best candidate of each sequence that has one, the sequence with the least loss first."""
        ids = [member.best for member in state.judged.sequences if member.best is not None]
        return tuple(dict.fromkeys(ids))

    def figures(self, state: Coevolution[G]) -> Mapping[str, Json]:
        """The generation, the least loss told, whether that is epsilon or less, and how varied both populations are;
        and `pressure.figures`."""
        judged = state.judged
        lengths = [len(member.genes) for member in judged.sequences]
        return {
            "generation": state.number,
            "least_loss": state.least,
            "reached": self._reached(state),
            "sequences": len({member.genes for member in judged.sequences}),
            "settings": len({member.genes for member in judged.settings}),
            "mean_length": fmean(lengths) if lengths else None,
            **pressure.figures(self, state.behaviours),
        }

    def _reached(self, state: Coevolution[G]) -> bool:
        return self.epsilon is not None and state.least is not None and state.least <= self.epsilon

    def _bred(self, judged: Generation, rng: Random) -> Generation:
        """The next populations, and who meets whom: every sequence the best setting, then others in turn."""
        space = self.space

        def sequence(parents: Sequence[Genes]) -> Genes:
            genes = parents[0]
            if len(parents) > 1:
                genes = sequences.splice(parents[0], parents[1], space.max_length, rng)
            mutates = rng.random() < self.mutation_probability
            return sequences.mutate(genes, space.components, space.max_length, rng) if mutates else genes

        def setting(parents: Sequence[Genes]) -> Genes:
            genes = parents[0]
            if len(parents) > 1:
                genes = crossover.cross("one_point", space.settings, parents, rng)
            mutates = rng.random() < self.mutation_probability
            return choices.redraw(space.settings, genes, rng.randrange(len(genes)), rng) if mutates else genes

        drawn = lambda: sequences.draw(space.components, space.max_length, rng)  # noqa: E731
        bred = self._offspring(judged.sequences, self.sequence_population, drawn, sequence, rng)
        prior = lambda: choices.sample(space.settings, rng)  # noqa: E731
        settings = self._offspring(judged.settings, self.setting_population, prior, setting, rng)
        return Generation(bred, settings, self._pairs(judged, rng))

    def _offspring(
        self,
        judged: Sequence[Member],
        size: int,
        draw: Callable[[], Genes],
        child: Callable[[Sequence[Genes]], Genes],
        rng: Random,
    ) -> tuple[Member, ...]:
        """A population of `size`; of children whose genes are there already the last of TRIES is taken."""
        able = [member for member in judged if member.loss is not None]
        found = list(able[: self.elitism])
        taken = {member.genes for member in found}
        while len(found) < size:
            for _ in range(TRIES):
                parents = [self._parent(able, rng)] if able else []
                if able and rng.random() < self.crossover_probability:
                    parents.append(self._parent(able, rng))
                genes = child([parent.genes for parent in parents]) if able else draw()
                if genes not in taken:
                    break
            taken.add(genes)
            ids = sorted({parent.best for parent in parents if parent.best is not None})
            found.append(Member(genes, parents=tuple(ids)))
        return tuple(found)

    def _parent(self, able: Sequence[Member], rng: Random) -> Member:
        return winner(able, lambda member: member.loss, rng, size=self.tournament_size)

    def _pairs(self, judged: Generation, rng: Random) -> tuple[tuple[int, int], ...]:
        """Of the next populations; the best setting stands first there if it lives on."""
        best = bool(self.elitism) and any(member.loss is not None for member in judged.settings)
        dealt, pairs = _dealt(self.setting_population, rng), []
        for place in range(self.sequence_population):
            meets = [0] if best else []
            while len(meets) < self.partners:
                partner = next(dealt)
                meets += [partner] if partner not in meets else []
            pairs += [(place, partner) for partner in meets]
        return tuple(pairs)

    def _genome(self, generation: Generation, pair: tuple[int, int]) -> G:
        sequence = [str(name) for name in generation.sequences[pair[0]].genes]
        return self.space.compose(sequence, generation.settings[pair[1]].genes)

    def _new(self, generation: Generation, known: PersistentDict[G, Outcome]) -> list[Proposal[G]]:
        """A proposal for each genome among the pairs that is not known."""
        found: dict[G, Proposal[G]] = {}
        for pair in generation.pairs:
            genome = self._genome(generation, pair)
            if genome not in known and genome not in found:
                both = (generation.sequences[pair[0]], generation.settings[pair[1]])
                ids = {id for member in both for id in (member.parents if member.best is None else (member.best,))}
                found[genome] = Proposal(genome, parents=tuple(sorted(ids)), operator="pair")
        return list(found.values())

    def _succeed(
        self, state: Coevolution[G], generation: Generation, told: Sequence[Evaluation[G]], rng: Random
    ) -> Coevolution[G]:
        """The generation judged by what is known of its pairs."""
        outcomes = {pair: state.known[self._genome(generation, pair)] for pair in generation.pairs}
        own = {id: loss for id, loss in outcomes.values() if loss is not None}
        state = replace(state, behaviours=pressure.judged(self, state.behaviours, told, own, rng))
        losses = pressure.losses(self, state.behaviours, own)
        judged = []
        for side, members in enumerate((generation.sequences, generation.settings)):
            met: list[list[tuple[float, int]]] = [[] for _ in members]
            for pair, (id, _) in outcomes.items():
                if id in losses:
                    met[pair[side]].append((losses[id], id))
            judged.append(tuple([_judged(member, own) for member, own in zip(members, met, strict=True)]))
        ranked = [tuple(sorted(members, key=lambda one: inf if one.loss is None else one.loss)) for members in judged]
        return replace(state, judged=Generation(ranked[0], ranked[1]), number=state.number + 1)


def _dealt(size: int, rng: Random) -> Iterator[int]:
    """All places of a population in random order, again and again."""
    while True:
        yield from rng.sample(range(size), size)


def _judged(member: Member, met: Sequence[tuple[float, int]]) -> Member:
    """The member with the mean loss of its pairs, each (loss, candidate)."""
    if not met:
        return replace(member, loss=None, best=None)
    return replace(member, loss=fmean([loss for loss, _ in met]), best=min(met)[1])
