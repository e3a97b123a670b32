"""Arrays of an .npz file as inputs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

SHAPE: tuple[int, ...]


def inputs(words: list[str]) -> tuple[list[str], Tensor]:
    """Places and inputs, (N, *SHAPE), of the arrays `x` of .npz files."""
    arrays = [np.load(word, allow_pickle=False)["x"].reshape(-1, *SHAPE) for word in words]
    x = torch.from_numpy(np.concatenate(arrays).astype(np.float32))
    return [str(place) for place in range(len(x))], x
