"""The network of a genome as strategies can know it: its plan for a nominal task, and its canonical form.

A strategy knows no data set. Which networks are equal, and how far they are from each other, it learns from plans for a
nominal task: the first of `TASKS` for which the space has networks. Shapes differ from those of the run's own task, the
operations and how they are connected do not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.genomes.capabilities import Buildable, Functional
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Phenotype, Task

TASKS = (Task((3, 32, 32), 10), Task((8, 64), 10), Task((16,), 10), Task((32,), 10, vocabulary=64))
"""Images, series, vectors and texts."""
TRIED = 20
"""Samples of the prior of which one must have a network for a task."""
KEPT = 4096
"""Genomes whose network, or what was made of it, is kept in memory. A longer memory changes no result."""


def remembered(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function of a genome, with a memory of its latest values."""
    return lru_cache(KEPT)(function)


def nominal_task(space: Any) -> Task:
    """The first task for which one of 20 samples has a network. Raises UsageError where there is none."""
    for task in TASKS:
        rng = stream(0, "nominal_task")
        if any(network(space, space.sample(rng), task) is not None for _ in range(TRIED)):
            return task
    shapes = ", ".join(task.examples for task in TASKS)
    raise UsageError(f"{type(space).__name__} has no networks for any of: {shapes}; use a strategy that needs none")


def network(space: Any, genome: Any, task: Task) -> Phenotype | None:
    """The genome's network for the task; None where it has none."""
    try:
        found: Phenotype = space.decode(genome, task)
        return found
    except PlanError:
        return None


def canonical_form(space: Any) -> Callable[[Any], str]:
    """A function of genomes that is equal for genomes of one function: the space's own `function_key`, else a hash of
    the network's plan with the trainer's settings, else the genome."""
    if isinstance(space, Functional):
        return remembered(space.function_key)
    task = nominal_task(space) if isinstance(space, Buildable) else None

    def form(genome: Any) -> str:
        found = None if task is None else network(space, genome, task)
        if found is None:
            return json.dumps(space.to_json(genome))
        return f"{canonical_hash(found.plan)} {json.dumps(dict(found.hyper), sort_keys=True)}"

    return remembered(form)
