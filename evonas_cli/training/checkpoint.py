"""A candidate's training on disk: saved at the end of epochs, resumed bit for bit, continued by later candidates."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from evonas_cli.core.errors import EnvironmentFailure, EvonasError, UsageError
from evonas_cli.core.evaluating import CHECKPOINT, WEIGHTS, Context
from evonas_cli.core.types import Candidate, Heir, Origin
from evonas_cli.training.exercise import Members, Weights
from evonas_cli.training.folded import of_fold
from evonas_cli.training.history import Best
from evonas_cli.training.inheritance import WEIGHTS_ONLY, Inheritance
from evonas_cli.training.optimizers import Memory, Optimizer
from evonas_cli.training.state import Owner, Progress, State, checksum, parse, write
from evonas_cli.training.trainer import Trainer

KEPT = WEIGHTS
NO_OWNER = Owner(0, -1, 0)
"""The owner of a training of which nothing is kept."""

log = logging.getLogger(__name__)


class Lost(EvonasError):
    """What candidate `heir` continues is not there, or not what it has to be; `reason` says which file and why."""

    def __init__(self, heir: int, reason: str) -> None:
        super().__init__(f"candidate {heir} continues another one, whose weights are lost: {reason}")
        self.heir, self.reason = heir, reason


@dataclass(frozen=True, slots=True)
class Place:
    """One member of a program in training, which takes batches in so many `parts`: its weights and what the optimiser
    remembers of them."""

    population: Members
    optimizer: Optimizer
    index: int
    parts: int = 1

    @property
    def stack(self) -> list[int]:
        """What of the program decides about the last bits: index, width, and the parts if there are several."""
        return [self.index, self.population.width, *([self.parts] if self.parts > 1 else [])]

    def copy(self) -> tuple[Weights, Memory]:
        """Both, as they are now."""
        model = {key: value.clone() for key, value in self.population.member(self.index).items()}
        memory = self.optimizer.memory(self.index)
        return model, {i: {key: value.clone() for key, value in parts.items()} for i, parts in memory.items()}

    def load(self, model: Weights, memory: Memory) -> None:
        """The inverse of `copy`. Raises ValueError when the weights are those of another network."""
        self.population.load_member(self.index, model)
        self.optimizer.load_memory(self.index, memory)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The final state that a training continues: that of candidate `id`, in its `folder`, of the run with `run_seed`.

    `origin` is what the run has recorded of that candidate (None: it is not known). With `weights_only` the network
    alone is taken: a new training, with a fresh optimiser, from trained weights. So it is with an `inheritance`, which
    makes the weights of another network of them. `fold` says which of several trainings of the candidate is continued.
    """

    folder: Path
    run_seed: int
    id: int
    origin: Origin | None = None
    weights_only: bool = False
    inheritance: Inheritance | None = None
    fold: int = 0

    def read(self) -> State:
        """The state. Raises ValueError, which says what is wrong with which file."""
        path = self.folder / KEPT
        try:
            state = parse(path.read_bytes())
        except FileNotFoundError as error:
            raise ValueError(f"{path} is missing") from error
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}") from error
        self._check(path, state)
        try:
            return of_fold(state, self.fold)
        except ValueError as error:
            raise ValueError(f"{path} does not fit: {error}") from error

    def _check(self, path: Path, state: State) -> None:
        owner, origin = state["owner"], self.origin
        seed = owner.seed if origin is None else origin.seed
        if owner != Owner(self.run_seed, self.id, seed):
            raise ValueError(f"{path} is that of {owner}")
        if origin is None:
            return
        if origin.epochs is not None and state["progress"].epoch != origin.epochs:
            raise ValueError(f"{path} is a state after {state['progress'].epoch} epochs, not {origin.epochs:g}")
        if origin.state is not None and checksum(state) != origin.state:
            raise ValueError(f"{path} does not have the checksum that the journal has of it")


class Checkpoint:
    """Files of one candidate's training.

    `folder` is that of candidate `owner` (None: nothing is kept); `seconds` the least time between two saves (None: no
    saves); `keep` leaves the final state as `state.pt`, of which `kept` is then the checksum; `source` is the state
    that is continued; `about` are texts that go into the files, such as the plan of the network. `best` is
    the best epoch so far of a training that keeps that one.

    A training that is `held` is one of several of its candidate, in a folder of its own: at its end it leaves the file
    from which it is resumed until it is discarded, and the final state as `final`, not as a file.
    """

    def __init__(
        self,
        folder: Path | None = None,
        seconds: float | None = None,
        keep: bool = False,
        source: Source | None = None,
        owner: Owner = NO_OWNER,
        about: Mapping[str, str] = MappingProxyType({}),
        held: bool = False,
    ) -> None:
        self.held = held
        self.final: State | None = None
        self._folder, self._seconds, self._keep, self._source = folder, seconds, keep, source
        self._owner, self._about = owner, about
        self._saved_at = time.monotonic()
        self.kept: str | None = None
        self.best: Best | None = None
        self.notes: dict[str, str] = {}

    @property
    def labels(self) -> dict[str, str]:
        """What a finished training leaves as words for the journal: the checksum of the state that it keeps, its best
        epoch where that one is kept, and how it inherited weights."""
        found = self.notes if self.kept is None else {**self.notes, "state": self.kept}
        return found if self.best is None else {**found, "best_epoch": str(self.best.epoch)}

    def restore(self, place: Place) -> Progress:
        """Loads this candidate's last checkpoint, else the final state of the source, else nothing, into its place.

        A checkpoint that cannot be read, does not fit, is another candidate's, or comes from another place or width of
        a program, and so has other bits, is discarded with a warning: the training starts again.
        Raises Lost when the source is missing, damaged or another one's, ValueError when it does not fit.
        """
        if self._folder is not None and self._seconds is not None and (self._folder / CHECKPOINT).exists():
            try:
                state = parse((self._folder / CHECKPOINT).read_bytes())
                self._check_own(state, place)
                progress = _load(state, place)
                self.best, self.notes = state.get("best"), dict(state.get("notes", {}))
                return progress
            except ValueError as error:
                log.warning("%s discarded, the training starts again: %s", self._folder / CHECKPOINT, error)
                self.discard()
        return Progress() if self._source is None else self._begin(self._source, place)

    def _begin(self, source: Source, place: Place) -> Progress:
        try:
            state = source.read()
        except ValueError as error:
            raise Lost(self._owner.id, str(error)) from error
        if source.inheritance is not None:
            weights, self.notes = source.inheritance.weights(state)
            place.population.load_member(place.index, weights)
            return Progress()
        if source.weights_only:
            place.population.load_member(place.index, state["model"])
            return Progress()
        before = _load(state, place)
        return Progress(epoch=before.epoch, first_epoch=before.epoch, train_loss=before.train_loss)

    def _check_own(self, state: State, place: Place) -> None:
        """Raises ValueError for a state of another candidate, place or width."""
        if state["owner"] != self._owner:
            raise ValueError(f"it is that of {state['owner']}")
        if state.get("stack") != place.stack:
            raise ValueError("it was made at another place of a program, in one of another width, or in other batches")

    def save(self, place: Place, progress: Progress) -> None:
        """Writes a checkpoint if one is due. Raises OSError when the disk does not take it."""
        if self._seconds is not None and time.monotonic() - self._saved_at >= self._seconds:
            self.save_now(place, progress)

    def save_now(self, place: Place, progress: Progress) -> None:
        """Writes a checkpoint, where checkpoints are wanted. Raises OSError when the disk does not take it."""
        if self._folder is None or self._seconds is None:
            return
        more = {"notes": self.notes} if self.notes else {}
        state = {**self._state(place, progress), **more}
        write(self._folder / CHECKPOINT, state if self.best is None else {**state, "best": self.best})
        self._saved_at = time.monotonic()

    def finish(self, place: Place, progress: Progress) -> None:
        """Keeps the final state if it is wanted, and removes the checkpoint. Raises OSError."""
        if self.held:
            self.final = self._state(place, progress) if self._keep and self._folder is not None else None
            return
        if self._keep and self._folder is not None:
            state = self._state(place, progress)
            write(self._folder / KEPT, state)
            self.kept = checksum(state)
        self.discard()

    def _state(self, place: Place, progress: Progress) -> State:
        model, memory = place.copy()
        return {
            **self._about,
            "owner": self._owner,
            "progress": progress,
            "model": {key: value.contiguous() for key, value in model.items()},
            "optimizer": memory,
            "optimizer_name": place.optimizer.name,
            "stack": place.stack,
        }

    def discard(self) -> None:
        """Removes the checkpoint, if there is one."""
        if self._folder is not None:
            (self._folder / CHECKPOINT).unlink(missing_ok=True)
            if self.held:
                with contextlib.suppress(OSError):  # it was never made
                    self._folder.rmdir()


def checkpoint_of(
    candidate: Candidate[Any],
    trainer: Trainer,
    run_seed: int,
    context: Context,
    about: Mapping[str, str] = MappingProxyType({}),
    inheritance: Inheritance | None = None,
    fold: int | None = None,
) -> Checkpoint:
    """The candidate's files; its folder is asked for only if something is kept in it.

    `inheritance` is for options that ask for one. `fold` is that of a training which is one of several of the candidate
    (None: it is the only one). Raises UsageError for options that are not known, and for those that
    ask for an inheritance where there is none.
    """
    owner = Owner(run_seed, candidate.id, candidate.seed)
    source = _source_of(candidate, run_seed, context, inheritance, fold or 0)
    held = fold is not None
    if trainer.checkpoint_seconds is None and not trainer.save_state:
        return Checkpoint(source=source, owner=owner, held=held)
    folder = context.folder(candidate.id)
    if folder is not None and held:
        folder = folder / f"fold_{fold}"
    return Checkpoint(folder, trainer.checkpoint_seconds, trainer.save_state, source, owner, about, held)


def _source_of(
    candidate: Candidate[Any], run_seed: int, context: Context, inheritance: Inheritance | None, fold: int
) -> Source | None:
    continues, options = candidate.proposal.continues, candidate.proposal.options
    known = options is None or (continues is not None and (options == WEIGHTS_ONLY or inheritance is not None))
    if not known:
        raise UsageError(f"the strategy gives candidate {candidate.id} options that training does not know: {options}")
    if continues is None:
        return None
    folder = context.folder(continues)
    if folder is None:
        raise EnvironmentFailure(f"candidate {candidate.id} continues {continues}, but this run keeps no files")
    return Source(
        folder=folder,
        run_seed=run_seed,
        id=continues,
        origin=candidate.origin if isinstance(candidate, Heir) else None,
        weights_only=options == WEIGHTS_ONLY,
        inheritance=inheritance,
        fold=fold,
    )


def _load(state: State, place: Place) -> Progress:
    """The place gets the saved state; its settings stay. Raises ValueError, before any change, on a misfit."""
    place.population.check_member(place.index, state["model"])
    if state["optimizer_name"] != place.optimizer.name:
        raise ValueError(f"the saved training used {state['optimizer_name']}, this one {place.optimizer.name}")
    place.load(state["model"], state["optimizer"])
    progress: Progress = state["progress"]
    return progress
