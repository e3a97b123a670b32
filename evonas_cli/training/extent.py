"""How large a network may be, how long a candidate is trained, and what that costs; without torch."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, Protocol

from evonas_cli.core.types import Candidate, Failure
from evonas_cli.training.trainer import Trainer

PASSES = 3
"""A step of training costs one forward pass and a backward pass of twice as much."""
FEW_UPDATES = 100
"""With fewer updates of the weights in a whole training hardly any network learns, and a search says so."""


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


def few_updates(trainer: Trainer, examples: int, tuned: Container[str] = ()) -> str | None:
    """A line for people where a training of full fidelity makes fewer than FEW_UPDATES updates of the weights.

    `examples` is the size of the training part; examples that fill no batch are left out of an epoch. None for enough
    updates, and where genomes set the number: `tuned` has the keys of the trainer that genomes set.
    """
    size = min(trainer.batch_size, examples)
    batches = examples // size
    updates = trainer.epochs * batches
    if updates >= FEW_UPDATES or "epochs" in tuned or "batch_size" in tuned:
        return None
    count = "1 epoch" if trainer.epochs == 1 else f"{trainer.epochs} epochs"
    of = "1 batch" if batches == 1 else f"{batches} batches"
    made = "1 update" if updates == 1 else f"{updates} updates"
    return (
        f"each training makes only {made} of the weights ({count} x {of} of {size} examples); "
        "raise trainer.epochs or lower trainer.batch_size"
    )


def with_cost(measured: Mapping[str, float], plan: Sized) -> dict[str, float]:
    """What a training measured, with the network's size; `passes` become the cost, in billions of multiply-adds."""
    rest = {key: value for key, value in measured.items() if key != "passes"}
    cost = plan.multiply_adds * measured["passes"] / 1e9
    return {**rest, "parameters": plan.parameters, "multiply_adds": plan.multiply_adds, "cost": cost}
