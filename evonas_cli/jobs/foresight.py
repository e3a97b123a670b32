"""How much there is to do in the training of a unit, counted on plans before anything is built."""

from __future__ import annotations

from math import prod
from typing import Any

from evonas_cli.core.protocols import Buildable
from evonas_cli.core.types import Task, Unit
from evonas_cli.training.trainer import Trainer


def amounts(
    unit: Unit[Any], space: Buildable[Any], trainer: Trainer, task: Task
) -> tuple[float, float, float, float] | None:
    """Multiply-adds, numbers in activations, weights updated, calls of operations; None for what is not trained.

    For as many images as an epoch has; that number is the same in the whole run. Places that stay empty are computed,
    too; the calls are shared by all places. What an interrupted or continued training has behind it is not known here.
    """
    try:
        phenotypes = [space.decode(candidate.proposal.genome, task) for candidate in unit.candidates]
        trainers = [trainer.override(phenotype.hyper) for phenotype in phenotypes]
    except Exception:  # whatever it is, evaluating the candidates meets it again and records it
        return None
    plan, batch_size = phenotypes[0].plan, trainers[0].batch_size
    for size, cap in ((plan.parameters, trainer.max_parameters), (plan.multiply_adds, trainer.max_multiply_adds)):
        if cap is not None and size > cap:
            return None
    epochs = max(
        max(1, round(own.epochs * candidate.proposal.fidelity))
        for own, candidate in zip(trainers, unit.candidates, strict=True)
    )
    activations = sum(prod(shape) for shape in plan.shapes)
    return (
        float(epochs * unit.width * plan.multiply_adds),
        float(epochs * unit.width * activations),
        epochs * unit.width * plan.parameters / batch_size,
        epochs * len(plan.nodes) / batch_size,
    )
