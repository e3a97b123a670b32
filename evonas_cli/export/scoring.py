"""What a model answers to inputs, and how good its answers are: metrics of the kind of task, rows of a table."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evonas_cli.core.errors import UsageError
from evonas_cli.export.outgoing import Model
from evonas_cli.network.detection import STRIDES
from evonas_cli.network.signature import Signature
from evonas_cli.training.criteria import CRITERIA

BATCH = 256


@torch.inference_mode()
def outputs_of(model: Model, x: NDArray[Any]) -> Tensor:
    """The outputs, (N, outputs), for raw inputs as `Inputs` has them, batch by batch."""
    return torch.cat([model(tensor_of(x[start : start + BATCH])) for start in range(0, len(x), BATCH)])


def tensor_of(x: NDArray[Any]) -> Tensor:
    """Raw inputs as a model takes them: token ids as int64, all other numbers as float32."""
    return torch.from_numpy(x.astype(np.int64 if x.dtype == np.int64 else np.float32))


def metrics_of(outputs: Tensor, y: NDArray[Any], signature: Signature) -> dict[str, float]:
    """The metrics of the kind by their names without a part: error, loss, f1, ...; as in training.

    `y` is as `Examples` has it. Raises UsageError for two classes of which only one is there, for numbers that are all
    the same, and for images without any box: some metrics have no value then.
    """
    task = signature.task
    scale = torch.tensor(signature.target_std, dtype=torch.float32)
    targets = torch.tensor(y)
    if task.kind == "numbers":
        if len(y) < 2 or (y == y[0]).all(axis=0).any():
            raise UsageError("a target is the same number in all examples, so r2 has no value; use more of them")
        mean, std = (
            torch.tensor(values, dtype=torch.float64) for values in (signature.target_mean, signature.target_std)
        )
        outputs, targets = (outputs - mean) / std, ((targets - mean) / std).float()
    elif task.kind == "classes" and task.outputs == 2 and len(np.unique(y)) == 1:
        raise UsageError(
            f"all examples are of the class {names_of(signature)[int(y[0])]}, so auroc has no value; add the other"
        )
    elif task.kind == "boxes" and not (y[..., 0] >= 0).any():
        raise UsageError("no example has a box, so map50 has no value; add images with boxes")
    meter = CRITERIA[task.kind](task, None, scale).meter(1)
    meter.add(outputs.float()[None], targets)
    [found] = meter.measured()
    return found


def names_of(signature: Signature) -> tuple[str, ...]:
    """The names of the outputs; the data set need not have named them."""
    word = {"classes": "class", "labels": "label", "actions": "action"}.get(signature.task.kind, "number")
    return signature.names or tuple(f"{word} {place}" for place in range(signature.task.outputs))


def header(signature: Signature) -> list[str]:
    """What the rows of `answers` have in their columns."""
    found: list[str] = import_module(f"evonas_cli.export.plain.{signature.task.kind}").header(names_of(signature))
    return found


def answers(outputs: Tensor, signature: Signature) -> list[list[str | float]]:
    """For each input the class and the probability of each class, the labels and theirs, the numbers, the boxes, or the
    action and the score of each."""
    module: Any = import_module(f"evonas_cli.export.plain.{signature.task.kind}")
    if signature.task.kind == "boxes":
        module.IMAGE, module.STRIDES = signature.task.inputs[1:], STRIDES
    found: list[list[str | float]] = module.answers(outputs, names_of(signature))
    return found
