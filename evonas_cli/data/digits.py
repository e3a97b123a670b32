"""The 1,797 handwritten 8x8 digits that come with scikit-learn, no download (Alpaydin & Kaynak, 1998)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas_cli.data.arrays import Arrays
from evonas_cli.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Digits(Dataset):
    """Grey images 1x8x8 in ten classes; the 17 grey levels 0 to 16 become 0 to 240. There is no official test set."""

    def read(self) -> Arrays:
        """As Dataset.read; reads files of the installed scikit-learn only."""
        from sklearn.datasets import load_digits

        bunch = load_digits()
        x = (bunch.images * 15).astype(np.uint8)[:, None]
        return Arrays(x_train=x, y_train=bunch.target.astype(np.int64))
