"""The decision regions of a candidate: what its trained neurons say over the plane of the run's data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.network.neurons import Neurons
from evonas_cli.network.plane import SIDE, Charting, Plane
from evonas_cli.network.task import Task
from evonas_cli.report.reading import Reading


def is_planar(reading: Reading) -> bool:
    """Whether regions can be drawn of the run's candidates: neurons of two inputs that tell two classes."""
    return _obstacle(reading) is None


def regions(reading: Reading, entry: Mapping[str, Any], side: int = SIDE) -> tuple[Neurons, Plane]:
    """The candidate's graph with its trained weights, and the plane; reads the training and the validation part.

    Raises UsageError for a failed candidate, for a run of another kind and for data that cannot be read, RunError where
    the data is no longer that of the run.
    """
    root, id = reading.run.root, entry["id"]
    obstacle = _obstacle(reading)
    if obstacle is not None:
        raise UsageError(f"{root} has no decision regions: {obstacle}")
    if entry["status"] != "ok":
        error = entry.get("error", {})
        raise UsageError(f"candidate {id} of {root} failed ({error.get('kind')}: {error.get('text')}); name another")
    neurons = reading.neurons(entry)
    if neurons is None:
        raise UsageError(f"candidate {id} of {root} has no neurons of its own; name another")
    job: Any = reading.parts.job  # a Charting one, as `_obstacle` has found
    plane: Plane = job.plane(neurons, side)
    if plane.fingerprint != reading.run.metadata()["environment"].get("data"):
        raise RunError(f"{root} was made with other data than its dataset has now; bring back the data as it was")
    return neurons, plane


def _obstacle(reading: Reading) -> str | None:
    """What keeps the run from having regions; None: nothing does."""
    given = reading.run.metadata()["environment"].get("task")
    if given is None or not isinstance(reading.parts.job, Charting):
        found = "policies, which no data has classes for" if reading.evaluates_neurons else "no neurons"
        return f"its candidates are {found}; name a run of job=neurons"
    task = Task.from_json(given)
    if task.inputs != (2,):
        return f"its data has {task.examples}, and regions are drawn of two inputs"
    if task.kind != "classes" or task.outputs != 2:
        return f"its data has {task.outputs} {task.kind}, and regions are drawn of two classes"
    return None
