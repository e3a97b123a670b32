"""Whether a space has graphs of neurons for a task, found before anything is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.core.blame import reason
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Foretelling
from evonas_cli.core.rng import stream
from evonas_cli.genomes.capabilities import Neural
from evonas_cli.network.neurons import Neurons, ends
from evonas_cli.network.task import Task

SAMPLES = 20
"""Genomes of which one must have a graph."""


def check_ahead(space: Any, job: Any, seed: int, allowed: Sequence[str] = ()) -> None:
    """As `check_graphs`, before a bench is opened, where the job knows its task by then."""
    if isinstance(space, Neural) and Neural in job.needs and isinstance(job, Foretelling):
        check_graphs(space, {"task": job.task_ahead()}, seed, allowed)


def check_graphs(space: Any, environment: Mapping[str, Any], seed: int, allowed: Sequence[str] = ()) -> None:
    """Decodes samples for the task that the job tells of, until one has a graph.

    Raises UsageError when none of them has one, and for a graph that does not fit the task.
    """
    n_inputs, n_outputs = ends(Task.from_json(environment["task"]))
    name, reasons = type(space).__name__, Counter[str]()
    for index in range(SAMPLES):
        genome = space.sample(stream(seed, "check", index))
        try:
            found = space.decode_neurons(genome, n_inputs, n_outputs)
        except Exception as error:  # what it is, is counted and told
            reasons[reason(error, allowed)] += 1
            continue
        if not isinstance(found, Neurons):
            raise UsageError(f"space {name}: decode_neurons must return Neurons, but gave a {type(found).__name__}")
        if (found.n_inputs, found.n_outputs) != (n_inputs, n_outputs):
            raise UsageError(
                f"space {name}: decode_neurons made a graph of {found.n_inputs} inputs and {found.n_outputs} outputs, "
                f"but the task needs {n_inputs} and {n_outputs}"
            )
        return
    [(commonest, _)] = reasons.most_common(1)
    raise UsageError(
        f"none of {SAMPLES} samples of the space {name} has a graph of {n_inputs} inputs and {n_outputs} outputs: "
        f"{commonest}; change the space's settings, the data set or the environment"
    )
