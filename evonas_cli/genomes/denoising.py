"""What a space of denoisers offers."""

from __future__ import annotations

from typing import Protocol, TypeVar, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.network.denoiser import Denoiser
from evonas_cli.network.op import Shape

C = TypeVar("C", contravariant=True)


@runtime_checkable
class Denoising(Protocol[C], metaclass=Capability):
    """Capability: genomes decode to denoisers of diffusion models."""

    def decode_denoiser(self, genome: C, inputs: Shape) -> Denoiser:
        """The denoiser of examples of this shape: `space.decode_denoiser(genome, (1, 8, 8))` for images.

        Raises PlanError when the genome has none.
        """
