"""What a space keeps to whose genomes grow block by block."""

from __future__ import annotations

from random import Random
from typing import Any


def grown_genomes_begin_with_the_genome(space: Any) -> None:
    """From one block to the largest number, all genomes are of the space and different; they have what they grew from.

    A genome's last block is among those by which the genome without it can grow.
    """
    genome, rng = None, Random(14)
    for blocks in range(1, space.blocks + 1):
        found = space.grown(genome, blocks)
        assert len(set(found)) == len(found) > 0
        assert all(space.from_json(space.to_json(one)) == one for one in found)
        genome = rng.choice(found)
        assert set(space.grown(genome, blocks)) == set(found)
