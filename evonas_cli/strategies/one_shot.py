"""Single-path one-shot search (Guo et al., "Single Path One-Shot NAS with Uniform Sampling", ECCV 2020).

    for each step of the supernet's training: draw a path, train its weights on a batch
    evolution, by scores with the supernet's weights: from random paths, in each round the `parents` best of all so far
    give `crossovers` and `mutations` new ones; the best path at the end is trained from its start

Sampling: paths are drawn uniformly over distinct functions, not over strings (Ning et al., NeurIPS 2021), or with
strict fairness (FairNAS: Chu et al., ICCV 2021): each step trains as many paths as an edge has operations, each
operation once. Beside the papers: no path is scored twice; scores are validation losses, which rank better than
accuracies; `derive` paths are trained, and the best of them is chosen by validation. Under a limit of multiply-adds
paths above it get no score and have no children, where the paper draws them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from evonas_cli.core.checks import one_of, require, whole, within
from evonas_cli.core.types import Evaluation, G, Json, Proposal, value
from evonas_cli.evolution.one_shot import Shared
from evonas_cli.evolution.one_shot_settings import OneShotSettings
from evonas_cli.evolution.path_sampling import TRIES
from evonas_cli.network.relaxed import Path

FIRST_STEPS = 64
"""Groups of paths of the first epoch, whose number of steps is not known yet; they begin again when used up."""


@value
class Scored:
    """A path with its score, None for one that is no finite number."""

    path: Path
    score: float | None


@dataclass(frozen=True, slots=True)
class Search:
    """The supernet, the paths scored so far in their order, rounds of evolution done, and the paths asked last."""

    shared: Shared
    scored: tuple[Scored, ...] = ()
    rounds: int = 0
    asked: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OneShot(OneShotSettings[G]):
    """One supernet, trained path by path, scores all cells; evolution looks for the best score (Guo et al., 2020).

    `rounds` counts the asks for scores, the one of the first population included. `max_multiply_adds`, for one example,
    is a limit of what is scored and derived; None: none.
    """

    epochs: int = 20
    learning_rate: float = 0.1
    learning_rate_end: float = 0.0
    weight_decay: float = 4e-5
    sampling: Literal["uniform", "fair"] = "uniform"
    population_size: int = 50
    parents: int = 10
    crossovers: int = 25
    mutations: int = 25
    gene_rate: float = 0.1
    rounds: int = 8
    max_multiply_adds: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("sampling", self.sampling, names=("uniform", "fair"))
        for key in ("population_size", "parents", "rounds"):
            whole(key, getattr(self, key), least=1)
        whole("max_multiply_adds", self.max_multiply_adds, least=1, optional=True)
        for key in ("crossovers", "mutations"):
            whole(key, getattr(self, key), least=0)
        within("gene_rate", self.gene_rate, interval="[0, 1]")
        require(
            self.rounds == 1 or self.crossovers + self.mutations > 0,
            "rounds",
            self.rounds,
            "has nothing to score after the first round; set strategy.crossovers or strategy.mutations above 0",
        )

    @property
    def least_evaluations(self) -> int:
        """A whole search."""
        return self._search.least(self.rounds)

    def init(self, rng: Random) -> Search:
        """Nothing is trained."""
        return Search(Shared())

    def ask(self, state: Search, rng: Random) -> tuple[list[Proposal[G]], Search]:
        """An epoch, a round of scores, or what ends the search."""
        shared = state.shared
        if shared.stage != "search":
            return self._search.ask(shared), state
        if shared.epochs < self.epochs:
            groups = tuple([self._group(rng) for _ in range(shared.steps or FIRST_STEPS)])
            return [self._search.train(shared, "paths", groups=groups)], state
        return [self._search.score(shared, state.asked, limit=self.max_multiply_adds)], state

    def tell(self, state: Search, told: Sequence[Evaluation[G]], rng: Random) -> Search:
        """After the last epoch and after each round the next paths are chosen, or the search is concluded."""
        shared = state.shared
        if shared.stage != "search":
            return replace(state, shared=self._search.tell(shared, told))
        if shared.epochs < self.epochs:
            after = replace(state, shared=self._search.trained(shared, told[0]))
            return self._next(after, rng) if after.shared.epochs == self.epochs else after
        found = self._search.scored(told[0], len(state.asked))
        if found is None:
            return replace(state, shared=self._search.failed(shared))
        scored = [Scored(path, score) for path, score in zip(state.asked, found, strict=True)]
        return self._next(replace(state, scored=(*state.scored, *scored), rounds=state.rounds + 1), rng)

    def _next(self, state: Search, rng: Random) -> Search:
        """The paths of the next round; where there is none, or nothing is left to score, the conclusion."""
        asked = self._children(state, rng) if state.rounds < self.rounds else []
        if asked:
            return replace(state, asked=tuple(asked))
        best = [scored.path for scored in self._best(state)[: self.derive]]
        return replace(state, asked=(), shared=self._search.concluded(state.shared, best, rng))

    def _best(self, state: Search) -> list[Scored]:
        """The scored paths, the least loss first; of equals the older one."""
        able = [(scored.score, n) for n, scored in enumerate(state.scored) if scored.score is not None]
        return [state.scored[n] for _, n in sorted(able)]

    def _children(self, state: Search, rng: Random) -> list[Path]:
        """New paths: mutants and crossings of the parents, filled up with random ones to the population's size."""
        paths = self._search.paths
        known = {paths.key(scored.path) for scored in state.scored}
        parents = [scored.path for scored in self._best(state)[: self.parents]]
        found: list[Path] = []
        for count, mutates in ((self.mutations, True), (self.crossovers, False)):
            for _ in range(TRIES if parents else 0):
                if count == 0:
                    break
                first, second = rng.choice(parents), rng.choice(parents)
                child = paths.mutate(first, self.gene_rate, rng) if mutates else paths.cross(first, second, rng)
                if (key := paths.key(child)) not in known:
                    known.add(key)
                    found.append(child)
                    count -= 1
        return found + paths.draw_new(max(0, self.population_size - len(found)), known, rng)

    def _group(self, rng: Random) -> tuple[Path, ...]:
        return self._search.paths.fair(rng) if self.sampling == "fair" else (self._search.paths.draw(rng),)

    def figures(self, state: Search) -> Mapping[str, Json]:
        """The supernet, the best score, and the audit."""
        best = self._best(state)
        score = best[0].score if best else None
        return {**self._search.figures(state.shared), "scored": len(state.scored), "best_score": score}
