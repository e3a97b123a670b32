"""How much there is to do in the training of a unit, counted on plans before anything is built."""

from __future__ import annotations

from typing import Any

from evonas_cli.core.types import Unit
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.network.plan import Plan
from evonas_cli.network.task import Task
from evonas_cli.training.extent import epochs_of, over_cap
from evonas_cli.training.trainer import Trainer


def work(unit: Unit[Any], space: Buildable[Any], trainer: Trainer, task: Task) -> float | None:
    """Multiply-adds of an image, times epochs, times places of the program; None for what is not trained.

    An epoch has as many images in the whole run. Places that stay empty are computed, too. What an interrupted or
    continued training has behind it is not known here.
    """
    found = _decoded(unit, space, trainer, task)
    if found is None or over_cap(found[0], trainer) is not None:
        return None
    plan, longest = found
    return float(longest * unit.width * plan.multiply_adds)


def epochs(unit: Unit[Any], space: Buildable[Any], trainer: Trainer, task: Task) -> int | None:
    """Epochs of the member that is trained longest; None for what has no network."""
    found = _decoded(unit, space, trainer, task)
    return None if found is None else found[1]


def _decoded(unit: Unit[Any], space: Buildable[Any], trainer: Trainer, task: Task) -> tuple[Plan, int] | None:
    """The plan of the first candidate, which all of a program have, and the most epochs of any."""
    try:
        phenotypes = [space.decode(candidate.proposal.genome, task) for candidate in unit.candidates]
        trainers = [trainer.override(phenotype.hyper) for phenotype in phenotypes]
    except Exception:  # whatever it is, evaluating the candidates meets it again and records it
        return None
    longest = max(epochs_of(own, candidate) for own, candidate in zip(trainers, unit.candidates, strict=True))
    return phenotypes[0].plan, longest
