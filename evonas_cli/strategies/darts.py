"""DARTS: differentiable architecture search (Liu, Simonyan and Yang, ICLR 2019).

    a supernet adds the operations of each edge, weighted by the softmax of alphas; for each step alphas step down the
    loss on one half of the training part, then weights step down the loss on the other half
    at the end each edge keeps its strongest operation other than none, and that network is trained from its start

Rule and its gradients are in training/supernet/darts.py. `early_stop: skips` ends the search when the derived cell has
`stop_skips` skips (DARTS+: Liang et al., 2019). `eigenvalue` ends it when the dominant eigenvalue of the validation
loss's Hessian over the alphas, averaged over 5 evaluations, is more than 1.3 times that of 4 evaluations before, and
goes back to the alphas of that time (Zela et al., ICLR 2020). Beside the papers: `derive` networks are trained, those
with the greatest products of shares, and the best of them is chosen by validation; edges of a cell are all kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from statistics import fmean
from typing import ClassVar, Literal

from evonas_cli.core.checks import one_of, whole, within
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution.mixed_search import Mixed, MixedSearch, Strengths
from evonas_cli.evolution.one_shot import Shared
from evonas_cli.evolution.one_shot_settings import OneShotSettings

LOCAL, BACK, RATIO, FIRST_EPOCH, EVERY = 5, 4, 1.3, 10, 2
"""Constants of RobustDARTS: evaluations of a local mean, evaluations to look back, the ratio that ends the search, the
first epoch at which it may end, and epochs between two evaluations."""


@dataclass(frozen=True, slots=True)
class Course:
    """The search, and for early stopping the dominant eigenvalues with the strengths of their time, oldest first.

    `stopped` is the epoch after which the search was ended early.
    """

    mixed: Mixed
    eigenvalues: tuple[float, ...] = ()
    history: tuple[Strengths, ...] = ()
    stopped: int | None = None

    @property
    def shared(self) -> Shared:
        """How far the search is."""
        return self.mixed.shared


@dataclass(frozen=True, kw_only=True)
class Darts(OneShotSettings[G]):
    """Operations of a cell weighted by a softmax that follows the validation gradient (Liu et al., 2019).

    `xi` is the rate of the step that second order looks through (None: the weights' learning rate); `max_skips` bounds
    the skips of derived cells.
    """

    original_cost: ClassVar[str] = (
        "1 to 4 GPU-days on CIFAR-10 (Liu et al., 2019; recalled, not checked against the paper)"
    )

    epochs: int = 30
    learning_rate: float = 0.025
    learning_rate_end: float = 0.001
    weight_decay: float = 3e-4
    order: Literal["first", "second"] = "first"
    xi: float | None = None
    alpha_learning_rate: float = 3e-3
    alpha_weight_decay: float = 1e-3
    early_stop: Literal["none", "skips", "eigenvalue"] = "none"
    stop_skips: int = 2
    max_skips: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("order", self.order, names=("first", "second"))
        one_of("early_stop", self.early_stop, names=("none", "skips", "eigenvalue"))
        within("xi", self.xi, interval="[0, inf)", optional=True)
        within("alpha_learning_rate", self.alpha_learning_rate, interval="(0, inf)")
        within("alpha_weight_decay", self.alpha_weight_decay, interval="[0, inf)")
        whole("stop_skips", self.stop_skips, least=1)
        whole("max_skips", self.max_skips, least=0, optional=True)

    @cached_property
    def _mixed(self) -> MixedSearch[G]:
        names = ("order", "xi", "alpha_learning_rate", "alpha_weight_decay")
        settings: dict[str, Json] = {name: getattr(self, name) for name in names}
        settings["eigenvalue_every"] = EVERY if self.early_stop == "eigenvalue" else None
        return MixedSearch(search=self._search, rule="darts", settings=settings, most_skips=self.max_skips)

    def init(self, rng: Random) -> Course:
        """Nothing is trained."""
        return Course(Mixed(Shared()))

    def ask(self, state: Course, rng: Random) -> tuple[list[Proposal[G]], Course]:
        """An epoch, or what ends the search."""
        return self._mixed.ask(state.mixed), state

    def tell(self, state: Course, told: Sequence[Evaluation[G]], rng: Random) -> Course:
        """After an epoch that ends the search, the last one or an earlier one, networks are derived."""
        if state.mixed.shared.stage != "search":
            return replace(state, mixed=self._mixed.tell(state.mixed, told, rng))
        mixed = self._mixed.epoch(state.mixed, told[0])
        if mixed.shared.epochs == state.mixed.shared.epochs:
            return replace(state, mixed=mixed)
        after = _with_eigenvalue(replace(state, mixed=mixed))
        back = self._stopped(after)
        if back is not None:
            after = replace(after, mixed=replace(mixed, strengths=back), stopped=mixed.shared.epochs)
        elif mixed.shared.epochs < self.epochs:
            return after
        return replace(after, mixed=self._mixed.concluded(after.mixed, rng))

    def _stopped(self, state: Course) -> Strengths | None:
        """The strengths to derive from where the search is to end early; None where it goes on."""
        mixed = state.mixed
        if self.early_stop == "skips":
            [strongest] = self._search.paths.strongest(mixed.strengths, 1)
            return mixed.strengths if self._search.paths.relaxed.skips(strongest) >= self.stop_skips else None
        measured = len(state.eigenvalues)
        if self.early_stop == "none" or mixed.shared.epochs % EVERY or mixed.shared.epochs < FIRST_EPOCH:
            return None
        if measured <= BACK:
            return None
        now, before = (fmean(state.eigenvalues[max(0, end - LOCAL) : end]) for end in (measured, measured - BACK))
        return state.history[-1 - BACK] if before > 0 and now / before > RATIO else None

    def figures(self, state: Course) -> Mapping[str, Json]:
        """The supernet, the mean entropy of the softmaxes, skips, the eigenvalue, and the audit."""
        return {**self._mixed.figures(state.mixed), "stopped": state.stopped}


def _with_eigenvalue(state: Course) -> Course:
    """The state with the eigenvalue of the last epoch, if one was measured."""
    found = dict(state.mixed.numbers).get("eigenvalue")
    if found is None:
        return state
    return replace(state, eigenvalues=(*state.eigenvalues, found), history=(*state.history, state.mixed.strengths))
