"""Evaluates genomes of a space that carries its own fitness landscape, with optional observation noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context, Place
from evonas_cli.core.guard import LONGEST_DESCRIPTOR
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Descriptor, Json, Metric, Result, Unit
from evonas_cli.genomes.capabilities import Behaving, Linear, Scored
from evonas_cli.genomes.choices import Genes, Locus

DESCRIPTORS = ("behaviour", "genome")


class Landscape:
    """The true fitness of a space with a landscape of its own, plus noise: a cheap job for tests and demonstrations.

    Fitness is drawn once an evaluation as true fitness + N(0, noise), clipped to [0, 1].

    Metrics: `valid_error` = 1 - observed fitness, which the search sees, and `true_error` = 1 - true fitness.

    With `descriptor` results carry the space's `behaviour`, or the `genome` as numbers (`coded`). Raises UsageError for
    another name, and for a genome of ranges without a grid or of more numbers than a run records.
    """

    needs: tuple[type, ...] = (Scored,)
    metrics: Mapping[str, Metric] = {
        "valid_error": Metric("min", of="1 - observed fitness"),
        "true_error": Metric("min"),
        "cost": Metric("min"),
    }

    def __init__(self, space: Scored[Any], noise: float = 0.01, descriptor: str | None = None) -> None:
        if not 0 <= noise < float("inf"):
            raise UsageError(f"job.noise is {noise}; it must be 0 or more")
        if descriptor not in (None, *DESCRIPTORS):
            raise UsageError(f"job.descriptor must be {' or '.join(DESCRIPTORS)} or null; it is {descriptor!r}")
        self.space, self.noise, self._described_by = space, noise, descriptor
        self.descriptor: Sequence[str] = ()
        if descriptor == "behaviour":
            self.needs = (Scored, Behaving)
            self.descriptor = tuple(space.behaviours) if isinstance(space, Behaving) else ()
        elif descriptor == "genome":
            self.needs = (Scored, Linear)
            self.descriptor = places(space.choices) if isinstance(space, Linear) else ()

    def open(self, place: Place) -> Landscape:
        """The job itself."""
        return self

    def environment(self) -> dict[str, Json]:
        """Nothing beside the configuration matters."""
        return {}

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """One observation each; `cost` counts 1."""
        for candidate in unit.candidates:
            genome = candidate.proposal.genome
            true = observed = self.space.score(genome)
            if self.noise:
                observed += stream(candidate.seed, "noise").gauss(0.0, self.noise)
            error = 1.0 - min(1.0, max(0.0, observed))
            metrics = {"valid_error": error, "true_error": 1.0 - true, "cost": 1.0}
            yield Result(candidate.id, "ok", metrics, descriptor=self._described(genome))

    def _described(self, genome: Any) -> Descriptor:
        space: Any = self.space
        if self._described_by is None:
            return ()
        return tuple(space.behaviour(genome)) if self._described_by == "behaviour" else coded(space.choices, genome)


def places(loci: Sequence[Locus]) -> tuple[str, ...]:
    """Names of the numbers that `coded` gives: the locus where it has two options, else the locus and each option.

    Raises UsageError for a range without a grid, and for more numbers than a run records.
    """
    names: list[str] = []
    for locus in loci:
        if locus.grid is None:
            raise UsageError(
                f"job.descriptor=genome needs options, and {locus.name} is a range; use another descriptor"
            )
        names += [locus.name] if len(locus.grid) <= 2 else [f"{locus.name}={option}" for option in locus.grid]
    if len(names) > LONGEST_DESCRIPTOR:
        raise UsageError(
            f"job.descriptor=genome has {len(names)} numbers here, and a descriptor at most {LONGEST_DESCRIPTOR}; "
            "use a smaller space or another descriptor"
        )
    return tuple(names)


def coded(loci: Sequence[Locus], genome: Genes) -> Descriptor:
    """Each gene as its place among two options (0 or 1), or as a 1 among zeros in its place among more."""
    numbers: list[float] = []
    for locus, gene in zip(loci, genome, strict=True):
        grid = locus.grid or ()
        place = grid.index(gene)
        numbers += [float(place)] if len(grid) <= 2 else [float(index == place) for index in range(len(grid))]
    return tuple(numbers)
