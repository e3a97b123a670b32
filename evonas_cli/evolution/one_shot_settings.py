"""What every one-shot strategy is beside its way through the supernet: a base class with settings and what follows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Generic, Protocol

from evonas_cli.core.demands import Demands
from evonas_cli.core.types import G
from evonas_cli.evolution.one_shot import OneShotSearch, Shared
from evonas_cli.evolution.path_sampling import RelaxableSpace


class Holding(Protocol):
    """A state that says how far the search is."""

    @property
    def shared(self) -> Shared:
        """The supernet and the networks that were trained alone."""


@dataclass(frozen=True, kw_only=True)
class OneShotSettings(Generic[G]):
    """Settings of the supernet's training and of the end of the search: `class Darts(OneShotSettings[G])`.

    The weights are trained for `epochs` by SGD with a learning rate that falls to `learning_rate_end`. Paths are scored
    on so many `examples` of the validation part. `derive` networks and `audit` further ones are trained alone. A
    strategy gives the defaults that are not here, and may give others. Raises UsageError for settings out of range.
    """

    space: RelaxableSpace[G]
    epochs: int
    batch_size: int = 64
    learning_rate: float
    learning_rate_end: float
    momentum: float = 0.9
    weight_decay: float
    clip_norm: float | None = 5.0
    examples: int | None = 512
    derive: int = 5
    audit: int = 20

    def __post_init__(self) -> None:
        self._search.check_settings()

    @cached_property
    def _search(self) -> OneShotSearch[G]:
        return OneShotSearch(**{field.name: getattr(self, field.name) for field in fields(OneShotSearch)})

    @property
    def demands(self) -> Demands:
        """A relaxable space and the job `supernet`."""
        return self._search.demands

    @property
    def least_evaluations(self) -> int:
        """A whole search: its epochs, and the networks that are trained alone."""
        return self._search.least(0)

    def population(self, state: Holding) -> tuple[int, ...]:
        """The derived networks that were trained, best first."""
        return self._search.population(state.shared)

    def keeps(self, state: Holding) -> tuple[int, ...]:
        """The supernet, and the networks that were trained alone."""
        return self._search.keeps(state.shared)
