"""Evaluates genomes of a space that carries its own fitness landscape, with optional observation noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context, Place
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Json, Metric, Result, Unit
from evonas_cli.genomes.capabilities import Scored


class Landscape:
    """The true fitness of a space with a landscape of its own, plus noise: a cheap job for tests and demonstrations.

    Fitness is drawn once an evaluation as true fitness + N(0, noise), clipped to [0, 1].

    Metrics: `valid_error` = 1 - observed fitness, which the search sees, and `true_error` = 1 - true fitness.
    """

    needs: tuple[type, ...] = (Scored,)
    metrics: Mapping[str, Metric] = {"valid_error": Metric("min"), "true_error": Metric("min"), "cost": Metric("min")}

    def __init__(self, space: Scored[Any], noise: float = 0.01) -> None:
        if not 0 <= noise < float("inf"):
            raise UsageError(f"job.noise is {noise}; it must be 0 or more")
        self.space, self.noise = space, noise

    def open(self, place: Place) -> Landscape:
        """The job itself."""
        return self

    def environment(self) -> dict[str, Json]:
        """Nothing beside the configuration matters."""
        return {}

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """One observation each; `cost` counts 1."""
        for candidate in unit.candidates:
            true = observed = self.space.score(candidate.proposal.genome)
            if self.noise:
                observed += stream(candidate.seed, "noise").gauss(0.0, self.noise)
            error = 1.0 - min(1.0, max(0.0, observed))
            yield Result(candidate.id, "ok", {"valid_error": error, "true_error": 1.0 - true, "cost": 1.0})
