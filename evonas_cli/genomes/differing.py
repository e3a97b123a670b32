"""The capability of a space to say in words how genomes differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

from evonas_cli.core.capability import Capability

C = TypeVar("C", contravariant=True)


@runtime_checkable
class Differing(Protocol[C], metaclass=Capability):
    """Capability: the space says in words how a genome differs from another, such as its parent."""

    def differences(self, before: C, after: C) -> Sequence[str]:
        """A text for each difference, none for equal genomes: `["new node 3f2a: sine", "bias to output: off"]`."""
