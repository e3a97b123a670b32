"""What a rule of supernet training is: one step on weights and, where the rule mixes operations, on their shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from evonas_cli.core.types import Json
from evonas_cli.network.relaxed import Path
from evonas_cli.training.batches.batches import Batch


@dataclass(frozen=True, slots=True)
class Step:
    """The weights' learning rate, and the paths to train, if any."""

    rate: float
    paths: tuple[Path, ...] = ()


class Rule(Protocol):
    """How a step trains. `halves` says that the training part is divided: one half trains the weights, the other one
    the shares of operations. `passes` counts how often a step without paths goes forward and back through the mixture
    of all operations."""

    halves: bool
    passes: int

    def step(self, train: Batch, valid: Batch | None, step: Step) -> Tensor:
        """Trains on a batch, and with `halves` on one of the other half; the mean training loss, on the device."""

    def tensors(self) -> Sequence[Tensor]:
        """The state of the rule, in a fixed order, to be saved and to be overwritten in place."""

    def told(self, epochs: int) -> dict[str, Json]:
        """What the strategy is told after so many epochs, such as {"strengths": [[0.2, 0.8], [0.5, 0.5]]}."""


def entropy(shares: Sequence[Tensor]) -> float:
    """The mean entropy, in nats, of distributions (n,)."""
    found = [float(torch.special.entr(share.double()).sum()) for share in shares]
    return sum(found) / len(found)
