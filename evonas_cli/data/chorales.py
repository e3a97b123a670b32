"""Next-frame prediction on piano rolls, such as the JSB Chorales (Boulanger-Lewandowski et al., 2012).

The file has a list of pieces for each of train, valid and test; a piece is a list of frames, a frame the list of MIDI
notes that sound in it. An example is a window of the frames before one, and the 88 labels say which notes that one has.
Each frame but a piece's first is predicted once, and silence stands before a piece's beginning. A window is all that a
network sees, while the recurrent networks of the literature see the piece from its beginning.
"""

from __future__ import annotations

import gzip
import json
import logging
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import check_file, located, reading
from evonas_cli.data.dataset import Source
from evonas_cli.data.splits import Augmentation, Splits, split_indices
from evonas_cli.data.targets import Targets
from evonas_cli.network.task import Task

LOWEST, NOTES = 21, 88
"""The keys of a piano: MIDI notes 21 to 108."""
PARTS = ("train", "valid", "test")
GZIP = b"\x1f\x8b"
REMEDY = "pass dataset.path=FILE.json, or FILE.json.gz"
WANTED = "lists of pieces, which are lists of frames, which are lists of MIDI notes"

Rolls = NDArray[np.float32]
log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # what was found is shown, though the command shows warnings alone


@dataclass(frozen=True, kw_only=True)
class Chorales(Source):
    """Windows of `steps` frames as series (88, steps) of 0 and 1, and the next frame as 88 labels.

    The source has all three parts, so both fractions are null. `valid_loss` is the mean over the 88 notes, so 88 times
    it is the negative log-likelihood of a frame in nats. Constant and rare notes are usual; inputs are not normalised.
    """

    known_outputs: ClassVar[int | None] = NOTES

    limit_per_class: int | None = field(default=None, init=False)
    path: str | None
    steps: int

    def __post_init__(self) -> None:
        super().__post_init__()
        for part in ("valid", "test"):
            value = getattr(self, f"{part}_fraction")
            if value is not None:
                raise UsageError(
                    f"dataset.{part}_fraction is {value}, but the file has a {part} part of its own; "
                    f"pass dataset.{part}_fraction=null"
                )
        if type(self.steps) is not int or self.steps < 1:
            raise UsageError(f"dataset.steps is {self.steps!r}; it must be an integer of at least 1")

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    @property
    def layout(self) -> str:
        """As Laid."""
        return "series"

    @property
    def task_kind(self) -> str:
        """As Source.task_kind."""
        return "labels"

    def check_there(self) -> None:
        """As Source.check_there."""
        check_file(self._path, REMEDY)

    def task(self) -> Task:
        """The same for every file."""
        return Task((NOTES, self.steps), NOTES, "labels")

    def prepare(self, seed: int) -> Splits:
        """As Source.prepare; a log line gives the loss of a model that predicts the frequency of each note."""
        pieces, digest = self._read()
        (x_train, y_train), (x_valid, y_valid) = (windows(pieces[part], self.steps) for part in ("train", "valid"))
        kept = self._kept(y_train, seed)
        x_train, y_train = x_train[kept], y_train[kept]
        names = tuple(str(LOWEST + note) for note in range(NOTES))
        log.info(
            f"{self.path}: {len(y_train)} + {len(y_valid)} frames (training, validation), each after {self.steps}; "
            f"the frequencies of the notes alone have {floor(y_train, y_valid):.2f} nats a frame on the validation part"
        )
        return Splits(
            x_train=x_train,
            y_train=y_train,
            x_valid=x_valid,
            y_valid=y_valid,
            mean=np.zeros(NOTES),
            std=np.ones(NOTES),
            task=self.task(),
            augmentation=Augmentation(),
            fingerprint=_fingerprint(digest, kept),
            names=names,
        )

    def test(self, seed: int) -> tuple[Rolls, Rolls]:
        """As Source.test; the same for every seed."""
        return windows(self._read()[0]["test"], self.steps)

    def fingerprint(self, seed: int) -> str:
        """SHA-256 over all pieces and the training frames that are kept, in hexadecimal."""
        pieces, digest = self._read()
        return _fingerprint(digest, self._kept(windows(pieces["train"], 1)[1], seed))

    @property
    def _path(self) -> Path:
        return located(self.path, "dataset.path", "FILE.json")

    def _kept(self, y_train: Rolls, seed: int) -> NDArray[np.int64]:
        found = Targets(y_train, "labels", ("",) * NOTES)
        return split_indices(found, None, None, self.limit, seed, str(self.path))["train"]

    def _read(self) -> tuple[dict[str, list[Rolls]], str]:
        """The rolls (frames, 88) of each part's pieces, and a digest of what the file says."""
        path = self._path
        check_file(path, REMEDY)
        with reading(path, "JSON of piano rolls", REMEDY):
            data = path.read_bytes()
            found = json.loads(gzip.decompress(data) if data.startswith(GZIP) else data)
        if not isinstance(found, dict):
            raise UsageError(f"{path} is no dictionary of train, valid and test: {WANTED}")
        pieces = {part: _rolls(found.get(part), f"{path}: {part}") for part in PARTS}
        said = json.dumps([found[part] for part in PARTS], separators=(",", ":"))
        return pieces, sha256(said.encode()).hexdigest()


def windows(pieces: list[Rolls], steps: int) -> tuple[Rolls, Rolls]:
    """For each frame but the first of each piece: the `steps` frames before it, (N, 88, steps), and it, (N, 88)."""
    silence = np.zeros((steps - 1, NOTES), dtype=np.float32)
    before = [sliding_window_view(np.concatenate([silence, roll[:-1]]), steps, axis=0) for roll in pieces]
    return np.concatenate(before), np.concatenate([roll[1:] for roll in pieces])


def floor(y_train: Rolls, y_valid: Rolls) -> float:
    """The negative log-likelihood of a validation frame, in nats, by the share of training frames that each note has.

    A note that no training frame has counts as in half a frame, and one that all have likewise.
    """
    least = 0.5 / len(y_train)
    share = y_train.mean(axis=0, dtype=np.float64).clip(least, 1 - least)
    return float(-(y_valid * np.log(share) + (1 - y_valid) * np.log1p(-share)).sum(axis=1).mean())


def _rolls(pieces: Any, where: str) -> list[Rolls]:
    """Raises UsageError for anything but pieces of two frames or more, whose notes a piano has."""
    if not isinstance(pieces, list) or not pieces:
        raise UsageError(f"{where} is missing or empty; the file holds {WANTED}, for train, valid and test")
    rolls = []
    for n, piece in enumerate(pieces):
        if not isinstance(piece, list) or len(piece) < 2:
            raise UsageError(f"{where}: piece {n} is no list of at least two frames; the file holds {WANTED}")
        roll = np.zeros((len(piece), NOTES), dtype=np.float32)
        for t, frame in enumerate(piece):
            for note in frame if isinstance(frame, list) else [None]:
                if type(note) is not int or not 0 <= note - LOWEST < NOTES:
                    raise UsageError(
                        f"{where}: piece {n} has {note!r} in frame {t}; notes are integers from {LOWEST} to "
                        f"{LOWEST + NOTES - 1}, and a frame is a list of them"
                    )
                roll[t, note - LOWEST] = 1
        rolls.append(roll)
    return rolls


def _fingerprint(digest: str, kept: NDArray[np.int64]) -> str:
    return sha256(digest.encode() + np.ascontiguousarray(kept, dtype="<i8").tobytes()).hexdigest()
