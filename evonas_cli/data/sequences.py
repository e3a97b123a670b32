"""Data sets of token sequences, for networks that read one token after the other and predict the next one."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.capability import Capability

Tokens: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """One part: what is read, (N, T), and what has to be predicted at each step, (N, T), in tokens.

    `scored`, (T,), says which steps count, in training and validation. `stream` marks one long sequence, N = 1, which
    may be cut anywhere.
    """

    inputs: Tokens
    targets: Tokens
    scored: NDArray[np.bool_]
    stream: bool


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """What a search may see: no test part. Tokens are indices of `vocabulary`; `fingerprint` identifies data, split."""

    vocabulary: tuple[str, ...]
    train: Sequences
    valid: Sequences
    fingerprint: str


@runtime_checkable
class SequenceDataset(Protocol, metaclass=Capability):
    """A source of token sequences. One that reads files is `Placed`, too: its `check_there` looks for them."""

    def corpus(self, seed: int) -> Corpus:
        """Training and validation part. Raises UsageError for bad or missing files."""

    def test(self, seed: int) -> Any:
        """The test part, as Sequences, which a search never sees. Raises as `corpus`."""


def stream(tokens: Tokens) -> Sequences:
    """One long sequence in which every token but the first is predicted from those before it."""
    scored = np.ones(len(tokens) - 1, dtype=np.bool_)
    return Sequences(inputs=tokens[None, :-1], targets=tokens[None, 1:], scored=scored, stream=True)


def fingerprint(vocabulary: tuple[str, ...], *parts: Sequences) -> str:
    """SHA-256 over the vocabulary and all parts, in hexadecimal."""
    digest = sha256(repr(vocabulary).encode())
    for part in parts:
        for array in (part.inputs, part.targets, part.scored):
            digest.update(f"{array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
