"""The 1,797 handwritten 8x8 digits known from scikit-learn, carried in this package (Alpaydin and Kaynak, 1998).

`digits.npz` holds scikit-learn's test part of the "Optical Recognition of Handwritten Digits" data set (UCI Machine
Learning Repository, CC BY 4.0), grey levels 0 to 16 as bytes; a test compares it with scikit-learn's copy. Reading it
here takes milliseconds, importing scikit-learn for it more than a second in every worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from evonas_cli.data.arrays import Arrays
from evonas_cli.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Digits(Dataset):
    """Handwritten digits, 1x8x8 in ten classes, 1,797 in all, no download.

    The 17 grey levels 0 to 16 become 0 to 240. There is no official test set.
    """

    known_outputs: ClassVar[int | None] = 10

    def looked_up_sizes(self, seed: int) -> dict[str, int]:
        """As Source.looked_up_sizes."""
        return self._sizes(self._checked(), seed)

    def read(self) -> Arrays:
        """As Dataset.read; never fails."""
        with np.load(Path(__file__).with_name("digits.npz")) as file:
            images, labels = file["images"], file["labels"]
        return Arrays(x_train=(images * 15).reshape(-1, 1, 8, 8), y_train=labels.astype(np.int64))
