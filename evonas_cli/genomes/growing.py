"""What a space may offer to strategies that begin with small genomes and add to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

from evonas_cli.core.capability import Capability

G = TypeVar("G")


@runtime_checkable
class Growable(Protocol[G], metaclass=Capability):
    """Capability: genomes consist of blocks in an order, and those of the first blocks alone are genomes, too."""

    @property
    def blocks(self) -> int:
        """The largest number of blocks, at least 1."""

    def grown(self, genome: G | None, blocks: int) -> Sequence[G]:
        """All genomes of so many blocks whose blocks but the last are those of the genome.

        `space.grown(None, 1)` are those of one block.
        """
