"""The capability of a space whose networks may be sums of several networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

from evonas_cli.core.capability import Capability

G = TypeVar("G")


@runtime_checkable
class Ensembling(Protocol[G], metaclass=Capability):
    """Capability of a Buildable space: a network is the sum of the outputs of its members, subnetworks of any depth.

    The layers of a joined genome's network are those of its members, in their order. Each member ends in a linear
    layer.
    """

    @property
    def deepest(self) -> int:
        """The largest number of hidden layers of a member."""

    def member(self, hidden_layers: int) -> G:
        """The genome of one subnetwork: `space.member(0)` is a linear one."""

    def hidden_layers(self, genome: G) -> Sequence[int]:
        """The number of hidden layers of each member: `[0, 1]`."""

    def join(self, genomes: Sequence[G]) -> G:
        """The genome with the members of all these, in their order."""
