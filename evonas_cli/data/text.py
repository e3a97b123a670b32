"""Own text, read character by character: the vocabulary is that of the training part."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import check_file, located, reading
from evonas_cli.data.sequences import Corpus, Sequences, Tokens, fingerprint, stream

LEAST_PART = 2
UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Text:
    """A plain text file in UTF-8, .txt or .txt.gz, character by character.

    The first `limit` characters (null: all) are cut, in their order, into training, validation and test part; the
    fractions are shares of them. Token 0 stands for every character that the training part lacks.
    """

    path: str | None
    valid_fraction: float
    test_fraction: float
    limit: int | None

    def __post_init__(self) -> None:
        for key in ("valid_fraction", "test_fraction"):
            value = getattr(self, key)
            if type(value) is not float or not 0 < value < 1:
                raise UsageError(f"dataset.{key} is {value!r}; it must lie between 0 and 1, both excluded")
        if self.valid_fraction + self.test_fraction >= 1:
            raise UsageError("dataset.valid_fraction and dataset.test_fraction leave nothing to train on; lower them")
        if self.limit is not None and (type(self.limit) is not int or self.limit < 1):
            raise UsageError(f"dataset.limit is {self.limit!r}; it must be an integer of at least 1, or null")

    def corpus(self, seed: int) -> Corpus:
        """Training and validation part, the same for every seed."""
        vocabulary, [train, valid, _] = self._parts()
        digest = fingerprint(vocabulary, train, valid)
        return Corpus(vocabulary=vocabulary, train=train, valid=valid, fingerprint=digest)

    def test(self, seed: int) -> Sequences:
        """The test part, the same for every seed."""
        return self._parts()[1][2]

    def check_there(self) -> None:
        """Raises UsageError unless the path is that of a file."""
        self._checked_path()

    def _checked_path(self) -> Path:
        path = located(self.path, "dataset.path", "FILE.txt")
        check_file(path, "pass dataset.path=FILE.txt, or FILE.txt.gz")
        return path

    def _parts(self) -> tuple[tuple[str, ...], list[Sequences]]:
        """The vocabulary, and the training, validation and test part."""
        text = self._read()[: self.limit]
        codes = np.frombuffer(text.encode("utf-32-le", "strict"), dtype="<u4")
        n_valid, n_test = round(self.valid_fraction * len(codes)), round(self.test_fraction * len(codes))
        n_train = len(codes) - n_valid - n_test
        if min(n_train, n_valid, n_test) < LEAST_PART:
            raise UsageError(
                f"{self.path}: {len(codes)} characters make parts of {n_train}, {n_valid} and {n_test} for training, "
                f"validation and test; each needs {LEAST_PART}, so use a longer text or a larger dataset.limit"
            )
        known = np.unique(codes[:n_train])
        if len(known) == 1:
            raise UsageError(f"{self.path}: the training part is one character, {chr(known[0])!r}, again and again; "
                             "there is nothing to learn, so use another text")  # fmt: skip
        vocabulary = (UNKNOWN, *[chr(code) for code in known])
        parts = np.split(_tokens(codes, known), [n_train, n_train + n_valid])
        return vocabulary, [stream(part) for part in parts]

    def _read(self) -> str:
        path = self._checked_path()
        packed = path.suffix == ".gz"
        with reading(path, "a gzip file" if packed else "a text file", "pass another dataset.path"):
            data = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}); convert it") from error


def _tokens(codes: np.ndarray, known: np.ndarray) -> Tokens:
    """Token n + 1 for the n-th known character, 0 for all others."""
    places = np.minimum(np.searchsorted(known, codes), len(known) - 1)
    return np.where(known[places] == codes, places + 1, 0).astype(np.int64)
