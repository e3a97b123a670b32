"""What candidates are trained with: a job holds it as settings, its bench makes data and networks of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

from evonas_cli.core.evaluating import Place
from evonas_cli.genomes.capabilities import Tuning
from evonas_cli.training.trainer import Trainer

S = TypeVar("S")
D = TypeVar("D")


@dataclass(frozen=True)
class Equipment(Generic[S, D]):
    """`space` decodes genomes, `seed` is the run's; `device`, `deterministic` and `threads` as for `device.resolve`."""

    space: S
    dataset: D
    trainer: Trainer
    seed: int
    device: str
    deterministic: bool
    threads: int

    @property
    def tuned(self) -> Collection[str]:
        """The keys of the trainer that genomes set."""
        return self.space.tuned if isinstance(self.space, Tuning) else ()

    def at(self, place: Place) -> Self:
        """The same on the device of the place."""
        return self if place.device is None else replace(self, device=place.device)
