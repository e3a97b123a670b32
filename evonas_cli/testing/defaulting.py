"""What a space keeps to in which one genome stands for the trainer as it is configured."""

from __future__ import annotations

from typing import Any

from evonas_cli.core.types import Json


def the_default_leaves_the_trainer_as_it_is(space: Any) -> None:
    """The genome of settings within the ranges can be stored and says these settings, with others beside them or not;
    there is none where a setting is missing."""
    for end in (0, -1):
        trainer: dict[str, Json] = {key: values[end] for key, values in space.tuned.items()}
        genome = space.default({**trainer, "a setting that no genome has": None})
        assert genome == space.default(trainer) is not None
        assert space.from_json(space.to_json(genome)) == genome
        written = space.to_json(genome)
        assert {key: written[key] for key in trainer} == trainer
        for key in trainer:
            assert space.default({name: value for name, value in trainer.items() if name != key}) is None
