"""The program of an exported file: one line for each input."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

WEIGHTS: Path
NAMES: tuple[str, ...]
Model: Callable[[], nn.Module]
inputs: Callable[[list[str]], tuple[list[str], Tensor]]
header: Callable[..., list[str]]
answers: Callable[..., list[list[str | float]]]


def load() -> nn.Module:
    """The trained network, ready to be used."""
    model = Model()
    model.load_state_dict(load_file(WEIGHTS))
    return model.eval()


def main(words: list[str]) -> None:
    """Writes a .csv table of answers to the standard output."""
    if not words:
        sys.exit(__doc__)
    model = load()
    names, x = inputs(words)
    writer = csv.writer(sys.stdout)
    writer.writerow(["input", *header(NAMES)])
    with torch.inference_mode():
        for start in range(0, len(x), 256):
            rows = answers(model(x[start : start + 256]), NAMES)
            writer.writerows([name, *row] for name, row in zip(names[start:], rows, strict=False))
