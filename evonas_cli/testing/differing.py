"""What a space keeps to that says how genomes differ."""

from __future__ import annotations

from random import Random
from typing import Any


def unequal_genomes_differ_in_words(space: Any) -> None:
    """Lines of text, and none for equal genomes."""
    rng = Random(14)
    genomes = [space.sample(rng) for _ in range(12)]
    for one, other in zip(genomes, genomes[1:], strict=False):
        texts = space.differences(one, other)
        assert all(type(text) is str and text and "\n" not in text for text in texts)
        assert bool(texts) == (one != other) and not space.differences(one, one)
