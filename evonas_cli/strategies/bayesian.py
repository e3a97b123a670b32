"""Bayesian optimisation with a Gaussian process on a distance between genomes (Mockus, 1978; Jones et al., 1998).

    evaluate `initial` samples of the prior; then for each step: fit the process to what was told, make a pool of
    mutants of the best candidates and of fresh samples, and propose what promises most by the acquisition function

The kernel is exp(-d / length) on a distance between genomes; length and noise have the largest marginal likelihood of a
grid (`surrogates/gaussian_process.py`). No network is proposed twice, whatever genome it is written as. Candidates that
are not yet told, because of `batch` or the run's window, count as told with their predicted mean (the Kriging believer;
Ginsbourger, Le Riche and Carraro, 2010). A failed candidate counts as the worst loss told, and losses beyond Tukey's
upper fence (1977) as the fence, so that a few bad outliers do not flatten what the process sees of good candidates.
When mutants and samples give nothing new any more, the search ends.

Several objectives: `several` first ignores the others; hypervolume is the expected improvement of the front's volume
(Emmerich, 2005), with a process for each objective; scalarization draws weights for each ask (ParEGO; Knowles, 2006).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from random import Random
from typing import Any, Generic

import numpy as np

from evonas_cli.core.checks import one_of, whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.hypervolume import reference_point
from evonas_cli.core.types import Evaluation, G, Json, Objective, Proposal
from evonas_cli.evolution.nondominated import best_first
from evonas_cli.genomes.capabilities import Mutable
from evonas_cli.surrogates import acquisition
from evonas_cli.surrogates.distances import DISTANCES, Distance, offer
from evonas_cli.surrogates.environment import environment
from evonas_cli.surrogates.fantasies import Fantasies
from evonas_cli.surrogates.gaussian_process import Array, fit
from evonas_cli.surrogates.plans import canonical_form
from evonas_cli.surrogates.seen import Seen, Told, distinct, fenced, imputed, mutants, new_samples
from evonas_cli.surrogates.several_objectives import (
    MOST_OBJECTIVES,
    expected_hypervolume_improvement,
    random_weights,
    scalarized,
)

EDITS = (0.5, 0.25, 0.125, 0.075, 0.05)
"""Probabilities of 1 to 5 mutations in a row, those of NASBOT (Kandasamy et al., 2018)."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What was chosen for one objective at the last ask: the kernel's parameters, the noise, the log marginal
    likelihood of the standardised losses."""

    parameters: tuple[float, ...]
    noise: float
    evidence: float


@dataclass(frozen=True, slots=True)
class Beliefs(Generic[G]):
    """What the strategy has seen, and the processes of the last ask, none before the first one."""

    seen: Seen[G] = field(default_factory=Seen)
    fits: tuple[Fit, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Bayesian(Generic[G]):
    """Bayesian optimisation: a Gaussian process on a distance between genomes says what to evaluate next.

    `kernel` names the distance, `acquisition` how promise is weighed; `several` says what further objectives mean.
    """

    space: Any
    initial: int = 10
    batch: int = 1
    kernel: str = "auto"
    acquisition: str = "expected_improvement"
    beta: float = 2.0
    several: str = "hypervolume"
    candidates: int = 100
    fresh: float = 0.2
    parents: int = 10

    def __post_init__(self) -> None:
        whole("initial", self.initial, least=2)
        whole("batch", self.batch, least=1)
        one_of("kernel", self.kernel, names=("auto", *DISTANCES))
        one_of("acquisition", self.acquisition, names=("expected_improvement", "confidence_bound", "thompson"))
        within("beta", self.beta, interval="[0, inf)")
        one_of("several", self.several, names=("first", "hypervolume", "scalarization"))
        whole("candidates", self.candidates, least=1)
        within("fresh", self.fresh, interval="[0, 1]")
        whole("parents", self.parents, least=1)

    @property
    def demands(self) -> Demands:
        """Mutation and what the kernel needs; by all objectives unless `several` is first."""
        needs = (Mutable, offer(self.kernel, self.space).needs)
        return Demands(space=needs, objectives="first" if self.several == "first" else "all")

    @property
    def least_evaluations(self) -> int:
        """The first points."""
        return self.initial

    def check_objectives(self, objectives: Sequence[Objective]) -> None:
        """Raises UsageError for more objectives than the exact expected hypervolume improvement is computed for."""
        if self.several == "hypervolume" and len(objectives) > MOST_OBJECTIVES:
            raise UsageError(
                f"strategy.several=hypervolume takes at most {MOST_OBJECTIVES} objectives, and the run has "
                f"{len(objectives)}; set strategy.several=scalarization"
            )

    def environment(self) -> dict[str, Json]:
        """numpy and scipy, on which last bits depend."""
        return environment()

    def check_space(self) -> None:
        """Raises UsageError where the space has networks for no nominal task."""
        _ = self._form, self._distance

    def init(self, rng: Random) -> Beliefs[G]:
        """Nothing seen. Raises as `check_space`."""
        self.check_space()
        return Beliefs()

    def ask(self, state: Beliefs[G], rng: Random) -> tuple[list[Proposal[G]], Beliefs[G]]:
        """The first points, then the most promising of a pool; nothing where there is nothing new."""
        seen, fits = state.seen, state.fits
        left = self.initial - seen.asked
        if left > 0 or len(seen.able) < 2:
            proposals = new_samples(
                self.space, min(self.batch, left) if left > 0 else self.batch, seen.forms, self._form, rng
            )
        else:
            proposals, fits = self._best(seen, rng)
        if not proposals:
            return [], state
        return proposals, Beliefs(seen.asking(proposals, self._form), fits)

    def tell(self, state: Beliefs[G], told: Sequence[Evaluation[G]], rng: Random) -> Beliefs[G]:
        """Remembers the outcomes."""
        return replace(state, seen=state.seen.telling(told))

    def population(self, state: Beliefs[G]) -> tuple[int, ...]:
        """The candidates that are mutated next, the best first."""
        return tuple([one.id for one in self._parents(state.seen)])

    def figures(self, state: Beliefs[G]) -> Mapping[str, Json]:
        """Of the last ask, a number for each process: `length` of the kernel, as a distance, `noise` as a share of the
        prior's variance, `log_marginal_likelihood` of the standardised losses."""
        return {
            "length": [one.parameters[0] for one in state.fits],
            "noise": [one.noise for one in state.fits],
            "log_marginal_likelihood": [one.evidence for one in state.fits],
        }

    def _best(self, seen: Seen[G], rng: Random) -> tuple[list[Proposal[G]], tuple[Fit, ...]]:
        """Up to `batch` new candidates, and what the processes were fitted with. Samples where the pool has none."""
        targets, told = self._targets(seen, rng), [one.genome for one in seen.told]
        apart = self._distance.between(told, told)
        processes = [fit(apart, column, self._distance.definite, self._distance.kernel) for column in targets.T]
        chosen: list[Proposal[G]] = []
        if pool := self._pool(seen, rng):
            waiting = [one.genome for one in seen.waiting]
            genomes = [*waiting, *[proposal.genome for proposal in pool]]
            beliefs = Fantasies.of(self._distance, processes, told, genomes)
            for index in range(len(waiting)):
                beliefs = beliefs.believing(index)
            chosen = self._most_promising(beliefs, pool, seen.forms, reference_point(targets.tolist()), rng)
        chosen = chosen or new_samples(self.space, self.batch, seen.forms, self._form, rng)
        return chosen, tuple([Fit(one.parameters, one.noise, one.evidence) for one in processes])

    def _most_promising(
        self, beliefs: Fantasies, pool: Sequence[Proposal[G]], known: set[str], reference: Sequence[float], rng: Random
    ) -> list[Proposal[G]]:
        """Up to `batch` of the pool, whose genomes are the last ones of the beliefs, each chosen as if those before it
        had been told."""
        chosen: list[Proposal[G]] = []
        before = len(beliefs.genomes) - len(pool)
        while len(chosen) < self.batch:
            order = acquisition.ranking(self._scores(beliefs, reference, rng)[before:])
            best = next((place for place in order if self._form(pool[place].genome) not in known), None)
            if best is None:
                break
            known = known | {self._form(pool[best].genome)}
            chosen.append(pool[best])
            beliefs = beliefs.believing(before + best)
        return chosen

    def _targets(self, seen: Seen[G], rng: Random) -> Array:
        """What the processes are fitted to, (told, 1), or (told, objectives) for the hypervolume."""
        losses = fenced(np.array(imputed(seen.told)))
        if self.several == "first":
            return losses[:, :1]
        if self.several == "scalarization" and losses.shape[1] > 1:
            return scalarized(losses, random_weights(losses.shape[1], rng))[:, None]
        return losses

    def _pool(self, seen: Seen[G], rng: Random) -> list[Proposal[G]]:
        """Mutants of the best and fresh samples, without genomes that are known."""
        fresh = round(self.fresh * self.candidates)
        parents, sizes = self._parents(seen), range(1, len(EDITS) + 1)
        bred = mutants(self.space, parents, lambda: rng.choices(sizes, EDITS)[0], rng)
        samples = [Proposal(self.space.sample(rng), operator="sample") for _ in range(fresh)]
        known = {one.genome for one in seen.told} | {one.genome for one in seen.waiting}
        return distinct([*islice(bred, self.candidates - fresh), *samples], known)

    def _parents(self, seen: Seen[G]) -> list[Told[G]]:
        able = seen.able
        losses = [(one.losses or ())[: 1 if self.several == "first" else None] for one in able]
        return [able[index] for index in best_first(losses)[: self.parents]]

    def _scores(self, beliefs: Fantasies, reference: Sequence[float], rng: Random) -> Array:
        """The acquisition function of all genomes of the beliefs."""
        means, deviations = beliefs.means, beliefs.deviations
        if means.shape[1] > 1:
            return expected_hypervolume_improvement(means, deviations, beliefs.points.tolist(), reference)
        if self.acquisition == "thompson":
            return acquisition.thompson(means[:, 0], beliefs.covariance(), rng)
        if self.acquisition == "confidence_bound":
            return acquisition.confidence_bound(means[:, 0], deviations[:, 0], self.beta)
        return acquisition.expected_improvement(means[:, 0], deviations[:, 0], float(beliefs.points.min()))

    @cached_property
    def _distance(self) -> Distance[G]:
        return offer(self.kernel, self.space).make(self.space)

    @cached_property
    def _form(self) -> Callable[[G], str]:
        return canonical_form(self.space)
