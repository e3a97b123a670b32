"""Data sets of images with captions: several references an image, and the vocabulary of the training part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.capability import Capability
from evonas_cli.core.errors import UsageError
from evonas_cli.network.captions import BOUNDARY, FIRST, PADDING

Caption: TypeAlias = tuple[str, ...]
"""The words of a caption."""


@dataclass(frozen=True, kw_only=True)
class Captioned:
    """One part: images (N, C, H, W) uint8, and the reference captions of each, at least one."""

    images: NDArray[np.uint8]
    references: tuple[tuple[Caption, ...], ...]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, kw_only=True)
class CaptionCorpus:
    """What a search may see: no test part. `fingerprint` identifies the data."""

    train: Captioned
    valid: Captioned
    fingerprint: str


@runtime_checkable
class CaptionDataset(Protocol, metaclass=Capability):
    """A source of images with captions. One that reads files is `Placed`, too."""

    def captions(self, seed: int) -> CaptionCorpus:
        """Training and validation part. Raises UsageError for bad or missing files."""

    def test_captions(self, seed: int) -> Captioned:
        """The test part, which a search never sees. Raises as `captions`."""


def vocabulary_of(captions: Iterable[Caption]) -> tuple[str, ...]:
    """All words, sorted; the first one has the token id FIRST.

    >>> vocabulary_of([("a", "red", "disc"), ("a", "disc")])
    ('a', 'disc', 'red')
    """
    return tuple(sorted({word for caption in captions for word in caption}))


def check_references(part: Captioned, where: str) -> None:
    """Raises UsageError for an image without a reference and for an empty reference. `where` names the part."""
    if len(part.references) != len(part.images):
        raise UsageError(f"{where} has {len(part.images)} images and captions of {len(part.references)}; give each one")
    for number, references in enumerate(part.references):
        if not references:
            raise UsageError(f"{where}: image {number} has no caption; give it one, or leave it out")
        for place, caption in enumerate(references):
            if not caption:
                raise UsageError(f"{where}: caption {place} of image {number} is empty; give it words, or leave it out")


def encoded(part: Captioned, vocabulary: Sequence[str], steps: int, where: str) -> tuple[Any, Any]:
    """All references as token ids, (references, steps + 1) int64: a boundary, the words, a boundary, padding; and the
    image of each reference, (references,) int64. `where` names the part.

    Raises UsageError for a word that the vocabulary lacks, and for a caption of more than `steps` - 1 words.
    """
    ids = {word: number for number, word in enumerate(vocabulary, FIRST)}
    rows, images = [], []
    for number, references in enumerate(part.references):
        for caption in references:
            unknown = next((word for word in caption if word not in ids), None)
            if unknown is not None:
                raise UsageError(
                    f"{where}: a caption of image {number} has the word {unknown!r}, which no training caption has; "
                    "give the training part captions with it, or leave the caption out"
                )
            if len(caption) >= steps:
                raise UsageError(
                    f"{where}: a caption of image {number} has {len(caption)} words, more than {steps - 1}"
                )
            row = [BOUNDARY, *[ids[word] for word in caption], BOUNDARY]
            rows.append(row + [PADDING] * (steps + 1 - len(row)))
            images.append(number)
    return np.array(rows, dtype=np.int64), np.array(images, dtype=np.int64)


def fingerprint(*parts: Captioned) -> str:
    """SHA-256 over images and captions of all parts, in hexadecimal."""
    digest = sha256()
    for part in parts:
        digest.update(f"{part.images.dtype.str} {part.images.shape}".encode())
        digest.update(np.ascontiguousarray(part.images).data)
        digest.update(repr(part.references).encode())
    return digest.hexdigest()
