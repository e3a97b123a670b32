"""One candidate's training from genome to metrics: build, cap, fit, and what each kind of error means."""

from __future__ import annotations

import gc
import logging
import traceback
from functools import cached_property
from time import perf_counter
from typing import Any

import torch

from evonas_cli.core.canonical import canonical_hash
from evonas_cli.core.errors import EnvironmentFailure, EvonasError, UsageError
from evonas_cli.core.plan import PlanError
from evonas_cli.core.protocols import Buildable, Context
from evonas_cli.core.types import Candidate, Failure, Json, Phenotype, Result
from evonas_cli.data.dataset import Dataset
from evonas_cli.data.resident import Resident
from evonas_cli.nn.build import Network
from evonas_cli.training.checkpoint import Checkpoint
from evonas_cli.training.device import device_name, resolve
from evonas_cli.training.loop import Diverged, fit
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
        """The candidate's result; one that runs out of memory is tried a second time."""
        started = perf_counter()
        labels: dict[str, str] = {}
        outcome = self._attempt(candidate, context, labels)
        if isinstance(outcome, Failure) and outcome.kind == "oom":
            log.warning("candidate %d ran out of memory, trying once more", candidate.id)
            _free_memory()
            outcome = self._attempt(candidate, context, labels)
        seconds = perf_counter() - started
        if isinstance(outcome, Failure):
            return Result(candidate.id, "failed", error=outcome, seconds=seconds, labels=labels)
        return Result(candidate.id, "ok", metrics=outcome, seconds=seconds, labels=labels)

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

    def _attempt(
        self, candidate: Candidate[Any], context: Context, labels: dict[str, str]
    ) -> dict[str, float] | Failure:
        """The metrics, or what is wrong with the candidate. `labels` is given the network's hash once it is decoded."""
        try:
            data, _ = self._loaded
            phenotype = self.space.decode(candidate.proposal.genome, data.task)
            labels["network"] = canonical_hash(phenotype.plan)
            return self._train(candidate, phenotype, data, context)
        except EvonasError:
            raise
        except OSError as error:
            raise EnvironmentFailure(f"candidate {candidate.id} stopped: {one_line(error)}") from error
        except PlanError as error:
            return Failure("unbuildable", one_line(error))
        except Diverged as error:
            return Failure("diverged", one_line(error))
        except Exception as error:
            if is_out_of_memory(error):
                return Failure("oom", one_line(error))
            if is_device_error(error):
                raise EnvironmentFailure(f"candidate {candidate.id} stopped, device: {one_line(error)}") from error
            _write_traceback(candidate, context)
            return Failure("error", f"{type(error).__name__}: {one_line(error)}")

    def _train(
        self, candidate: Candidate[Any], phenotype: Phenotype, data: Resident, context: Context
    ) -> dict[str, float] | Failure:
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


def _write_traceback(candidate: Candidate[Any], context: Context) -> None:
    """traceback.txt in the candidate's folder. Called while the exception is handled; raises EnvironmentFailure."""
    try:
        folder = context.folder(candidate.id)
        if folder is not None:
            (folder / "traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
    except OSError as error:
        raise EnvironmentFailure(f"candidate {candidate.id} stopped: {one_line(error)}") from error


def _free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def is_out_of_memory(error: Exception) -> bool:
    """Whether the device, or the CPU's allocator, had no room."""
    texts = (
        "DefaultCPUAllocator: can't allocate",
        "DefaultCPUAllocator: not enough memory",
        "CUBLAS_STATUS_ALLOC_FAILED",
        "CUDNN_STATUS_ALLOC_FAILED",
    )
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(text in str(error) for text in texts)


def is_device_error(error: Exception) -> bool:
    """Whether the CUDA device failed, after which this process can use it no more."""
    texts = ("CUDA error", "cuDNN error", "CUBLAS_STATUS")
    known = isinstance(error, RuntimeError) and any(text in str(error) for text in texts)
    return not is_out_of_memory(error) and (isinstance(error, torch.AcceleratorError) or known)


def one_line(error: BaseException) -> str:
    """The message on one line, at most 300 characters."""
    return " ".join(str(error).split())[:300]
