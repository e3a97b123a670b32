"""What is explained: a trained candidate, the data of its run without the test part, and its settings of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evonas_cli.core.errors import UsageError
from evonas_cli.data.splits import Splits
from evonas_cli.export.checking import Part
from evonas_cli.export.exporting import data_of, outgoing_of, valid_part
from evonas_cli.export.outgoing import Model, Outgoing
from evonas_cli.export.scoring import names_of, outputs_of
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.network.task import Phenotype, Task
from evonas_cli.report.reading import Reading
from evonas_cli.run.stored import stored_config
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.device.setup import has_bf16


@dataclass(frozen=True)
class Subject:
    """A trained network on its way to an explanation: candidate `id` of `reading`, with what its genome decodes to."""

    reading: Reading
    id: int
    outgoing: Outgoing
    phenotype: Phenotype
    equipment: Equipment[Any, Any]
    splits: Splits

    @property
    def entry(self) -> dict[str, Any]:
        """The candidate's line of the journal."""
        return self.reading.journal.read(self.id)

    @property
    def task(self) -> Task:
        """What the network has to fit."""
        return self.outgoing.signature.task

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return names_of(self.outgoing.signature)

    @cached_property
    def valid(self) -> Part:
        """The validation part as raw examples."""
        return valid_part(self.splits)

    @property
    def trained_in(self) -> str:
        """The precision of the network's training: fp32, or bf16."""
        environment = self.reading.run.metadata()["environment"]
        small = not self.outgoing.plan.maps and "stack" not in self.entry.get("labels", {})
        if small and environment["device"] == "cpu" and self.equipment.trainer.precision == "auto":
            return "fp32"  # as `training.steps.forward` has it, whatever auto stands for in other networks of the run
        return str(environment.get("precision", "fp32"))

    @cached_property
    def precision(self) -> str:
        """The precision in which the network answers here: that of its training, or fp32 on a CPU that would have to
        emulate bf16, which takes a multiple of the time."""
        return self.trained_in if has_bf16(torch.device("cpu")) else "fp32"

    @cached_property
    def model(self) -> Model:
        """The network from raw numbers to its answers, in `precision` inside and outside float32 or float64."""
        deployed, bf16 = self.outgoing.deployed, self.precision == "bf16"

        def answered(x: Tensor) -> Tensor:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
                found: Tensor = deployed(x)
            return found.float() if found.dtype == torch.bfloat16 else found

        return answered

    @cached_property
    def outputs(self) -> NDArray[np.float64]:
        """What the network says of the validation part, (N, outputs): scores, or numbers in their own unit."""
        found: NDArray[np.float64] = outputs_of(self.model, self.valid.x).double().numpy()
        return found


def subject_of(reading: Reading, id: int, allowed: Sequence[str]) -> Subject:
    """A candidate of a run.

    Raises UsageError for a run whose candidates are no networks of layers, or were trained on the validation part;
    RunError, with the command that trains it, for a candidate without weights, and for data that has changed.
    """
    root, job = reading.run.root, reading.parts.job
    equipment = getattr(job, "equipment", None)
    if not isinstance(equipment, Equipment) or not isinstance(reading.parts.space, Buildable):
        raise UsageError(
            f"the candidates of {root} are no networks of layers that examples train (its job is "
            f"{type(job).__name__}), and only those are explained; `evonas show` draws others"
        )
    if stored_config(reading.run)["job"].get("full"):
        raise UsageError(
            f"the networks of {root} were trained on the validation part, on which a network is explained; name a "
            "retraining without --full"
        )
    if stored_config(reading.run)["job"].get("folds", 1) > 1:
        raise UsageError(
            f"the networks of {root} were trained on folds (job.folds), among them parts of the validation part, on "
            "which a network is explained; name a retraining with job.folds=1"
        )
    outgoing = outgoing_of(reading, id)
    space: Any = reading.parts.space
    genome = space.from_json(reading.journal.read(id)["genome"])
    phenotype = space.decode(genome, outgoing.signature.task)
    return Subject(reading, id, outgoing, phenotype, equipment, data_of(reading, allowed)[1])
