"""The copy task (Hochreiter and Schmidhuber, 1997, in spirit): repeat a few symbols after a stretch of blanks.

A sequence is `length` symbols, `blanks` blanks, then `length` recall marks, at which the symbols have to be predicted
in their order; nothing else counts. A model without memory has a perplexity of `symbols` there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

import numpy as np

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.data.counts import check_counts
from evonas_cli.data.sequences import Corpus, Sequences, Tokens, fingerprint

LEAST = {"symbols": 2, "length": 1, "blanks": 0, "n_train": 1, "n_valid": 1, "n_test": 1}
MOST_BITS = 62
"""Words are drawn by their numbers, which have to fit into 64 bits."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """Sequences generated from the run's seed: symbols to be repeated after blanks.

    Tokens are the symbols, then a blank and a recall mark. The `n_train`, `n_valid` and `n_test` words are all
    different. Raises UsageError for numbers out of range, and when there are fewer words than asked for.
    """

    symbols: int
    length: int
    blanks: int
    n_train: int
    n_valid: int
    n_test: int

    def __post_init__(self) -> None:
        check_counts(self, LEAST)
        if self.length * log2(self.symbols) > MOST_BITS:
            raise UsageError(f"dataset.length is {self.length}, of {self.symbols} symbols: too many words; lower one")
        words, wanted = self.symbols**self.length, self.n_train + self.n_valid + self.n_test
        if wanted > words:
            raise UsageError(
                f"dataset.n_train + n_valid + n_test is {wanted}, but {self.symbols} symbols make only {words} words "
                f"of {self.length}; ask for fewer, or raise dataset.symbols or dataset.length"
            )

    def corpus(self, seed: int) -> Corpus:
        """Training and validation part."""
        train, valid, _ = self._parts(seed)
        vocabulary = (*[f"symbol {n}" for n in range(self.symbols)], "blank", "recall")
        digest = fingerprint(vocabulary, train, valid)
        return Corpus(vocabulary=vocabulary, train=train, valid=valid, fingerprint=digest)

    def test(self, seed: int) -> Sequences:
        """The test part."""
        return self._parts(seed)[2]

    def _parts(self, seed: int) -> list[Sequences]:
        """Words drawn without replacement, hence disjoint parts."""
        sizes = (self.n_train, self.n_valid, self.n_test)
        drawn = stream(seed, "copy").sample(range(self.symbols**self.length), sum(sizes))
        numbers = np.array(drawn, dtype=np.int64)[:, None]
        words = numbers // self.symbols ** np.arange(self.length, dtype=np.int64) % self.symbols
        return [self._sequences(part) for part in np.split(words, np.cumsum(sizes)[:-1])]

    def _sequences(self, words: Tokens) -> Sequences:
        blank, recall = self.symbols, self.symbols + 1
        shape = len(words), self.length
        waiting = np.full((len(words), self.blanks), blank, dtype=np.int64)
        inputs = np.concatenate([words, waiting, np.full(shape, recall, dtype=np.int64)], axis=1)
        targets = np.concatenate([np.full(shape, blank, dtype=np.int64), waiting, words], axis=1)
        scored = np.arange(inputs.shape[1]) >= self.length + self.blanks
        return Sequences(inputs=inputs, targets=targets, scored=scored, stream=False)
