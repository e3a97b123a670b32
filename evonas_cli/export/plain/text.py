"""Texts as inputs: token ids, padded at the end."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

WEIGHTS: Path
COLUMN: str
TOKENS: str
LOWER: bool
LENGTH: int


def inputs(words: list[str]) -> tuple[list[str], Tensor]:
    """Places and token ids, (N, LENGTH), of the texts in the column COLUMN of .csv files with a header."""
    texts: list[str] = []
    for word in words:
        with open(word, newline="", encoding="utf-8-sig") as file:
            texts += [row[COLUMN] for row in csv.DictReader(file)]
    return [str(place) for place in range(len(texts))], token_ids(texts)


def token_ids(texts: list[str]) -> Tensor:
    """Token ids, (N, LENGTH): 0 for padding, 1 for what is not known, then the known tokens."""
    with safe_open(WEIGHTS, "pt") as file:
        known = json.loads(file.metadata()["preprocessing"])["preparation"]["known"]
    places = {token: place for place, token in enumerate(known, 2)}
    ids = torch.zeros(len(texts), LENGTH, dtype=torch.int64)
    for row, text in zip(ids, texts, strict=True):
        composed = unicodedata.normalize("NFC", text.lower() if LOWER else text)
        found = re.findall(r"\w+|[^\w\s]", composed) if TOKENS == "words" else list(composed)
        for place, token in enumerate(found[:LENGTH]):
            row[place] = places.get(token, 1)
    return ids
