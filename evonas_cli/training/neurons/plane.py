"""Neurons over the plane of their data: one forward pass over a grid of cells, on the CPU."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.data.splits import Splits
from evonas_cli.network.neurons import Neurons
from evonas_cli.network.plane import Plane, Point, Span, band_of
from evonas_cli.nn.neurons.functions import sigmoid
from evonas_cli.nn.neurons.order import order
from evonas_cli.nn.neurons.program import Program
from evonas_cli.nn.neurons.tables import filled
from evonas_cli.training.device.errors import reading_data
from evonas_cli.training.neurons.equipment import NeuralEquipment

MARGIN = 0.06
"""Share of the points' extent by which the grid reaches beyond them at each end."""

Reals = NDArray[np.float64]


def plane(equipment: NeuralEquipment, neurons: Neurons, side: int) -> Plane:
    """As `network.plane.Charting.plane`; cells are computed at their middle."""
    with reading_data():
        splits = equipment.dataset.prepare(equipment.seed)
    task = splits.task
    if task.inputs != (2,) or task.vocabulary or task.kind != "classes" or task.outputs != 2:
        raise UsageError(
            f"the data has {task.examples} with {task.outputs} {task.kind}; decision regions are drawn of two "
            "inputs and two classes"
        )
    names, shift, unit = _inputs(splits)
    points = [
        Point(float(f"{x:.6g}"), float(f"{y:.6g}"), int(label), part)
        for part, inputs, labels in (
            ("train", splits.x_train, splits.y_train),
            ("valid", splits.x_valid, splits.y_valid),
        )
        for (x, y), label in zip(inputs * unit + shift, labels, strict=True)
    ]
    spans = _span([point.x for point in points]), _span([point.y for point in points])
    middles = [low + (np.arange(side) + 0.5) / side * (high - low) for low, high in spans]
    grid = np.stack([np.tile(middles[0], side), np.repeat(middles[1], side)], axis=1)
    inputs = (grid - shift) / unit
    if equipment.standardise:
        inputs = (inputs - splits.mean) / splits.std
    probabilities = _probabilities(neurons, inputs)
    bands = [band_of(value) for value in probabilities]
    rows = tuple([tuple(bands[start : start + side]) for start in range(0, side * side, side)])
    classes = splits.names if len(splits.names) == 2 else ("0", "1")
    return Plane(names, (classes[0], classes[1]), *spans, rows, tuple(points), splits.fingerprint)


def _probabilities(neurons: Neurons, inputs: Reals) -> list[float]:
    """Those of class 1, of inputs (N, 2)."""
    count = len(inputs)
    filled_up = np.concatenate([inputs, np.repeat(inputs[:1], filled(count) - count, axis=0)])
    program = Program(order([neurons]), filled(count), torch.device("cpu"), gradients=False)
    columns = torch.from_numpy(np.ascontiguousarray(filled_up.T)).to(torch.float32)
    outputs = program.forward(columns, torch.tensor(neurons.weights, dtype=torch.float32))
    found: list[float] = sigmoid(outputs, torch.empty_like(outputs))[0, :count].tolist()
    return found


def _inputs(splits: Splits) -> tuple[tuple[str, str], Reals, Reals]:
    """The names of both inputs, and what turns them into the unit of the data: times the third, plus the second.

    Columns of a table have been standardised when they were read; all other data is as it was given.
    """
    columns = splits.preparation.get("columns", ())
    if len(columns) != 2 or any(column["type"] != "number" for column in columns):
        return ("x1", "x2"), np.zeros(2), np.ones(2)
    first, second = columns
    shift, unit = ([column[key] for column in columns] for key in ("mean", "std"))
    return (str(first["name"]), str(second["name"])), np.array(shift), np.array(unit)


def _span(values: list[float]) -> Span:
    low, high = min(values), max(values)
    margin = MARGIN * (high - low) or 1.0
    return low - margin, high + margin
