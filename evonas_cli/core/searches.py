"""Searches as a thing to evaluate: what a job is given that measures how well a strategy searches with its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.rng import derive
from evonas_cli.core.types import Failure, Json


class Searches(Protocol):
    """Inner searches that differ in settings of their strategy and in their seed alone. A job is pickled with them."""

    @property
    def evaluations(self) -> int:
        """How many candidates a search evaluates at most."""

    def check(self, extremes: Mapping[str, Sequence[Json]], metric: str | None) -> None:
        """Looks at the settings with their extreme values, and at the metric, before the first search.

        Raises UsageError for a setting that the strategy does not have, for an extreme value with which no search can
        begin whatever the other settings are, and for a metric that the inner job does not measure.
        """

    def check_there(self) -> None:
        """As `Placed`, for the inner job."""

    def environment(self) -> dict[str, Json]:
        """What the searches depend on beside the configuration."""

    def losses(self, settings: Mapping[str, Json], seeds: Sequence[int], metric: str | None) -> list[float] | Failure:
        """The loss of each search's best candidate: `losses({"population_size": 12}, (1, 2), "true_error")`.

        Deterministic. The best candidate has the lowest loss of the first objective; `metric` is what of it counts
        (None: that objective). A Failure says that the settings do not go together, or that no candidate of a search
        succeeded.
        """


@runtime_checkable
class Checking(Protocol, metaclass=Capability):
    """What a job may have in addition: it tries its settings out before a run, which takes more than a glance."""

    def check_settings(self) -> None:
        """Raises UsageError for settings with which no candidate, or not all of the space, can be evaluated."""


def inner_seeds(seed: int, purpose: str, count: int) -> list[int]:
    """So many seeds of inner searches, each of which can be a run's `seed`; those of another purpose are others."""
    return [derive(seed, purpose, number) >> 1 for number in range(count)]
