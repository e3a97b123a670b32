"""BANANAS: an ensemble of small networks on path bits, and independent Thompson sampling (White, Neiswanger and Savani,
AAAI 2021).

    evaluate `initial` samples of the prior; then for each step: train five networks on what was told, mutate the best
    `parents` into `candidates` mutants, draw a loss for each of them from a normal distribution with the mean and the
    standard deviation of the five predictions, and evaluate the `batch` with the lowest draws

Constants are those of the authors' code (naszilla), which asks for 10 at a time and mutates once. Beside it: no network
is proposed twice, whatever genome it is written as; a failed candidate counts as the worst loss told; a step that is
asked before those before it are told learns from what was told so far; where mutants give nothing new, samples of the
prior take their place, and where those give nothing new either, the search ends. Fitness is the first objective.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from math import inf
from random import Random
from typing import Any, Generic

import numpy as np

from evonas_cli.core.checks import one_of, whole
from evonas_cli.core.demands import Demands
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.genomes.capabilities import Mutable
from evonas_cli.surrogates.acquisition import independent_thompson, ranking
from evonas_cli.surrogates.encodings import ENCODINGS, Encoding, offer
from evonas_cli.surrogates.ensemble import train
from evonas_cli.surrogates.environment import environment
from evonas_cli.surrogates.plans import canonical_form
from evonas_cli.surrogates.seen import Seen, Told, distinct, imputed, mutants, new_samples


@dataclass(frozen=True, slots=True)
class Predicted(Generic[G]):
    """What the strategy has seen, and of the last ask the mean standard deviation of the predictions (None: no ask)."""

    seen: Seen[G] = field(default_factory=Seen)
    deviation: float | None = None


@dataclass(frozen=True, kw_only=True)
class Bananas(Generic[G]):
    """BANANAS: networks on path bits predict losses, and draws from the predictions choose (White et al., 2021).

    `encoding` says what the networks read: bits of the paths from input to output, or the genes one-hot.
    """

    space: Any
    initial: int = 10
    batch: int = 10
    encoding: str = "auto"
    candidates: int = 100
    parents: int = 10
    epochs: int = 150

    def __post_init__(self) -> None:
        whole("initial", self.initial, least=2)
        whole("batch", self.batch, least=1)
        one_of("encoding", self.encoding, names=("auto", *ENCODINGS))
        whole("candidates", self.candidates, least=1)
        whole("parents", self.parents, least=1)
        whole("epochs", self.epochs, least=1)

    @property
    def demands(self) -> Demands:
        """Mutation, and what the encoding needs."""
        return Demands(space=(Mutable, offer(self.encoding, self.space).needs))

    @property
    def least_evaluations(self) -> int:
        """The first samples."""
        return self.initial

    def environment(self) -> dict[str, Json]:
        """numpy and scipy, on which last bits depend."""
        return environment()

    def check_space(self) -> None:
        """Raises UsageError where the space has networks for no nominal task."""
        _ = self._form, self._encoding

    def init(self, rng: Random) -> Predicted[G]:
        """Nothing seen. Raises as `check_space`."""
        self.check_space()
        return Predicted()

    def ask(self, state: Predicted[G], rng: Random) -> tuple[list[Proposal[G]], Predicted[G]]:
        """The first samples at once, then a batch; nothing where there is nothing new."""
        seen, deviation = state.seen, state.deviation
        left = self.initial - seen.asked
        if left > 0 or len(seen.able) < 2:
            proposals = new_samples(self.space, left if left > 0 else self.batch, seen.forms, self._form, rng)
        else:
            proposals, deviation = self._promising(seen, rng)
        if not proposals:
            return [], state
        return proposals, Predicted(seen.asking(proposals, self._form), deviation)

    def tell(self, state: Predicted[G], told: Sequence[Evaluation[G]], rng: Random) -> Predicted[G]:
        """Remembers the outcomes."""
        return replace(state, seen=state.seen.telling(told))

    def population(self, state: Predicted[G]) -> tuple[int, ...]:
        """The candidates that are mutated next, the best first."""
        return tuple([one.id for one in self._parents(state.seen)])

    def figures(self, state: Predicted[G]) -> Mapping[str, Json]:
        """`deviation`: the standard deviation of the five predictions, in the loss's unit, mean over the last pool."""
        return {"deviation": state.deviation}

    def _promising(self, seen: Seen[G], rng: Random) -> tuple[list[Proposal[G]], float | None]:
        """The new mutants with the lowest draws, and the mean deviation of the pool's predictions."""
        bred = mutants(self.space, self._parents(seen), lambda: 1, rng)
        genomes = {one.genome for one in seen.told} | {one.genome for one in seen.waiting}
        pool, known, deviation = distinct([*islice(bred, self.candidates)], genomes), seen.forms, None
        chosen: list[Proposal[G]] = []
        if pool:
            told, asked = self._encoding.features(
                [one.genome for one in seen.told], [proposal.genome for proposal in pool]
            )
            mean, spread = train(told, np.array(imputed(seen.told))[:, 0], rng, self.epochs).moments(asked)
            deviation = float(spread.mean())
            for index in ranking(independent_thompson(mean, spread, rng)):
                form = self._form(pool[index].genome)
                if form not in known and len(chosen) < self.batch:
                    known.add(form)
                    chosen.append(pool[index])
        missing = self.batch - len(chosen)
        return [*chosen, *new_samples(self.space, missing, known, self._form, rng)], deviation

    def _parents(self, seen: Seen[G]) -> list[Told[G]]:
        return sorted(seen.able, key=lambda one: one.losses[0] if one.losses else inf)[: self.parents]

    @cached_property
    def _encoding(self) -> Encoding[G]:
        return offer(self.encoding, self.space).make(self.space)

    @cached_property
    def _form(self) -> Callable[[G], str]:
        return canonical_form(self.space)
