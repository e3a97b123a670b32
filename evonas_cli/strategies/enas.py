"""ENAS: a controller and shared weights in turn (Pham, Guan, Zoph, Le and Dean, ICML 2018).

    in each epoch: for each batch of the training part the controller draws a path, whose weights are trained; then
    `controller_steps` times it draws `samples` paths, rewards each by its accuracy on one mini-batch of the validation
    part, and takes one step of REINFORCE with a moving baseline
    at the end it draws `candidates` paths; those with the least validation losses are trained from their start

As in the authors' code the entropy of a path's decisions is added to its reward, and the baseline takes in a reward
before it is subtracted from it. The controller is that of REINFORCE (controllers/lstm.py), with logits c tanh(x).
Mini-batches are normalised by their own statistics. Beside the paper: the number of controller steps, each of which is
a candidate of the run; and `derive` networks are trained, of which the best is chosen by validation.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from random import Random
from statistics import fmean
from typing import TYPE_CHECKING, ClassVar

from evonas_cli.core.checks import whole, within
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution.one_shot import Shared
from evonas_cli.evolution.one_shot_settings import OneShotSettings
from evonas_cli.genomes.choices import Choice, Genes
from evonas_cli.genomes.supernet import errors
from evonas_cli.genomes.walk import Program, kinds_of, walk_choices
from evonas_cli.network.relaxed import Path
from evonas_cli.strategies.controllers.values import Trained

if TYPE_CHECKING:
    from evonas_cli.strategies.controllers.lstm import Lstm

FIRST_STEPS = 64
"""Paths of the first epoch, whose number of steps is not known yet; they begin again when used up."""


@dataclass(frozen=True, slots=True)
class Controlled:
    """The supernet, the controller's weights, the baseline, and the paths that wait for rewards or scores.

    `steps` counts the controller's steps of this epoch; the last three are figures of its last step.
    """

    shared: Shared
    trained: Trained
    baseline: float = 0.0
    steps: int = 0
    asked: tuple[Path, ...] = ()
    accuracy: float | None = None
    entropy: float | None = None
    best_score: float | None = None


@dataclass(frozen=True, kw_only=True)
class Enas(OneShotSettings[G]):
    """A recurrent controller draws paths of a supernet and learns from their accuracies (Pham et al., 2018).

    `hidden` and `controller_learning_rate` are the controller's, `tanh_constant` bounds its logits.
    """

    original_cost: ClassVar[str] = (
        "0.45 GPU-days on CIFAR-10 (Pham et al., 2018; recalled, not checked against the paper)"
    )

    epochs: int = 10
    learning_rate: float = 0.05
    learning_rate_end: float = 0.0005
    weight_decay: float = 1e-4
    controller_steps: int = 2
    samples: int = 10
    hidden: int = 64
    controller_learning_rate: float = 3.5e-3
    tanh_constant: float | None = 0.44
    entropy_weight: float = 1e-4
    baseline_decay: float = 0.99
    candidates: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("controller_steps", "samples", "hidden", "candidates"):
            whole(key, getattr(self, key), least=1)
        within("controller_learning_rate", self.controller_learning_rate, interval="(0, inf)")
        within("tanh_constant", self.tanh_constant, interval="(0, inf)", optional=True)
        within("entropy_weight", self.entropy_weight, interval="[0, inf)")
        within("baseline_decay", self.baseline_decay, interval="[0, 1)")

    @cached_property
    def _choices(self) -> list[Choice]:
        return [Choice(edge.name, edge.operations) for edge in self.space.relaxed.edges]

    @cached_property
    def _network(self) -> Lstm:
        from evonas_cli.strategies.controllers.lstm import Lstm

        return Lstm(kinds_of(self._choices), self.hidden, 1, self.tanh_constant)

    @property
    def least_evaluations(self) -> int:
        """A whole search."""
        return self._search.least(self.epochs * self.controller_steps + 1)

    def environment(self) -> dict[str, Json]:
        """The CPU's architecture with the instructions that torch uses, and torch's version."""
        import torch

        instructions = torch.backends.cpu.get_cpu_capability()
        return {"strategy_cpu": f"{platform.machine()} {instructions}", "strategy_torch": torch.__version__}

    def init(self, rng: Random) -> Controlled:
        """A fresh controller; nothing is trained."""
        from evonas_cli.strategies.controllers import adam

        return Controlled(Shared(), adam.begin(self._network.fresh(rng)))

    def ask(self, state: Controlled, rng: Random) -> tuple[list[Proposal[G]], Controlled]:
        """An epoch of shared weights, rewards, scores of the last paths, or what ends the search."""
        shared = state.shared
        if shared.stage != "search":
            return self._search.ask(shared), state
        if self._trains(state):
            groups = tuple([(path,) for path in self._drawn(state, shared.steps or FIRST_STEPS, rng)])
            return [self._search.train(shared, "paths", groups=groups)], state
        if self._rewards(state):
            asked = tuple(self._drawn(state, self.samples, rng))
            first = (shared.epochs * self.controller_steps + state.steps) * self.samples
            return [self._search.score(shared, asked, first)], replace(state, asked=asked)
        asked = tuple(dict.fromkeys(self._drawn(state, self.candidates, rng)))
        return [self._search.score(shared, asked)], replace(state, asked=asked)

    def _trains(self, state: Controlled) -> bool:
        """Whether shared weights are next: before the first step of the controller, and when it has taken all."""
        more = state.shared.epochs < self.epochs
        return more and (state.shared.epochs == 0 or state.steps == self.controller_steps)

    def _rewards(self, state: Controlled) -> bool:
        return state.steps < self.controller_steps

    def tell(self, state: Controlled, told: Sequence[Evaluation[G]], rng: Random) -> Controlled:
        """After an epoch the controller's turn; after rewards one step of it; after scores the conclusion.

        Raises UsageError for data without accuracies, and when the controller's gradient is no longer finite.
        """
        shared = state.shared
        if shared.stage != "search":
            return replace(state, shared=self._search.tell(shared, told))
        if self._trains(state):
            after = self._search.trained(shared, told[0])
            return replace(state, shared=after, steps=0 if after.epochs > shared.epochs else state.steps)
        found = self._search.scored(told[0], len(state.asked))
        if found is None:
            return replace(state, shared=self._search.failed(shared))
        if self._rewards(state):
            return self._learned(state, told[0].payload)
        ranked = sorted((loss, path) for loss, path in zip(found, state.asked, strict=True) if loss is not None)
        best: dict[str, Path] = {}
        for _, path in ranked:
            best.setdefault(self._search.paths.key(path), path)
        concluded = self._search.concluded(shared, list(best.values())[: self.derive], rng)
        return replace(state, shared=concluded, asked=(), best_score=ranked[0][0])

    def _program(self) -> Program[Genes]:
        return walk_choices(self._choices)

    def _drawn(self, state: Controlled, count: int, rng: Random) -> list[Path]:
        """Paths drawn from the controller: the answers of its walks."""
        from evonas_cli.strategies.controllers import adam, sampling

        with sampling.one_thread():
            weights = adam.to_tensor(state.trained.weights)
            return list(sampling.sample(self._network, weights, self._program, count, rng)[1])

    def _learned(self, state: Controlled, payload: Json) -> Controlled:
        """One step of REINFORCE on the mean over the paths."""
        import torch

        from evonas_cli.strategies.controllers import adam, sampling

        try:
            accuracies = [1.0 - error for error in errors(payload, len(state.asked))]
        except ValueError as error:
            raise UsageError(
                "strategy=enas rewards accuracies, and these data have none; use strategy=one_shot"
            ) from error
        with sampling.one_thread():
            weights = adam.to_tensor(state.trained.weights).requires_grad_()
            scores = sampling.score(self._network, weights, self._program, state.asked)
            entropies = scores.entropies.tolist()
            rewards = [a + self.entropy_weight * entropy for a, entropy in zip(accuracies, entropies, strict=True)]
            baseline, advantages = moved(state.baseline, rewards, self.baseline_decay)
            gains = scores.log_probabilities * torch.tensor(advantages, dtype=torch.float64)
            (gradient,) = torch.autograd.grad(-gains.mean(), weights)
            if not isfinite(float(gradient.norm())):
                raise UsageError(
                    "strategy: the controller's gradient is not finite; lower strategy.controller_learning_rate"
                )
            trained = adam.descend(state.trained, gradient, self.controller_learning_rate)
        return replace(
            state,
            trained=trained,
            baseline=baseline,
            steps=state.steps + 1,
            asked=(),
            accuracy=fmean(accuracies),
            entropy=fmean(entropies) / len(self._choices),
        )

    def figures(self, state: Controlled) -> Mapping[str, Json]:
        """The supernet, the accuracy of the paths drawn last, baseline and entropy a decision, and the audit."""
        return {
            **self._search.figures(state.shared),
            "accuracy": state.accuracy,
            "baseline": state.baseline,
            "entropy": state.entropy,
            "best_score": state.best_score,
        }


def moved(baseline: float, rewards: Sequence[float], decay: float) -> tuple[float, list[float]]:
    """The baseline after all rewards, and each reward less the baseline that has just taken it in."""
    advantages = []
    for reward in rewards:
        baseline -= (1 - decay) * (baseline - reward)
        advantages.append(reward - baseline)
    return baseline, advantages
