"""What a search by a model has seen and asked, as a value, and the pool of candidates among which its model chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Generic

import numpy as np

from evonas_cli.core.types import Evaluation, G, Proposal, value
from evonas_cli.surrogates.gaussian_process import Array

FENCE = 1.5
"""Multiples of the range between the quartiles."""
IDLE = 1000
"""Draws in a row that give nothing new, after which a space counts as used up."""


@value
class Told(Generic[G]):
    """A candidate that was evaluated: `losses` is None for a failed one, `form` its canonical form."""

    id: int
    genome: G
    form: str
    losses: tuple[float, ...] | None


@value
class Asked(Generic[G]):
    """A candidate that is being evaluated."""

    genome: G
    form: str


@dataclass(frozen=True, slots=True)
class Seen(Generic[G]):
    """All candidates told, in order, and those asked and not yet told, a tuple for each ask."""

    told: tuple[Told[G], ...] = ()
    pending: tuple[tuple[Asked[G], ...], ...] = ()

    @property
    def asked(self) -> int:
        """The number of candidates proposed so far."""
        return len(self.told) + len(self.waiting)

    @property
    def waiting(self) -> list[Asked[G]]:
        """The candidates not yet told, in order."""
        return [one for batch in self.pending for one in batch]

    @property
    def able(self) -> list[Told[G]]:
        """Those that did not fail."""
        return [one for one in self.told if one.losses is not None]

    @property
    def forms(self) -> set[str]:
        """The canonical forms of all candidates."""
        return {one.form for one in self.told} | {one.form for one in self.waiting}

    def asking(self, proposals: Sequence[Proposal[G]], form: Callable[[G], str]) -> Seen[G]:
        """With an ask of these proposals."""
        batch = tuple([Asked(proposal.genome, form(proposal.genome)) for proposal in proposals])
        return replace(self, pending=(*self.pending, batch))

    def telling(self, evaluations: Sequence[Evaluation[G]]) -> Seen[G]:
        """With the outcome of the earliest ask that is not told."""
        batch, *pending = self.pending
        new = [Told(one.id, one.genome, asked.form, one.losses) for one, asked in zip(evaluations, batch, strict=True)]
        return Seen((*self.told, *new), tuple(pending))


def imputed(told: Sequence[Told[Any]]) -> list[tuple[float, ...]]:
    """The losses of all, where a failed candidate has the worst loss of each objective, so that a model expects no
    good near it. At least one candidate must have losses."""
    known = [one.losses for one in told if one.losses is not None]
    worst = tuple([max(column) for column in zip(*known, strict=True)])
    return [worst if one.losses is None else one.losses for one in told]


def fenced(losses: Array) -> Array:
    """Losses, (n, objectives), of which those beyond the fence of their objective are put at the fence.

    The fence is the third quartile and 1.5 times the range between the quartiles (Tukey, 1977). How bad a bad candidate
    is must not decide what a model sees of good ones.
    """
    low, high = np.quantile(losses, [0.25, 0.75], axis=0)
    below: Array = np.minimum(losses, high + FENCE * (high - low))
    return below


def new_samples(
    space: Any, count: int, known: set[str], form: Callable[[Any], str], rng: Random
) -> list[Proposal[Any]]:
    """Up to `count` samples of the prior whose forms are not known and differ; fewer where the space is used up."""
    found: list[Proposal[Any]] = []
    taken, idle = set(known), 0
    while len(found) < count and idle < IDLE:
        genome = space.sample(rng)
        idle += 1
        if (name := form(genome)) not in taken:
            taken.add(name)
            found.append(Proposal(genome, operator="sample"))
            idle = 0
    return found


def mutants(space: Any, parents: Sequence[Told[Any]], edits: Callable[[], int], rng: Random) -> Iterator[Proposal[Any]]:
    """Endlessly, one of each parent in turn, after so many mutations."""
    while True:
        for parent in parents:
            genome = parent.genome
            for _ in range(edits()):
                genome = space.mutate(genome, rng)
            yield Proposal(genome, parents=(parent.id,), operator="mutation")


def distinct(proposals: Sequence[Proposal[Any]], known: set[Any]) -> list[Proposal[Any]]:
    """One proposal for each genome, the first, without those whose genome is known."""
    found: dict[Any, Proposal[Any]] = {}
    for proposal in proposals:
        if proposal.genome not in known:
            found.setdefault(proposal.genome, proposal)
    return list(found.values())
