"""One candidate's training from genome to metrics: build, cap, fit, and what each kind of error means."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

import torch

from evonas_cli.core.canonical import canonical_hash
from evonas_cli.core.errors import EnvironmentFailure, EvonasError, UsageError
from evonas_cli.core.protocols import Buildable, Context
from evonas_cli.core.types import Candidate, Failure, Json, Result
from evonas_cli.data.dataset import Dataset
from evonas_cli.data.resident import Resident
from evonas_cli.nn.build import Network
from evonas_cli.training.attempt import attempt, is_device_error, one_line
from evonas_cli.training.checkpoint import Checkpoint
from evonas_cli.training.device import device_name, resolve
from evonas_cli.training.loop import fit
from evonas_cli.training.trainer import Trainer

PASSES = 3  # a training step costs one forward pass and a backward pass of twice as much

WEIGHTS_ONLY = {"start": "weights"}

log = logging.getLogger(__name__)


class Workbench:
    """The data on its device, and the training of one candidate after the other on it."""

    def __init__(
        self,
        space: Buildable[Any],
        dataset: Dataset,
        trainer: Trainer,
        seed: int,
        device: str,
        deterministic: bool,
        threads: int,
    ) -> None:
        self.space, self.dataset, self.trainer, self.seed = space, dataset, trainer, seed
        self.device, self.deterministic, self.threads = device, deterministic, threads

    def environment(self) -> dict[str, Json]:
        """Device, torch, threads, the task, and a digest of data and split."""
        data, fingerprint = self._loaded
        return {
            "device": data.device.type,
            "device_name": device_name(data.device),
            "torch": torch.__version__,
            "threads": self.threads,
            "task": {"shape": list(data.task.shape), "classes": data.task.classes},
            "data": fingerprint,
        }

    def evaluate(self, candidate: Candidate[Any], context: Context) -> Result:
        """The candidate's result; of the failures of `attempt`, unbuildable is a setting out of range, too."""
        return attempt(candidate, context, lambda labels: self._train(candidate, context, labels))

    @cached_property
    def _loaded(self) -> tuple[Resident, str]:
        """The data on the device, and its fingerprint."""
        device = resolve(self.device, self.deterministic, self.threads)
        if device.index is not None:
            torch.cuda.set_device(device)
        try:
            splits = self.dataset.prepare(self.seed)
            return Resident(splits, device), splits.fingerprint
        except OSError as error:
            raise EnvironmentFailure(f"the data cannot be read: {one_line(error)}") from error

    def _train(self, candidate: Candidate[Any], context: Context, labels: dict[str, str]) -> dict[str, float] | Failure:
        data, _ = self._loaded
        phenotype = self.space.decode(candidate.proposal.genome, data.task)
        labels["network"] = canonical_hash(phenotype.plan)
        plan = phenotype.plan
        try:
            trainer = self.trainer.override(phenotype.hyper)
        except UsageError as error:
            return Failure("unbuildable", one_line(error))
        for name, size, cap in (
            ("parameters", plan.parameters, trainer.max_parameters),
            ("multiply-adds", plan.multiply_adds, trainer.max_multiply_adds),
        ):
            if cap is not None and size > cap:
                return Failure("over_cap", f"{size} {name}, more than the {cap} allowed")
        network = Network(plan, torch.Generator().manual_seed(candidate.seed))
        epochs = max(1, round(trainer.epochs * candidate.proposal.fidelity))
        checkpoint = _checkpoint(candidate, trainer, context)
        try:
            measured = fit(network, data, trainer, self.seed, epochs, checkpoint)
        except (EvonasError, OSError):
            raise
        except Exception as error:
            if not is_device_error(error):
                checkpoint.discard()
            raise
        images = measured.pop("images")
        cost = PASSES * plan.multiply_adds * images / 1e9
        return {**measured, "parameters": plan.parameters, "multiply_adds": plan.multiply_adds, "cost": cost}


def _checkpoint(candidate: Candidate[Any], trainer: Trainer, context: Context) -> Checkpoint:
    """The candidate's files; its folder is asked for only if something is kept in it."""
    parent, continues, options = None, candidate.proposal.continues, candidate.proposal.options
    if options not in (None, WEIGHTS_ONLY) or (options == WEIGHTS_ONLY and continues is None):
        raise UsageError(f"the strategy gives candidate {candidate.id} options that training does not know: {options}")
    if continues is not None:
        parent = context.folder(continues)
        if parent is None:
            raise EnvironmentFailure(f"candidate {candidate.id} continues {continues}, but this run keeps no files")
    if trainer.checkpoint_seconds is None and not trainer.save_state:
        return Checkpoint(parent=parent, weights_only=options == WEIGHTS_ONLY)
    folder = context.folder(candidate.id)
    return Checkpoint(folder, trainer.checkpoint_seconds, trainer.save_state, parent, options == WEIGHTS_ONLY)
