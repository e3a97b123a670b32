"""What a space keeps to in which one genome stands for the trainer as it is configured."""

from __future__ import annotations

from typing import Any

from evonas_cli.core.types import Json
from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Task

TASKS = (Task((1, 8, 8), 10), Task((8,), 3), Task((3, 20), 5), Task((20,), 2, vocabulary=50))


def the_default_leaves_the_trainer_as_it_is(space: Any) -> None:
    """The genome of settings within the ranges can be stored, and sets the trainer to these settings; further settings
    make no difference, and there is no genome where a setting is missing."""
    for end in (0, -1):
        trainer: dict[str, Json] = {key: values[end] for key, values in space.tuned.items()}
        genome = space.default({**trainer, "a setting that no genome has": None})
        assert genome == space.default(trainer) is not None
        assert space.from_json(space.to_json(genome)) == genome
        for hyper in _settings(space, genome):
            assert hyper == trainer
        for key in trainer:
            assert space.default({name: value for name, value in trainer.items() if name != key}) is None


def _settings(space: Any, genome: Any) -> list[dict[str, Json]]:
    """What the genome sets of the trainer, for each task that the space reads; at least one."""
    found = []
    for task in TASKS:
        try:
            found.append(dict(space.decode(genome, task).hyper))
        except PlanError:
            continue
    assert found, "no network for any kind of inputs"
    return found
