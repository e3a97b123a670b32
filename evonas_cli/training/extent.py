"""How large a network may be, how long a candidate is trained, and what that costs; without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from evonas_cli.core.types import Candidate, Failure
from evonas_cli.training.trainer import Trainer

PASSES = 3
"""A step of training costs one forward pass and a backward pass of twice as much."""


class Sized(Protocol):
    """A plan of a network."""

    @property
    def parameters(self) -> int:
        """Trainable numbers."""

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one example."""


def over_cap(plan: Sized, trainer: Trainer) -> Failure | None:
    """The failure of a network that is larger than the trainer allows; None for any other."""
    for name, size, cap in (
        ("parameters", plan.parameters, trainer.max_parameters),
        ("multiply-adds", plan.multiply_adds, trainer.max_multiply_adds),
    ):
        if cap is not None and size > cap:
            return Failure("over_cap", f"{size} {name}, more than the {cap} allowed")
    return None


def epochs_of(trainer: Trainer, candidate: Candidate[Any]) -> int:
    """Epochs of the candidate's fidelity, at least one."""
    return max(1, round(trainer.epochs * candidate.proposal.fidelity))


def with_cost(measured: Mapping[str, float], plan: Sized) -> dict[str, float]:
    """What a training measured, with the network's size; `passes` become the cost, in billions of multiply-adds."""
    rest = {key: value for key, value in measured.items() if key != "passes"}
    cost = plan.multiply_adds * measured["passes"] / 1e9
    return {**rest, "parameters": plan.parameters, "multiply_adds": plan.multiply_adds, "cost": cost}
