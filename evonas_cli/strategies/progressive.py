"""Progressive search: cells that grow block by block, ranked by a predictor (PNAS; Liu et al., ECCV 2018, algorithm 1).

    evaluate all cells of one block; then for each number of blocks: expand the cells of the last level by every
    possible block, predict the expansions by a model fitted to all that was evaluated, and evaluate the `beam` best

Beside the paper: the model is a ridge regression or an ensemble of small networks on bits of the paths from input to
output, where the paper takes an ensemble of networks on the genes. Of a level with more than `beam` cells the best are
expanded. No network is evaluated twice, whatever genome it is written as; so a block that leads nowhere by itself is no
expansion, and cells that need one are not reached (of NAS-Bench-201 3,565 of 4,930 functions are). With fewer than ten
results there is no model, and expansions are drawn. When cells are complete, the next best expansions follow, the model
fitted anew each time, until none is left and the search ends. Where all cells of a level fail, or expansions are asked
for before a first level is told, samples of the prior take their place. Fitness is the first objective.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Any, Generic

import numpy as np

from evonas_cli.core.checks import one_of, whole
from evonas_cli.core.demands import Demands
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution.ranking import spearman
from evonas_cli.genomes.capabilities import Buildable, Growable
from evonas_cli.surrogates.encodings import PathEncoding
from evonas_cli.surrogates.environment import environment
from evonas_cli.surrogates.plans import canonical_form
from evonas_cli.surrogates.predictors import PREDICTORS, predicted
from evonas_cli.surrogates.seen import Seen, Told, new_samples

LEAST = 10
"""Results without which no model is fitted."""


@dataclass(frozen=True, slots=True)
class Growth(Generic[G]):
    """`level` is the number of blocks of the cells that are asked for, `beam` has the ids of those that they grow from.

    The first cell of the level is number `since` of those seen. `guesses` are the predictions of each ask not yet told
    (none without a model), `pairs` the predicted and found losses of the level.
    """

    seen: Seen[G] = field(default_factory=Seen)
    level: int = 0
    beam: tuple[int, ...] = ()
    since: int = 0
    guesses: tuple[tuple[float, ...], ...] = ()
    pairs: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Progressive(Generic[G]):
    """Progressive search: cells grow block by block, and a predictor chooses which are trained (Liu et al., 2018).

    `beam` is the paper's K.
    """

    space: Any
    beam: int = 20
    model: str = "ridge"

    def __post_init__(self) -> None:
        whole("beam", self.beam, least=1)
        one_of("model", self.model, names=PREDICTORS)

    @property
    def demands(self) -> Demands:
        """Genomes that grow, and networks, from whose paths losses are predicted."""
        return Demands(space=(Growable, Buildable))

    @property
    def least_evaluations(self) -> int:
        """A cell of one block at least, and a beam."""
        return 1 + self.beam

    def environment(self) -> dict[str, Json]:
        """numpy and scipy, on which last bits depend."""
        return environment()

    def check_space(self) -> None:
        """Raises UsageError for a space whose cells cannot begin with one block."""
        _ = self._first, self._encoding

    def init(self, rng: Random) -> Growth[G]:
        """Nothing asked. Raises as `check_space`."""
        self.check_space()
        return Growth()

    def ask(self, state: Growth[G], rng: Random) -> tuple[list[Proposal[G]], Growth[G]]:
        """The cells of one block at once, then a beam of expansions."""
        if not state.level:
            first = [Proposal(genome, operator="seed") for genome in self._first]
            return first, replace(state, level=1, seen=state.seen.asking(first, self._form), guesses=((),))
        if not state.seen.pending:
            state = self._next_level(state)
        proposals, guesses = self._chosen(state, self._expansions(state), rng)
        if not proposals and (state.seen.pending or not state.beam):
            proposals = new_samples(self.space, self.beam, state.seen.forms, self._form, rng)
        if not proposals:
            return [], state
        seen = state.seen.asking(proposals, self._form)
        return proposals, replace(state, seen=seen, guesses=(*state.guesses, tuple(guesses)))

    def tell(self, state: Growth[G], told: Sequence[Evaluation[G]], rng: Random) -> Growth[G]:
        """Remembers the outcomes."""
        guesses, *rest = state.guesses
        found = [(guess, one.losses[0]) for guess, one in zip(guesses, told, strict=False) if one.losses is not None]
        return replace(state, seen=state.seen.telling(told), guesses=tuple(rest), pairs=(*state.pairs, *found))

    def population(self, state: Growth[G]) -> tuple[int, ...]:
        """The cells that are expanded, best first."""
        return state.beam

    def figures(self, state: Growth[G]) -> Mapping[str, Json]:
        """The number of blocks, and the rank correlation of the level's predictions with the results (Spearman; None
        for fewer than two)."""
        return {"level": state.level, "correlation": spearman(*zip(*state.pairs, strict=True)) if state.pairs else None}

    def _next_level(self, state: Growth[G]) -> Growth[G]:
        """One block more, where the level has a cell that succeeded and cells are not complete."""
        able = [one for one in state.seen.told[state.since :] if one.losses is not None]
        if state.level == self.space.blocks or not able:
            return state
        ranked = sorted(able, key=lambda one: (one.losses or (), one.id))
        beam = tuple([one.id for one in ranked[: self.beam]])
        return replace(state, level=state.level + 1, beam=beam, since=len(state.seen.told), pairs=())

    def _expansions(self, state: Growth[G]) -> list[Proposal[G]]:
        """Of the cells of the beam, those of new networks, each once."""
        known, found = state.seen.forms, []
        by_id = {one.id: one for one in state.seen.told}
        for parent in [by_id[id] for id in state.beam]:
            for genome in self.space.grown(parent.genome, state.level):
                if (form := self._form(genome)) not in known:
                    known.add(form)
                    found.append(Proposal(genome, parents=(parent.id,), operator="expansion"))
        return found

    def _chosen(self, state: Growth[G], pool: list[Proposal[G]], rng: Random) -> tuple[list[Proposal[G]], list[float]]:
        """The beam of those predicted best with the predictions, or drawn where there is no model."""
        able: list[Told[G]] = state.seen.able
        if len(able) < LEAST or not pool:
            return rng.sample(pool, min(self.beam, len(pool))), []
        losses = np.array([(one.losses or ())[:1] for one in able])
        asked, told = [one.genome for one in pool], [one.genome for one in able]
        guesses = [row[0] for row in predicted(PREDICTORS[self.model], self._encoding, told, losses, asked, rng)]
        best = sorted(range(len(pool)), key=lambda index: (guesses[index], index))[: self.beam]
        return [pool[index] for index in best], [guesses[index] for index in best]

    @cached_property
    def _first(self) -> list[G]:
        """The cells of one block, one for each network."""
        return list({self._form(genome): genome for genome in self.space.grown(None, 1)}.values())

    @cached_property
    def _encoding(self) -> PathEncoding:
        return PathEncoding(self.space)

    @cached_property
    def _form(self) -> Callable[[G], str]:
        return canonical_form(self.space)
