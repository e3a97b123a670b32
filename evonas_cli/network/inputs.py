"""What a space says of inputs that it does not read, and which space reads them."""

from __future__ import annotations

from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Task


def check_maps(space: str, task: Task) -> None:
    """Raises PlanError unless the inputs are (channels, height, width) maps."""
    if len(task.inputs) != 3:
        raise refusal(space, "(channels, height, width) inputs", task)


def refusal(space: str, reads: str, task: Task) -> PlanError:
    """One line that names what the space needs, what the task has, and a space that reads that."""
    if task.vocabulary:
        cure = "space=sequence_net reads token ids"
    else:
        cure = {
            1: "space=mlp reads vectors",
            2: "space=sequence_net reads series",
            3: "space=chain_cnn reads images",
        }.get(len(task.inputs), "no space of evonas reads such inputs")
    return PlanError(f"{space} needs {reads}; the task has {task.examples}; {cure}")
