"""The capability of spaces whose mutations are network morphisms."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Generic, Protocol, TypeVar, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.types import Json

G = TypeVar("G")


@dataclass(frozen=True, slots=True)
class Morphed(Generic[G]):
    """A child's genome with the morphs that lead from its parent's network to its own, as JSON in their order
    (`network.morphs.Morph`): [{"morph": "kernel", "at": 1}]."""

    genome: G
    morphs: tuple[Json, ...]


@runtime_checkable
class Morphing(Protocol[G], metaclass=Capability):
    """Capability of a Buildable space: mutations are network morphisms, by which children inherit trained weights."""

    def start(self) -> G:
        """The network from which a search by growth begins."""

    def grow(self, genome: G, rng: Random) -> Morphed[G] | None:
        """A larger child that computes its parent's function; None where the space has none."""

    def shrink(self, genome: G, rng: Random) -> Morphed[G] | None:
        """A smaller child that computes about its parent's function; None where the space has none."""
