"""What a network costs and how good it is, measured the same way before and after each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from evonas_cli.export.checking import Part
from evonas_cli.export.outgoing import Outgoing
from evonas_cli.export.scoring import metrics_of, outputs_of
from evonas_cli.network.task import Kind
from evonas_cli.training.measuring.latency import latency
from evonas_cli.training.measuring.plan import Timing

METRIC: dict[Kind, str] = {"classes": "accuracy", "labels": "auroc", "numbers": "r2"}
"""The metric that is shown, by kind of task; more is better."""


@dataclass(frozen=True, slots=True)
class Row:
    """A network in numbers.

    `name` says what was done last, `bytes` are those of its weights, `latency_ms` is the median pass of one example on
    the CPU, `valid` and `test` are the metric of METRIC (None: the part was not read).
    """

    name: str
    bytes: int
    parameters: int
    multiply_adds: int
    latency_ms: float
    valid: float
    test: float | None

    def to_json(self) -> dict[str, Any]:
        """All members, by name."""
        return {name: getattr(self, name) for name in self.__slots__}


def measured(name: str, outgoing: Outgoing, valid: Part, test: Part | None) -> Row:
    """The row of a network, with normalisation inside, in float32 on the CPU."""
    model, plan = outgoing.deployed, outgoing.plan
    metric = METRIC[outgoing.signature.task.kind]
    kind = torch.int64 if outgoing.signature.task.vocabulary else torch.float32
    median, _ = latency(model, torch.tensor(valid.x[:1]).to(kind), Timing())
    found = [
        None if part is None else metrics_of(outputs_of(model, part.x), part.y, outgoing.signature)[metric]
        for part in (valid, test)
    ]
    assert found[0] is not None
    return Row(name, plan.model_bytes, plan.parameters, plan.multiply_adds, median, found[0], found[1])
