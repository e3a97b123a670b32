"""Rows of a .csv file as inputs: a row is a vector of features."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import torch
from torch import Tensor

COLUMNS: list[dict[str, Any]]
MISSING: tuple[str, ...]
TRUTH: dict[str, float]


def inputs(words: list[str]) -> tuple[list[str], Tensor]:
    """Places and features, (N, features), of the rows of .csv files with a header."""
    rows: list[dict[str, str]] = []
    for word in words:
        with open(word, newline="", encoding="utf-8-sig") as file:
            rows += csv.DictReader(file)
    return [str(place) for place in range(len(rows))], torch.tensor(np.stack([features(row) for row in rows]))


def features(row: dict[str, str]) -> np.ndarray:
    """The features of one row: standardised numbers, and a 1 among 0s for words."""
    found: list[float] = []
    for column in COLUMNS:
        cell = row[column["name"]].strip()
        gone = cell in MISSING
        if column["type"] == "number":
            value = column["median"] if gone else TRUTH[cell.lower()] if column["is_truth"] else float(cell)
            found.append((value - column["mean"]) / column["std"])
            found += [float(gone)] if column["indicates"] else []
        else:
            known = [value == cell and not gone for value in column["values"]]
            found += map(float, known)
            found += [float(gone)] if column["indicates"] else []
            found.append(float(not any(known) and not (gone and column["indicates"])))
    return np.array(found, dtype=np.float32)
