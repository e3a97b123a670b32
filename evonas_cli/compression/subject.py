"""What is compressed: a trained network, and the data that it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from evonas_cli.compression.measuring import METRIC
from evonas_cli.compression.quantize import is_quantised
from evonas_cli.config.build import build
from evonas_cli.core.errors import UsageError
from evonas_cli.data.dataset import Source
from evonas_cli.data.resident import Resident
from evonas_cli.data.splits import Splits
from evonas_cli.export import dir as folder_form
from evonas_cli.export.checking import Part
from evonas_cli.export.exporting import data_of, outgoing_of, test_part, valid_part
from evonas_cli.export.outgoing import Outgoing
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.report.reading import Reading
from evonas_cli.run.stored import stored_config
from evonas_cli.training.candidates.built import signature_of
from evonas_cli.training.candidates.environment import ready
from evonas_cli.training.trainer import Trainer, check_standard


@dataclass(frozen=True)
class Subject:
    """A network on its way to a smaller one; `reading` is the run whose data it was trained on, `trainer` its settings,
    `origin` says where the network comes from."""

    outgoing: Outgoing
    reading: Reading
    trainer: Trainer
    origin: str
    device: torch.device
    dataset: Source
    splits: Splits

    @cached_property
    def data(self) -> Resident:
        """Training and validation part on the device."""
        return Resident(self.splits, self.device, self.dataset.memory)

    @property
    def valid(self) -> Part:
        """The validation part as raw examples."""
        return valid_part(self.splits)

    def test(self) -> Part:
        """The test part as raw examples; to be called when the reading is noted."""
        return test_part(self.reading, self.dataset, self.splits)


def of_run(reading: Reading, id: int, device: str, allowed: Sequence[str]) -> Subject:
    """A candidate of a run.

    Raises UsageError for a run whose candidates are no networks of layers, or were trained on the validation part;
    RunError, with the command that trains it, for a candidate without weights, and for data that has changed.
    """
    _check_run(reading)
    outgoing = outgoing_of(reading, id)
    space: Any = reading.parts.space
    genome = space.from_json(reading.journal.read(id)["genome"])
    trainer = _trainer(reading, allowed).override(space.decode(genome, outgoing.signature.task).hyper)
    return _subject(outgoing, reading, trainer, f"candidate {id} of run {reading.run.root.name}", device, allowed)


def of_model(path: Path, reading: Reading, device: str, allowed: Sequence[str]) -> Subject:
    """An exported model of the form `dir`, with the run whose data it was trained on.

    Raises UsageError for a model of other data, with int8 weights, or in another form; and as `of_run`.
    """
    _check_run(reading)
    folder = path.parent if path.name == folder_form.PLAN else path
    outgoing = folder_form.outgoing_of(folder, f"The model {folder.name}")
    if is_quantised(outgoing.plan):
        raise UsageError(f"{folder} has int8 weights, which are neither pruned nor trained; name the model before that")
    subject = _subject(outgoing, reading, _trainer(reading, allowed), f"the model {folder.name}", device, allowed)
    if signature_of(subject.splits) != outgoing.signature:
        raise UsageError(
            f"{folder} was not trained on the data of {reading.run.root}, or not as split there; name its own run"
        )
    return subject


def is_model(text: str) -> bool:
    """Whether words name an exported model and not a run."""
    path = Path(text)
    return path.name == folder_form.PLAN or (path / folder_form.PLAN).is_file()


def _check_run(reading: Reading) -> None:
    if not isinstance(reading.parts.space, Buildable):
        job = str(reading.parts.config["job"]["_target_"]).rpartition(".")[2]
        raise UsageError(
            f"the candidates of {reading.run.root} are no networks of layers (its job is {job}), and only those of "
            "job=train are compressed"
        )
    if stored_config(reading.run)["job"].get("full"):
        raise UsageError(
            f"the networks of {reading.run.root} were trained on the validation part, which would be the judge of what "
            "to remove; name a retraining without --full"
        )
    folds = stored_config(reading.run)["job"].get("folds", 1)
    if folds > 1:
        raise UsageError(
            f"the networks of {reading.run.root} were trained on folds (job.folds={folds}), on parts of the validation "
            "part that would be the judge of what to remove; name a retraining with job.folds=1"
        )


def _trainer(reading: Reading, allowed: Sequence[str]) -> Trainer:
    trainer: Trainer = build(reading.parts.config["trainer"], "trainer", allowed)
    return trainer


def _subject(
    outgoing: Outgoing, reading: Reading, trainer: Trainer, origin: str, device: str, allowed: Sequence[str]
) -> Subject:
    if (kind := outgoing.signature.task.kind) not in METRIC:
        raise UsageError(f"{origin} says {kind}; evonas compress makes networks for {', '.join(METRIC)} smaller")
    config = reading.parts.config
    check_standard(trainer, "evonas compress", keys=("loss", "augmentation"))
    place = ready(device, config["deterministic"], config["evaluator"]["threads"])
    return Subject(outgoing, reading, trainer, origin, place, *data_of(reading, allowed))
