"""What a space of networks that describe images offers."""

from __future__ import annotations

from typing import Protocol, TypeVar, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.network.captions import CaptionTask
from evonas_cli.network.plan import Plan

C = TypeVar("C", contravariant=True)


@runtime_checkable
class Captioning(Protocol[C], metaclass=Capability):
    """Capability: genomes decode to networks that say in words what an image shows."""

    def decode_captioner(self, genome: C, task: CaptionTask) -> Plan:
        """The network: `space.decode_captioner(genome, CaptionTask((3, 16, 16), tokens=20, steps=15))`.

        Raises PlanError when the genome has none.
        """
