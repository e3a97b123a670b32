"""What one-shot strategies share: epochs of a supernet that continue each other, and how every search of them ends.

A search ends with networks derived from the supernet, each trained alone from its first epoch by the run's own job, and
the best of them by its validation loss. Beside them `audit` cells drawn at random are trained alone, too: figures then
say how well the supernet's scores rank them, and how well the number of parameters does, the rival of every such score
(Ning et al., NeurIPS 2021).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from statistics import median
from typing import Generic

from evonas_cli.core.checks import require, whole, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.types import Evaluation, G, Json, Proposal, value
from evonas_cli.evolution.path_sampling import Paths, RelaxableSpace
from evonas_cli.evolution.ranking import best_of_top, kendall, spearman
from evonas_cli.genomes.capabilities import Functional, Relaxable
from evonas_cli.genomes.supernet import JOB, Scoring, Training, scores, steps
from evonas_cli.network.relaxed import Path

TOP = 0.05
"""The share of the audited cells that counts as the top."""


@value
class Alone:
    """A network trained alone: whether it was derived, whether it is one of the audit, and what came out.

    `loss` is None for a training that failed, `parameters` where the job does not count them.
    """

    id: int
    derived: bool
    audited: int | None
    loss: float | None
    parameters: float | None


@dataclass(frozen=True, slots=True)
class Shared:
    """How far a search is.

    `stage` is search (the supernet is trained, and the strategy looks for paths), audit (scores of the audited paths
    are wanted), train (networks are to be trained alone) or done. `epochs` were trained; `last` is the candidate that
    holds the weights; `steps` counts the updates of an epoch; `failed` the candidates of the supernet that failed.
    """

    stage: str = "search"
    epochs: int = 0
    last: int | None = None
    steps: int | None = None
    loss: float | None = None
    failed: int = 0
    derived: tuple[Path, ...] = ()
    audited: tuple[Path, ...] = ()
    scores: tuple[float | None, ...] = ()
    alone: tuple[Alone, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OneShotSearch(Generic[G]):
    """Settings and steps that do not depend on how the supernet is trained and searched."""

    space: RelaxableSpace[G]
    epochs: int
    batch_size: int
    learning_rate: float
    learning_rate_end: float
    momentum: float
    weight_decay: float
    clip_norm: float | None
    examples: int | None
    derive: int
    audit: int

    def check_settings(self) -> None:
        """Raises UsageError for settings out of range."""
        for key, least in (("epochs", 1), ("batch_size", 2), ("derive", 1), ("audit", 0)):
            whole(key, getattr(self, key), least=least)
        whole("examples", self.examples, least=2, optional=True)
        within("learning_rate", self.learning_rate, interval="(0, inf)")
        within("learning_rate_end", self.learning_rate_end, interval="[0, inf)")
        within("momentum", self.momentum, interval="[0, 1)")
        within("weight_decay", self.weight_decay, interval="[0, inf)")
        within("clip_norm", self.clip_norm, interval="(0, inf)", optional=True)
        rule = f"exceeds strategy.learning_rate={self.learning_rate}, from which the rate falls"
        require(self.learning_rate_end <= self.learning_rate, "learning_rate_end", self.learning_rate_end, rule)
        require(self.audit != 1, "audit", self.audit, "ranks a single network; set it to 0 or to 2 or more")

    @property
    def demands(self) -> Demands:
        """A space whose networks are paths through one, the job `supernet`, and one step at a time."""
        return Demands(space=(Relaxable, Functional), jobs=(JOB,), continued=(JOB,), window=1)

    def least(self, searched: int) -> int:
        """The candidates of a whole search, `searched` of them beside epochs and the trainings at the end."""
        return self.epochs + searched + (self.audit > 0) + self.derive + self.audit

    @cached_property
    def paths(self) -> Paths[G]:
        """The paths of the space."""
        return Paths(self.space)

    def train(
        self,
        state: Shared,
        rule: str,
        settings: Mapping[str, Json] | None = None,
        groups: tuple[tuple[Path, ...], ...] = (),
    ) -> Proposal[G]:
        """The next epoch of the supernet."""
        names = ("batch_size", "learning_rate", "learning_rate_end", "momentum", "weight_decay", "clip_norm")
        weights: dict[str, Json] = {name: getattr(self, name) for name in names}
        order = Training(
            rule=rule,
            epoch=state.epochs,
            epochs=self.epochs,
            weights=weights,
            settings=settings or {},
            groups=groups,
        )
        return self._proposal(state, order.to_json(), "epoch")

    def trained(self, state: Shared, told: Evaluation[G]) -> Shared:
        """After an epoch. One that failed is asked for again: the supernet stays as it was."""
        if "supernet_loss" not in told.metrics:
            return self.failed(state)
        loss, epochs = told.metrics["supernet_loss"], state.epochs + 1
        return replace(state, epochs=epochs, last=told.id, steps=steps(told.payload), loss=loss)

    def failed(self, state: Shared) -> Shared:
        """After a candidate of the supernet that failed, and is asked for again until the budget ends."""
        return replace(state, failed=state.failed + 1)

    def score(
        self, state: Shared, paths: Sequence[Path], first_batch: int | None = None, limit: int | None = None
    ) -> Proposal[G]:
        """The scores of paths by the weights as they are; with `first_batch` each on a mini-batch, from that one on.
        Paths of more than `limit` multiply-adds get none."""
        order = Scoring(
            paths=tuple(paths),
            batch_size=self.batch_size,
            examples=self.examples,
            first_batch=first_batch,
            max_multiply_adds=limit,
        )
        return self._proposal(state, order.to_json(), "score" if first_batch is None else "reward")

    def scored(self, told: Evaluation[G], count: int) -> tuple[float | None, ...] | None:
        """The scores that were told; None where the candidate failed."""
        return None if "supernet_loss" not in told.metrics else scores(told.payload, count)

    def _proposal(self, state: Shared, options: Json, operator: str) -> Proposal[G]:
        genome: G = None  # type: ignore[assignment]  # a supernet has none
        return Proposal(genome, job=JOB, continues=state.last, operator=operator, options=options)

    def concluded(self, state: Shared, derived: Sequence[Path], rng: Random) -> Shared:
        """The search is over: these networks are derived, best first, and the audited ones are drawn."""
        if not self.audit:
            return replace(state, stage="train", derived=tuple(derived))
        audited = self.paths.draw_new(self.audit, (), rng)
        return replace(state, stage="audit", derived=tuple(derived), audited=tuple(audited))

    def ask(self, state: Shared) -> list[Proposal[G]]:
        """After the search: scores of the audited paths, then all networks to be trained alone, then nothing."""
        if state.stage == "audit":
            return [self.score(state, state.audited)]
        if state.stage == "train":
            return [
                Proposal(self.space.assigned(path), operator="audit" if not derived else "derived")
                for path, derived, _ in self._alone(state)
            ]
        return []

    def tell(self, state: Shared, told: Sequence[Evaluation[G]]) -> Shared:
        """After an ask of `ask`."""
        if state.stage == "audit":
            found = self.scored(told[0], len(state.audited))
            return self.failed(state) if found is None else replace(state, scores=found, stage="train")
        alone = [
            Alone(
                evaluation.id,
                derived,
                audited,
                None if evaluation.losses is None else evaluation.losses[0],
                evaluation.metrics.get("parameters"),
            )
            for evaluation, (_, derived, audited) in zip(told, self._alone(state), strict=True)
        ]
        return replace(state, stage="done", alone=tuple(alone))

    def _alone(self, state: Shared) -> list[tuple[Path, bool, int | None]]:
        """What is trained alone: the path, whether it is derived, its place in the audit. Equal ones are one."""
        place = {self.paths.key(path): number for number, path in enumerate(state.audited)}
        derived = [(path, True, place.pop(self.paths.key(path), None)) for path in state.derived]
        return derived + [(state.audited[number], False, number) for number in place.values()]

    def population(self, state: Shared) -> tuple[int, ...]:
        """The derived networks that were trained, best first."""
        able = [(one.loss, one.id) for one in state.alone if one.derived and one.loss is not None]
        return tuple([id for _, id in sorted(able)])

    def keeps(self, state: Shared) -> tuple[int, ...]:
        """The supernet as it is now, and all networks that were trained alone."""
        return tuple([*([] if state.last is None else [state.last]), *(one.id for one in state.alone)])

    def figures(self, state: Shared) -> dict[str, Json]:
        """How far the supernet is, and after the audit how well scores and parameters rank."""
        found: dict[str, Json] = {
            "stage": state.stage,
            "epoch": state.epochs,
            "supernet_loss": state.loss,
            "supernet_failures": state.failed,
        }
        derived = [one.loss for one in state.alone if one.derived and one.loss is not None]
        found |= {"derived_best": min(derived)} if derived else {}
        return {**found, **self._audited(state)} if state.audited and state.alone else found

    def _audited(self, state: Shared) -> dict[str, Json]:
        rows = [
            (state.scores[one.audited], one.loss, one.parameters)
            for one in state.alone
            if one.audited is not None and one.loss is not None
        ]
        by_score = [(score, loss) for score, loss, _ in rows if score is not None]
        by_size = [(-size, loss) for _, loss, size in rows if size is not None]
        return {
            "audited": len(rows),
            "audited_median": median(loss for _, loss, _ in rows) if rows else None,
            **_agreement("score", by_score),
            **_agreement("parameters", by_size),
        }


def _agreement(name: str, pairs: Sequence[tuple[float, float]]) -> dict[str, Json]:
    """Kendall's tau and Spearman's rho of predictions and losses, and the losses of the top by prediction."""
    predicted, losses = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    mean, best = best_of_top(predicted, losses, TOP) if pairs else (None, None)
    return {
        f"{name}_kendall": kendall(predicted, losses),
        f"{name}_spearman": spearman(predicted, losses),
        f"{name}_top_mean": mean,
        f"{name}_top_best": best,
    }
