"""A small space whose genomes take trained weights, for tests of strategies that hand them on."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from evonas_cli.core.types import Json


@dataclass(frozen=True)
class Trained:
    """Genomes are (structure, weight): pruning drops a sign, training sets the weight, mutation adds 1."""

    def sample(self, rng: Random) -> tuple[int, float]:
        return rng.randrange(100), 0.0

    def mutate(self, genome: tuple[int, float], rng: Random) -> tuple[int, float]:
        return genome[0] + 1, genome[1]

    def recombine(self, parents: Any, rng: Random) -> tuple[int, float]:
        return rng.choice(parents)[0], sum(weight for _, weight in parents) / len(parents)

    def distance(self, first: tuple[int, float], second: tuple[int, float]) -> float:
        return float(abs(first[0] - second[0]))

    def with_weights(self, genome: tuple[int, float], payload: Json) -> tuple[int, float]:
        assert isinstance(payload, dict)
        return genome[0], payload["weight"]

    def prune(self, genome: tuple[int, float]) -> tuple[int, float]:
        return abs(genome[0]), genome[1]

    def to_json(self, genome: tuple[int, float]) -> Json:
        return list(genome)

    def from_json(self, data: Any) -> tuple[int, float]:
        return data[0], data[1]
