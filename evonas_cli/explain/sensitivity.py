"""Which parts of an image an answer depends on, and whether the map that says so is right.

    occlusion   how far the probability of the answer falls when a square is replaced by the mean (Zeiler and Fergus,
                ECCV 2014)
    saliency    the size of the gradient of the answer's score at each pixel, the greatest of its channels (Simonyan,
                Vedaldi and Zisserman, ICLR workshop 2014)

A map is tested by deletion (after Samek et al., IEEE TNNLS 2017): what its highest quarter covers is replaced by the
mean, and the probability has to fall by more than for random quarters.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evonas_cli.explain.calibration import Floats, softmax
from evonas_cli.export.outgoing import Model
from evonas_cli.export.scoring import outputs_of

GRID = 7
"""Squares along the longer side of the image."""
SHARE = 0.25
"""Share of the squares that is deleted in the test."""
RANDOM = 10
"""Random deletions for each image."""
_SEED = 20131112

Images = NDArray[np.float32]


def occlusion(model: Model, image: Images, answer: int, mean: Images, cells: NDArray[np.int64]) -> Floats:
    """The fall of the probability of class `answer` for each square, (squares,): `image` is (C, H, W), `mean`
    (C, 1, 1), and `cells` (H, W) has the number of the square at each pixel."""
    covered = np.stack([image, *[np.where(cells == k, mean, image) for k in range(cells.max() + 1)]])
    probability = softmax(outputs_of(model, covered.astype(np.float32)).double().numpy())[:, answer]
    found: Floats = probability[0] - probability[1:]
    return found


def saliency(model: Model, image: Images, answer: int) -> Floats:
    """The gradient's size at each pixel, (H, W), of the score of class `answer`; for inputs in their own unit."""
    x = torch.from_numpy(image.astype(np.float32))[None].requires_grad_()
    (slope,) = torch.autograd.grad(model(x)[0, answer], x)
    found: Floats = slope[0].abs().amax(0).double().numpy()
    return found


def squares(height: int, width: int) -> NDArray[np.int64]:
    """The number of the square at each pixel, (H, W); squares at the right and lower border may be smaller."""
    side = ceil(max(height, width) / GRID)
    rows, columns = np.arange(height) // side, np.arange(width) // side
    found: NDArray[np.int64] = rows[:, None] * (columns[-1] + 1) + columns[None]
    return found


def deletion(
    model: Model, images: Images, answers: NDArray[np.int64], mean: Images, scores: Sequence[NDArray[Any]]
) -> dict[str, Any]:
    """The test of maps over images (N, C, H, W): `scores` has for each image a number for each square.

    `mapped` and `random` are the mean falls of the probability of `answers` (N,) when the squares with the highest
    numbers, or random ones, are replaced; `wins` is the share of images where the map's fall is greater than the mean
    of the random ones.
    """
    rng, falls = np.random.default_rng(_SEED), []
    cells = squares(*images.shape[2:])
    count = int(cells.max()) + 1
    gone = max(1, round(SHARE * count))
    for n, image in enumerate(images):
        chosen = [np.argsort(-scores[n], kind="stable")[:gone]]
        chosen += [rng.permutation(count)[:gone] for _ in range(RANDOM)]
        covered = np.stack([image, *[np.where(np.isin(cells, one), mean, image) for one in chosen]])
        probability = softmax(outputs_of(model, covered.astype(np.float32)).double().numpy())[:, answers[n]]
        falls.append((probability[0] - probability[1], probability[0] - probability[2:].mean()))
    mapped, random = np.array(falls).T
    return {
        "images": len(images),
        "share": gone / count,
        "mapped": float(mapped.mean()),
        "random": float(random.mean()),
        "wins": float((mapped > random).mean()),
    }
