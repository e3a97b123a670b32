"""How much there is to do in the training of a unit, counted on plans before anything is built."""

from __future__ import annotations

from typing import Any

from evonas_cli.core.types import Unit
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.network.task import Task
from evonas_cli.training.extent import epochs_of, over_cap
from evonas_cli.training.trainer import Trainer


def work(unit: Unit[Any], space: Buildable[Any], trainer: Trainer, task: Task) -> float | None:
    """Multiply-adds of an image, times epochs, times places of the program; None for what is not trained.

    An epoch has as many images in the whole run. Places that stay empty are computed, too. What an interrupted or
    continued training has behind it is not known here.
    """
    try:
        phenotypes = [space.decode(candidate.proposal.genome, task) for candidate in unit.candidates]
        trainers = [trainer.override(phenotype.hyper) for phenotype in phenotypes]
    except Exception:  # whatever it is, evaluating the candidates meets it again and records it
        return None
    plan = phenotypes[0].plan
    if over_cap(plan, trainer) is not None:
        return None
    epochs = max(epochs_of(own, candidate) for own, candidate in zip(trainers, unit.candidates, strict=True))
    return float(epochs * unit.width * plan.multiply_adds)
