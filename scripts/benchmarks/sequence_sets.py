"""Data sets of sequences for `scripts/benchmarks/transformer`, as files for `dataset=npz` and `dataset=text_csv`."""

import csv
import gzip
from pathlib import Path

import numpy as np

LENGTH = 16
"""Symbols of a sequence that is to be reversed."""
WINDOW = 8
"""Characters of a text before the one that is to be predicted."""
KNOWN = frozenset("abcdefghijklmnopqrstuvwxyz .,;:!?'-|")
"""Characters that are told apart; `|` is a line's end, and all others become `-`."""


def reversal(folder: Path, count: int) -> Path:
    """`count` random sequences of bits, as series (2, LENGTH) of 0 and 1, and their reversals as LENGTH labels.

    Label n is the bit LENGTH - 1 - n. A network that knows nothing has a loss of log 2 = 0.693 a label.
    """
    bits = np.random.default_rng(16).integers(0, 2, (count, LENGTH))
    path = folder / "reversal.npz"
    x = np.stack([1 - bits, bits], axis=1).astype(np.float32)
    np.savez(path, x_train=x, y_train=np.ascontiguousarray(bits[:, ::-1]))
    return path


def next_characters(text: Path, folder: Path) -> Path:
    """A table of windows of a text, one after the other, and the number of the character after each as its class.

    No window has a character of another one, or of what another one is followed by. Capitals are small letters.
    """
    said = gzip.decompress(text.read_bytes()).decode().lower().replace("\n", "|")
    said = "".join(one if one in KNOWN else "-" for one in said)
    path = folder / "characters.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "next"])
        for start in range(0, len(said) - WINDOW, WINDOW + 1):
            writer.writerow([said[start : start + WINDOW], ord(said[start + WINDOW])])
    return path
