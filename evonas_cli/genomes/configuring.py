"""What a space of settings may offer: of a trainer, of a strategy, or of its own that follow from the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.types import Json
from evonas_cli.network.task import Phenotype

C = TypeVar("C", contravariant=True)
G = TypeVar("G", covariant=True)


@runtime_checkable
class Tuning(Protocol, metaclass=Capability):
    """Capability of a Buildable space: its genomes set trainer keys."""

    @property
    def tuned(self) -> Mapping[str, Sequence[Json]]:
        """The keys, each with its extreme values, so that wrong ones are refused before the search starts."""


@runtime_checkable
class Defaulting(Protocol[G], metaclass=Capability):
    """Capability of a Tuning space: one genome stands for the trainer as it is configured."""

    def default(self, trainer: Mapping[str, Json]) -> G | None:
        """The genome of these settings, None where one of them lies outside of its range.

        `trainer` has every setting by its name. Of {"learning_rate": 0.1, "momentum": 0.9, "epochs": 8} a space with
        genes for the rate and for the momentum gives (0.1, 0.9).
        """


@runtime_checkable
class Applying(Protocol[C], metaclass=Capability):
    """Capability: a genome says how a network is trained, whatever the network is."""

    def applied(self, genome: C, phenotype: Phenotype) -> Phenotype:
        """The network and its settings with those of the genome. Raises PlanError for a network that it is not for."""


@runtime_checkable
class Configuring(Protocol[C], metaclass=Capability):
    """Capability: a genome stands for settings of a search strategy."""

    @property
    def extremes(self) -> Mapping[str, Sequence[Json]]:
        """The settings, each with its extreme values, so that wrong ones are refused before the search starts."""

    def configured(self, genome: C) -> Mapping[str, Json]:
        """The values by the names of the settings: {"population_size": 12, "remove": "oldest"}."""


@runtime_checkable
class Suited(Protocol, metaclass=Capability):
    """Capability: some settings of the space may be `auto` and follow from what the examples of the data are."""

    def suited(self, examples: str) -> Mapping[str, Json]:
        """The value of each setting that is `auto`, by its name, for examples that are image, series, tokens or vector.

        {} where it cannot tell. Called once, before a run begins; the run keeps the values.
        """
