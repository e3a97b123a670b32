"""BayesNAS: architecture search as Bayesian sparse learning (Zhou et al., ICML 2019).

    a supernet multiplies each operation with a switch, and each edge with another one; weights and switches step down
    the training loss plus penalties, whose weights follow from the loss's curvature after each epoch; operations whose
    switches the penalties bring to nothing are dead

The rule, with the authors' update, is in training/supernet/bayesnas.py. Beside the paper: `derive` networks are
trained, those with the greatest products of gammas, and the best of them is chosen by validation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from random import Random
from typing import ClassVar, Generic

from evonas_cli.core.checks import within
from evonas_cli.core.demands import Demands
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution.mixed_search import Mixed, MixedSearch
from evonas_cli.evolution.one_shot import OneShotSearch, Shared
from evonas_cli.evolution.path_sampling import RelaxableSpace


@dataclass(frozen=True, kw_only=True)
class BayesNas(Generic[G]):
    """Operations of a cell have switches under a sparse prior, and die when they do not pay (Zhou et al., 2019).

    `lambda_origin` and `lambda_child` weight the penalties of edges and of operations; an operation whose gamma is
    below `least_gamma` dies.
    """

    original_cost: ClassVar[str] = (
        "0.2 GPU-days on CIFAR-10 (Zhou et al., 2019; recalled, not checked against the paper)"
    )

    space: RelaxableSpace[G]
    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 0.1
    learning_rate_end: float = 0.0
    momentum: float = 0.9
    weight_decay: float = 1e-4
    clip_norm: float | None = 5.0
    examples: int | None = 512
    lambda_origin: float = 0.1
    lambda_child: float = 0.1
    switch_learning_rate: float = 0.1
    least_gamma: float = 0.01
    derive: int = 5
    audit: int = 20

    def __post_init__(self) -> None:
        self._search.check_settings()
        within("lambda_origin", self.lambda_origin, interval="[0, inf)")
        within("lambda_child", self.lambda_child, interval="[0, inf)")
        within("switch_learning_rate", self.switch_learning_rate, interval="(0, inf)")
        within("least_gamma", self.least_gamma, interval="[0, inf)")

    @cached_property
    def _search(self) -> OneShotSearch[G]:
        return OneShotSearch(**{field.name: getattr(self, field.name) for field in fields(OneShotSearch)})

    @cached_property
    def _mixed(self) -> MixedSearch[G]:
        settings: dict[str, Json] = {
            name: getattr(self, name)
            for name in ("lambda_origin", "lambda_child", "switch_learning_rate", "least_gamma")
        }
        return MixedSearch(search=self._search, rule="bayesnas", settings=settings)

    @property
    def demands(self) -> Demands:
        """A relaxable space and the job `supernet`."""
        return self._search.demands

    @property
    def least_evaluations(self) -> int:
        """A whole search."""
        return self._search.least(0)

    def init(self, rng: Random) -> Mixed:
        """Nothing is trained."""
        return Mixed(Shared())

    def ask(self, state: Mixed, rng: Random) -> tuple[list[Proposal[G]], Mixed]:
        """An epoch, or what ends the search."""
        return self._mixed.ask(state), state

    def tell(self, state: Mixed, told: Sequence[Evaluation[G]], rng: Random) -> Mixed:
        """After the last epoch networks are derived."""
        return self._mixed.tell(state, told, rng)

    def population(self, state: Mixed) -> tuple[int, ...]:
        """The derived networks that were trained, best first."""
        return self._search.population(state.shared)

    def keeps(self, state: Mixed) -> tuple[int, ...]:
        """The supernet, and the networks that were trained alone."""
        return self._search.keeps(state.shared)

    def figures(self, state: Mixed) -> Mapping[str, Json]:
        """The supernet, how many operations are left, skips of the strongest path, and the audit."""
        return self._mixed.figures(state)
