"""The file of a training's state: whose it is, what it holds, and a checksum of all that decides about later bits."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor

from evonas_cli.training.history import Best, Point

FOLDED = ("progress", "model", "optimizer")
"""What each fold of a candidate that is trained for several has of its own."""

State: TypeAlias = Mapping[str, Any]
"""`owner`, `progress`, `model` (weights by name), `optimizer` (an optimiser's memory), `optimizer_name`, and `stack`
(place and width of the program). Files of a network hold as JSON text its `plan` and its `signature`, too. A checkpoint
of a training that keeps its best epoch holds the `best` one so far. Where a candidate is trained once for each fold of
the data, the state is that of the first fold, and `folds` holds those of the others, a list of what FOLDED names."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The candidate whose state it is, by the run's seed, its id, and its own seed."""

    run_seed: int
    id: int
    seed: int

    def __str__(self) -> str:
        return f"candidate {self.id} with seed {self.seed}, of a run with seed {self.run_seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a training is: epochs done, how many of them an earlier candidate did, the last one's mean loss, the
    seconds this candidate has spent, and the points of its learning curve. `kept` is the epoch whose weights are kept
    where that is not the last one."""

    epoch: int = 0
    first_epoch: int = 0
    train_loss: float = 0.0
    train_seconds: float = 0.0
    curve: tuple[Point, ...] = ()
    kept: int | None = None


def write(path: Path, state: State) -> None:
    """Replaces the file in one step; what was there stays whole until the new one is on disk. Raises OSError."""
    plain = {**state, "owner": asdict(state["owner"]), "progress": asdict(state["progress"])}
    if "folds" in state:
        plain["folds"] = [{**one, "progress": asdict(one["progress"])} for one in state["folds"]]
    best: Best | None = state.get("best")
    if best is not None:
        plain["best"] = {field.name: getattr(best, field.name) for field in fields(best)}
    buffer = io.BytesIO()
    torch.save(plain, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".tmp")
    with partial.open("wb") as file:
        file.write(buffer.getbuffer())
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def parse(data: bytes) -> State:
    """The saved state, on the CPU. Raises ValueError when the bytes are not one, or not those that were written.

    The file is a zip archive; its check sums are tested here because torch does not.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"{damaged} has a wrong check sum")
        state = dict(torch.load(io.BytesIO(data), map_location="cpu", weights_only=True))
        named = state.get("owner")
        _ = state["model"], state["optimizer"], state["optimizer_name"]
        state["progress"] = Progress(**state["progress"])
        state["owner"] = None if named is None else Owner(**named)
        if "folds" in state:
            state["folds"] = [{**one, "progress": Progress(**one["progress"])} for one in state["folds"]]
        if "best" in state:
            state["best"] = Best(**state["best"])
    except Exception as error:  # damaged bytes make torch and pickle raise almost anything
        raise ValueError(
            f"not a readable checkpoint ({type(error).__name__}: {' '.join(str(error).split())[:120]})"
        ) from error
    if state["owner"] is None:
        raise ValueError("it does not say whose it is, as files of older versions")
    return state


def checksum(state: State) -> str:
    """SHA-256, in hexadecimal, over weights, the optimiser's memory, epochs done and the last loss, of all folds.

    Measured seconds, the place in a program and the owner have no part in it: the same training made again has it, too.
    """
    total = hashlib.sha256()
    for one in (state, *state.get("folds", [])):
        progress: Progress = one["progress"]
        total.update(json.dumps([state["optimizer_name"], progress.epoch, progress.train_loss]).encode())
        for name, tensor in sorted(_tensors(one)):
            total.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
            total.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def _tensors(state: State) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in state["model"].items():
        yield f"model {name}", tensor
    for index, parts in state["optimizer"].items():
        for name, tensor in parts.items():
            yield f"optimizer {index} {name}", tensor
