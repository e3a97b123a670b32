"""Synthetic sentences in which a bag of words says nothing: what counts is which word stands before which.

A stand-in for comments that are toxic or not (the task of LEAF: Liang et al., 2019). A sentence is toxic if it has a
marked word that is not directly preceded by a negator. Every sentence has as many negators as marked words, one or two,
and how many, how long it is and which words they are does not depend on the class: a model that counts words can do no
better than to answer the commoner class.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

import numpy as np

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.data.arrays import Arrays
from evonas_cli.data.own_parts import DrawnParts
from evonas_cli.data.preparing import fingerprint_of
from evonas_cli.data.splits import Augmentation, Indices, Splits
from evonas_cli.data.vocabulary import FIRST, PADDING
from evonas_cli.network.task import Kind, Task

WORDS, MARKED, NEGATORS = 200, 5, 3
SHORTEST, LONGEST = 5, 40
"""Words of a sentence; the length is uniform."""
MOST = 2
"""Marked words of a sentence, at most."""
MARKS = range(FIRST, FIRST + MARKED)
"""Ids of the marked words."""
NEGATIONS = range(MARKS.stop, MARKS.stop + NEGATORS)
PLAIN = range(NEGATIONS.stop, FIRST + WORDS)
NAMES = ("harmless", "toxic")


@dataclass(frozen=True, kw_only=True)
class Negation(DrawnParts):
    """Synthetic sentences as token ids (40,), toxic where a marked word is not negated.

    `n_train`, `n_valid` and `n_test` sentences of 5 to 40 of 200 words, padded by 0 at the end, drawn from `seed` for
    each part by itself; a share `toxic` of them, each drawn, is toxic. Raises UsageError for values out of range.
    """

    known_outputs: ClassVar[int | None] = len(NAMES)
    known_kind: ClassVar[Kind | None] = "classes"
    least: ClassVar[int] = 20

    toxic: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.toxic) is not float or not 0 < self.toxic < 1:
            raise UsageError(f"dataset.toxic is {self.toxic!r}; it must lie between 0 and 1, both excluded")

    @property
    def layout(self) -> str:
        """As Laid."""
        return "tokens"

    def looked_up_sizes(self, seed: int) -> dict[str, int]:
        """As Source.looked_up_sizes."""
        return {"train": self.n_train, "valid": self.n_valid, "test": self.n_test}

    def task(self) -> Task:
        """As Source.task."""
        return Task((LONGEST,), len(NAMES), "classes", FIRST + WORDS)

    def prepare(self, seed: int) -> Splits:
        """As Source.prepare."""
        arrays = self._checked()
        assert arrays.x_valid is not None and arrays.y_valid is not None
        everything: dict[str, Indices] = {"train": np.arange(self.n_train, dtype=np.int64)}
        return Splits(
            x_train=arrays.x_train,
            y_train=arrays.y_train,
            x_valid=arrays.x_valid,
            y_valid=arrays.y_valid,
            mean=np.zeros(0),
            std=np.ones(0),
            task=self.task(),
            augmentation=Augmentation(),
            fingerprint=fingerprint_of(arrays, everything),
            names=NAMES,
        )

    def arrays(self) -> Arrays:
        """As OwnParts.arrays: token ids (N, 40) and classes (N,), int64."""
        found: dict[str, Any] = {}
        for place, part in enumerate(("train", "valid", "test")):
            rng = stream(self.seed, "negation", place)
            x = np.full((getattr(self, f"n_{part}"), LONGEST), PADDING, dtype=np.int64)
            y = np.zeros(len(x), dtype=np.int64)
            for number in range(len(x)):
                y[number] = rng.random() < self.toxic
                words = _sentence(bool(y[number]), rng)
                x[number, : len(words)] = words
            found |= {f"x_{part}": x, f"y_{part}": y}
        return Arrays(**found, names=NAMES)

    def _checked(self) -> Arrays:
        """Token ids stay integers, unlike other inputs."""
        return self.arrays()


def is_toxic(words: list[int]) -> bool:
    """Whether a marked word has no negator directly before it."""
    before = [PADDING, *words[:-1]]
    return any(word in MARKS and other not in NEGATIONS for other, word in zip(before, words, strict=True))


def _sentence(toxic: bool, rng: Random) -> list[int]:
    """The words of a sentence of the class."""
    count = rng.randint(1, MOST)
    plain = [[rng.choice(PLAIN)] for _ in range(rng.randint(SHORTEST, LONGEST) - 2 * count)]
    marks, negators = [rng.choice(MARKS) for _ in range(count)], [rng.choice(NEGATIONS) for _ in range(count)]
    free = rng.randint(1, count) if toxic else 0
    pieces = [*plain, *([word] for word in marks[:free] + negators[:free])]
    pieces += [list(pair) for pair in zip(negators[free:], marks[free:], strict=True)]
    while True:
        rng.shuffle(pieces)
        words = [word for piece in pieces for word in piece]
        if is_toxic(words) == toxic:
            return words
