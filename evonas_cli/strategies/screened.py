"""Screening by a surrogate: a strategy is asked several times, and only what a model predicts to be best is evaluated
(pre-selection; Jin, Swarm and Evolutionary Computation 1(2), 2011, section 3).

    the `proposer` is asked once for each step, until `start` candidates have succeeded; then for each step: fit the
    model to all that was told, ask the proposer `factor` times from the same state, go on with the proposals that are
    predicted best, and tell the proposer their results

The proposer is told all that it asked for: the other asks are as if they had never been made. Where the state after an
ask does not depend on what was proposed, since all of these states are equal, the best proposal is taken for each place
of the step; otherwise a whole ask is, by the mean prediction. Several objectives, where the proposer chooses by all of
them, are predicted each by a model of its own, and the best is the first by non-dominated sorting with crowding.

Every candidate is predicted before it is evaluated. The figures have the rank correlation of the last `recent`
predictions with the results (Spearman; the first objective). Below `threshold` screening switches itself off; the
predictions go on, so that screening returns with the correlation. Candidates that were screened differ less than
those that were not, so the correlation among them is lower than over the whole space.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any, Generic

import numpy as np

from evonas_cli.core.checks import one_of, require, whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.protocols import INNER, Computing, Figures, Particular, Selective, Space, Strategy
from evonas_cli.core.types import Evaluation, G, Json, Objective, Proposal, value
from evonas_cli.evolution.nondominated import best_first
from evonas_cli.evolution.ranking import spearman
from evonas_cli.evolution.supply import check_proposes
from evonas_cli.surrogates.encodings import ENCODINGS, Encoding, offer
from evonas_cli.surrogates.environment import environment
from evonas_cli.surrogates.predictors import PREDICTORS, predicted

LEAST = 10
"""Evaluations without which no model is fitted, and pairs without which no correlation is."""

Prediction = tuple[float, ...]


@value
class Example(Generic[G]):
    """A candidate that succeeded."""

    genome: G
    losses: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Screen(Generic[G]):
    """What was told, in order; the predictions of each ask not yet told (none where there was no model); the last pairs
    of predicted and found loss; and how many proposals were not evaluated."""

    told: tuple[Example[G], ...] = ()
    pending: tuple[tuple[Prediction, ...], ...] = ()
    pairs: tuple[tuple[float, float], ...] = ()
    spared: int = 0

    @property
    def correlation(self) -> float | None:
        """Of the pairs; None for too few of them, and where all are equal."""
        if len(self.pairs) < LEAST:
            return None
        return spearman([guess for guess, _ in self.pairs], [found for _, found in self.pairs])


@dataclass(frozen=True, kw_only=True)
class Screened(Generic[G]):
    """Another strategy, of whose proposals a surrogate chooses those that are evaluated (pre-selection; Jin, 2011).

    `model` predicts losses from the `encoding` of genomes: bits of the paths from input to output, or genes one-hot.
    """

    space: Space[G]
    proposer: Strategy[G, Any]
    factor: int = 4
    model: str = "ridge"
    encoding: str = "auto"
    start: int = 20
    threshold: float = 0.1
    recent: int = 30

    def __post_init__(self) -> None:
        whole("factor", self.factor, least=2)
        one_of("model", self.model, names=PREDICTORS)
        one_of("encoding", self.encoding, names=("auto", *ENCODINGS))
        whole("start", self.start, least=1)
        require(self.start >= LEAST, "start", self.start, f"is too early: a model needs {LEAST} evaluations")
        within("threshold", self.threshold, interval="[-1, 1]")
        whole("recent", self.recent, least=LEAST)
        check_proposes(self.proposer)

    @property
    def demands(self) -> Demands:
        """The proposer's, and of the space what the encoding needs."""
        theirs = self.proposer.demands
        return replace(theirs, space=(*theirs.space, offer(self.encoding, self.space).needs))

    @property
    def least_evaluations(self) -> int:
        """Until screening begins, or the proposer's first population."""
        return max(self.start, self.proposer.least_evaluations)

    def check_objectives(self, objectives: Sequence[Objective]) -> None:
        """The proposer's."""
        if isinstance(self.proposer, Particular):
            self.proposer.check_objectives(objectives)

    def environment(self) -> dict[str, Json]:
        """numpy and scipy, on which last bits depend, and the proposer's."""
        return {**environment(), **(self.proposer.environment() if isinstance(self.proposer, Computing) else {})}

    def check_space(self) -> None:
        """Raises UsageError where the encoding does not tell genomes of the space apart, and as the proposer."""
        _ = self._encoding
        if isinstance(self.proposer, Selective):
            self.proposer.check_space()

    def init(self, rng: Random) -> tuple[Screen[G], INNER]:
        """Nothing told. Raises as `check_space`."""
        self.check_space()
        inner: Any = self.proposer.init(rng)
        return Screen(), inner

    def ask(self, state: tuple[Screen[G], INNER], rng: Random) -> tuple[list[Proposal[G]], tuple[Screen[G], INNER]]:
        """The proposer's next step, as far as a model is there the best of several."""
        screen, inner = state
        ready = len(screen.told) >= self.start
        asks = [self.proposer.ask(inner, rng) for _ in range(self.factor if ready and self._on(screen) else 1)]
        asks = [asks[0], *[(proposals, after) for proposals, after in asks[1:] if proposals]]
        proposals, inner = asks[0]
        if not proposals:
            return [], (screen, inner)
        guesses: list[Prediction] = []
        if ready:
            proposals, inner, guesses = self._best(screen, asks, rng)
        spared = sum(len(others) for others, _ in asks) - len(proposals)
        pending = (*screen.pending, tuple(guesses))
        return proposals, (replace(screen, pending=pending, spared=screen.spared + spared), inner)

    def tell(
        self, state: tuple[Screen[G], INNER], told: Sequence[Evaluation[G]], rng: Random
    ) -> tuple[Screen[G], INNER]:
        """Tells the proposer; the model learns of those that succeeded."""
        screen, inner = state
        guesses, *pending = screen.pending
        new = [Example(one.genome, one.losses) for one in told if one.losses is not None]
        pairs = list(screen.pairs)
        for guess, one in zip(guesses, told, strict=False):
            if one.losses is not None:
                pairs.append((guess[0], one.losses[0]))
        screen = replace(screen, told=(*screen.told, *new), pending=tuple(pending), pairs=tuple(pairs[-self.recent :]))
        return screen, self.proposer.tell(inner, told, rng)

    def population(self, state: tuple[Screen[G], INNER]) -> tuple[int, ...]:
        """The proposer's."""
        return self.proposer.population(state[1])

    def figures(self, state: tuple[Screen[G], INNER]) -> Mapping[str, Json]:
        """The proposer's; whether screening is on, the rank correlation (None: too few predictions), and how many
        proposals were screened out."""
        own = self.proposer.figures(state[1]) if isinstance(self.proposer, Figures) else {}
        screen = state[0]
        on = len(screen.told) >= self.start and self._on(screen)
        return {**own, "screening": on, "correlation": screen.correlation, "screened_out": screen.spared}

    def _on(self, screen: Screen[G]) -> bool:
        """Whether the predictions so far allow to screen."""
        correlation = screen.correlation
        return len(screen.pairs) < LEAST or (correlation is not None and correlation >= self.threshold)

    def _best(
        self, screen: Screen[G], asks: Sequence[tuple[list[Proposal[G]], Any]], rng: Random
    ) -> tuple[list[Proposal[G]], Any, list[Prediction]]:
        """What is proposed, the proposer's state, and the predictions."""
        losses = np.array([one.losses for one in screen.told])
        if self.proposer.demands.objectives != "all":
            losses = losses[:, :1]
        flat = [proposal.genome for proposals, _ in asks for proposal in proposals]
        fit, told = PREDICTORS[self.model], [one.genome for one in screen.told]
        guesses = iter(predicted(fit, self._encoding, told, losses, flat, rng))
        rows = [[(proposal, next(guesses)) for proposal in proposals] for proposals, _ in asks]
        state = asks[0][1]
        if all(after == state for _, after in asks) and len({len(row) for row in rows}) == 1:
            row = [place[best_first([guess for _, guess in place])[0]] for place in zip(*rows, strict=True)]
        else:
            means = [tuple(map(float, np.mean([guess for _, guess in row], axis=0))) for row in rows]
            number = best_first(means)[0]
            row, state = rows[number], asks[number][1]
        return [proposal for proposal, _ in row], state, [guess for _, guess in row]

    @cached_property
    def _encoding(self) -> Encoding[G]:
        return offer(self.encoding, self.space).make(self.space)
