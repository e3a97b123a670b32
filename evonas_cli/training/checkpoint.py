"""A candidate's training on disk: saved at the end of epochs, resumed bit for bit, continued by later candidates."""

from __future__ import annotations

import io
import logging
import os
import time
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Candidate
from evonas_cli.nn.population import Population, State
from evonas_cli.training.optimizers import Memory, Optimizer
from evonas_cli.training.trainer import Trainer

CHECKPOINT = "checkpoint.pt"
KEPT = "state.pt"
WEIGHTS_ONLY = {"start": "weights"}
"""What a proposal's options say of a training that begins anew with the weights of the candidate it continues."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a training is: epochs done, how many of them an earlier candidate did, the last one's mean loss, and the
    seconds this candidate has spent."""

    epoch: int = 0
    first_epoch: int = 0
    train_loss: float = 0.0
    train_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """One member of a population in training: its weights and what the optimiser remembers of them."""

    population: Population
    optimizer: Optimizer
    index: int

    def copy(self) -> tuple[State, Memory]:
        """Both, as they are now."""
        model = {key: value.clone() for key, value in self.population.member(self.index).items()}
        memory = self.optimizer.memory(self.index)
        return model, {i: {key: value.clone() for key, value in parts.items()} for i, parts in memory.items()}

    def load(self, model: State, memory: Memory) -> None:
        """The inverse of `copy`. Raises ValueError when the weights are those of another network."""
        self.population.load_member(self.index, model)
        self.optimizer.load_memory(self.index, memory)


class Checkpoint:
    """Files of one candidate's training.

    `folder` is the candidate's (None: nothing is kept); `seconds` the least time between two saves (None: no saves);
    `keep` leaves the final state as `state.pt`; `parent` is the folder of the candidate whose state is continued, of
    which `weights_only` takes the network alone: a new training, with a fresh optimiser, from trained weights.
    """

    def __init__(
        self,
        folder: Path | None = None,
        seconds: float | None = None,
        keep: bool = False,
        parent: Path | None = None,
        weights_only: bool = False,
    ) -> None:
        self._folder, self._seconds, self._keep, self._parent = folder, seconds, keep, parent
        self._weights_only = weights_only
        self._saved_at = time.monotonic()

    def restore(self, place: Place) -> Progress:
        """Loads this candidate's last checkpoint, else the parent's final state, else nothing, into its place.

        A checkpoint that cannot be read, does not fit, or comes from another place or width of a program, and so has
        other bits, is discarded with a warning: the training starts again.
        Raises EnvironmentFailure when the parent's state is missing or unreadable, ValueError when it does not fit.
        """
        if self._folder is not None and self._seconds is not None and (self._folder / CHECKPOINT).exists():
            try:
                state = _parse((self._folder / CHECKPOINT).read_bytes())
                _check_place(state, place)
                return _load(state, place)
            except ValueError as error:
                log.warning("%s discarded, the training starts again: %s", self._folder / CHECKPOINT, error)
                self.discard()
        if self._parent is None:
            return Progress()
        state = _parent_state(self._parent / KEPT)
        if self._weights_only:
            place.population.load_member(place.index, state["model"])
            return Progress()
        epoch = _load(state, place).epoch
        return Progress(epoch=epoch, first_epoch=epoch, train_loss=state["progress"]["train_loss"])

    def save(self, place: Place, progress: Progress) -> None:
        """Writes a checkpoint if one is due. Raises OSError when the disk does not take it."""
        if self._folder is None or self._seconds is None or time.monotonic() - self._saved_at < self._seconds:
            return
        _write(self._folder / CHECKPOINT, place, progress)
        self._saved_at = time.monotonic()

    def finish(self, place: Place, progress: Progress) -> None:
        """Keeps the final state if it is wanted, and removes the checkpoint. Raises OSError."""
        if self._keep and self._folder is not None:
            _write(self._folder / KEPT, place, progress)
        self.discard()

    def discard(self) -> None:
        """Removes the checkpoint, if there is one."""
        if self._folder is not None:
            (self._folder / CHECKPOINT).unlink(missing_ok=True)


def checkpoint_of(candidate: Candidate[Any], trainer: Trainer, context: Context) -> Checkpoint:
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


def _write(path: Path, place: Place, progress: Progress) -> None:
    """Replaces the file in one step; what was there stays whole until the new one is on disk."""
    model, memory = place.copy()
    state = {
        "model": {key: value.contiguous() for key, value in model.items()},
        "optimizer": memory,
        "optimizer_name": place.optimizer.name,
        "stack": [place.index, place.population.width],
        "progress": asdict(progress),
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".tmp")
    with partial.open("wb") as file:
        file.write(buffer.getbuffer())
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def _parse(data: bytes) -> dict[str, Any]:
    """The saved state, on the CPU. Raises ValueError when the bytes are not one, or not those that were written.

    The file is a zip archive; its check sums are tested here because torch does not.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"{damaged} has a wrong check sum")
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        _ = state["model"], state["optimizer"], state["optimizer_name"], Progress(**state["progress"])
    except Exception as error:  # damaged bytes make torch and pickle raise almost anything
        raise ValueError(
            f"not a readable checkpoint ({type(error).__name__}: {' '.join(str(error).split())[:120]})"
        ) from error
    return dict(state)


def _check_place(state: dict[str, Any], place: Place) -> None:
    """Raises ValueError for a state of another place or width."""
    if state.get("stack") != [place.index, place.population.width]:
        raise ValueError("it was made at another place of a program, or in one of another width")


def _parent_state(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise EnvironmentFailure(
            f"{path} is missing, and a candidate continues from it; runs that continue candidates need "
            "trainer.save_state=true from their start"
        )
    try:
        return _parse(path.read_bytes())
    except ValueError as error:
        raise EnvironmentFailure(f"{path}, from which a candidate continues, is damaged: {error}") from error


def _load(state: dict[str, Any], place: Place) -> Progress:
    """The place gets the saved state; its settings stay. Raises ValueError, before any change, on a misfit."""
    place.population.check_member(place.index, state["model"])
    if state["optimizer_name"] != place.optimizer.name:
        raise ValueError(f"the saved training used {state['optimizer_name']}, this one {place.optimizer.name}")
    place.load(state["model"], state["optimizer"])
    return Progress(**state["progress"])
