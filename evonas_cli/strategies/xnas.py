"""XNAS: architecture search as prediction with expert advice (Nayman et al., NeurIPS 2019).

    the operations of an edge are experts with weights v, which a supernet mixes; for each step network weights step
    down the training loss, then v is multiplied by exp(eta reward); an operation that can not come to be the best any
    more is wiped out, so that nothing that counts is cut off at the end

The rule is in training/supernet/xnas.py and experts.py. Beside the paper: `derive` networks are trained, those with the
greatest products of shares, and the best of them is chosen by validation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from random import Random
from typing import ClassVar, Generic

from evonas_cli.core.checks import switch, within
from evonas_cli.core.demands import Demands
from evonas_cli.core.types import Evaluation, G, Json, Proposal
from evonas_cli.evolution.mixed_search import Mixed, MixedSearch
from evonas_cli.evolution.one_shot import OneShotSearch, Shared
from evonas_cli.evolution.path_sampling import RelaxableSpace


@dataclass(frozen=True, kw_only=True)
class Xnas(Generic[G]):
    """Operations of a cell are experts, and hopeless ones are wiped out (Nayman et al., 2019).

    `bound` clips rewards; `eta` is the rate of the experts (None: that of the regret bound).
    """

    original_cost: ClassVar[str] = (
        "0.3 GPU-days on CIFAR-10 (Nayman et al., 2019; recalled, not checked against the paper)"
    )

    space: RelaxableSpace[G]
    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 0.025
    learning_rate_end: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip_norm: float | None = 5.0
    examples: int | None = 512
    bound: float = 1.0
    eta: float | None = None
    wipe_out: bool = True
    derive: int = 5
    audit: int = 20

    def __post_init__(self) -> None:
        self._search.check_settings()
        within("bound", self.bound, interval="(0, inf)")
        within("eta", self.eta, interval="(0, inf)", optional=True)
        switch("wipe_out", self.wipe_out)

    @cached_property
    def _search(self) -> OneShotSearch[G]:
        return OneShotSearch(**{field.name: getattr(self, field.name) for field in fields(OneShotSearch)})

    @cached_property
    def _mixed(self) -> MixedSearch[G]:
        settings: dict[str, Json] = {name: getattr(self, name) for name in ("bound", "eta", "wipe_out")}
        return MixedSearch(search=self._search, rule="xnas", settings=settings)

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
