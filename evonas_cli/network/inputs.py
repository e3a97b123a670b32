"""What a space says of inputs that it does not read, and which space reads them."""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Task


def check_maps(space: str, task: Task) -> None:
    """Raises PlanError unless the inputs are (channels, height, width) maps."""
    if len(task.inputs) != 3:
        raise refusal(space, "(channels, height, width) inputs", task)


def refusal(space: str, reads: str, task: Task, settings: Sequence[str] = ()) -> PlanError:
    """One line that names what the space needs, what the task has, and who reads that.

    `settings` are those with which the space itself would.
    """
    if task.vocabulary:
        other, inputs = "space=sequence_net", "token ids"
    else:
        other, inputs = {
            1: ("space=mlp", "vectors"),
            2: ("space=sequence_net", "series"),
            3: ("space=chain_cnn", "images"),
        }.get(len(task.inputs), ("no space of evonas", "such inputs"))
    cure = f"{' or '.join([*settings, other])} reads {inputs}"
    return PlanError(f"{space} needs {reads}; the task has {task.examples}; {cure}")
