"""Answers of a detector."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from evonas_cli.nn.detection import SURE, detections

IMAGE: tuple[int, int]
STRIDES: tuple[int, ...]


def header(names: Sequence[str]) -> list[str]:
    """What `answers` has in its columns."""
    return ["boxes", "found"]


def answers(outputs: Tensor, names: Sequence[str]) -> list[list[str | float]]:
    """For each image how many boxes were found, and these with semicolons between them: class, score, left, top, right
    and bottom in pixels of the network's image, the surest first, down to a score of SURE. Outputs are (N, numbers)."""
    rows: list[list[str | float]] = []
    for scores, kinds, boxes in zip(*detections(outputs.float(), *IMAGE, STRIDES), strict=True):
        kept = [place for place, score in enumerate(scores.tolist()) if score >= SURE]
        words = [f"{names[int(kinds[n])]} {scores[n]:.3f} {' '.join(f'{side:.1f}' for side in boxes[n])}" for n in kept]
        rows.append([len(kept), "; ".join(words)])
    return rows
