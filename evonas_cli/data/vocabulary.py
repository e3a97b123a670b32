"""Texts as token ids: which tokens a text has, and which of them a network knows.

Words are runs of letters, digits and underscores (Unicode), and each other character that is no space is a token of its
own; characters are all characters, spaces too. Before that, texts are brought into Unicode's composed form (NFC) and,
if asked for, into small letters. Ids are 0 for padding, 1 for every token outside of the vocabulary, then the tokens by
their count in the training part, the most frequent first, equal ones by their code points.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

PADDING, UNKNOWN, FIRST = 0, 1, 2
TOKENS = ("words", "characters")
WORD = re.compile(r"\w+|[^\w\s]")
SHARE = 95
"""Per cent of the training texts that are not cut when `max_length` is auto."""


def tokens(text: str, kind: str, lower: bool) -> list[str]:
    """The tokens of a text; `kind` is one of TOKENS."""
    composed = unicodedata.normalize("NFC", text.lower() if lower else text)
    return WORD.findall(composed) if kind == "words" else list(composed)


@dataclass(frozen=True)
class Vocabulary:
    """The known tokens in the order of their ids, which begin at 2."""

    known: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many ids there are, those for padding and unknown tokens among them."""
        return FIRST + len(self.known)

    def ids(self, texts: Sequence[Sequence[str]], length: int) -> NDArray[np.int64]:
        """The first `length` tokens of each text as ids, (texts, length), padded at the end."""
        places = {token: n for n, token in enumerate(self.known, FIRST)}
        result = np.full((len(texts), length), PADDING, dtype=np.int64)
        for row, text in zip(result, texts, strict=True):
            found = [places.get(token, UNKNOWN) for token in text[:length]]
            row[: len(found)] = found
        return result


def learned(texts: Iterable[Sequence[str]], most: int, least_count: int) -> Vocabulary:
    """The vocabulary of up to `most` tokens that the texts have at least `least_count` times."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    frequent = sorted((token for token, n in counts.items() if n >= least_count), key=lambda one: (-counts[one], one))
    return Vocabulary(tuple(frequent[:most]))


def usual_length(texts: Sequence[Sequence[str]]) -> int:
    """The least length that SHARE per cent of the texts do not exceed."""
    lengths = sorted(map(len, texts))
    return lengths[max(0, ceil(len(lengths) * SHARE / 100) - 1)]
