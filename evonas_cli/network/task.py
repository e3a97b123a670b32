"""What a network has to fit, and what a genome decodes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evonas_cli.core.types import Json

if TYPE_CHECKING:
    from evonas_cli.network.plan import Plan


@dataclass(frozen=True, slots=True)
class Task:
    """What a network has to fit: the shape of one input, without the batch, and the number of classes."""

    shape: tuple[int, ...]
    classes: int


@dataclass(frozen=True, slots=True)
class Phenotype:
    """A decoded genome: the network and the training settings it overrides."""

    plan: Plan
    hyper: Mapping[str, Json] = field(default_factory=dict)
