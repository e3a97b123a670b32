"""Networks described by their size: a bench whose results carry how many parameters and layers a network has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from math import log2
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Bench, Context
from evonas_cli.core.types import Descriptor, Json, Result, Unit
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.network.plan import Plan
from evonas_cli.network.task import Task

DESCRIPTORS = {"size": ("log2_parameters", "depth")}
"""Names of the numbers of each descriptor."""


def named(descriptor: str | None) -> tuple[str, ...]:
    """The names of a descriptor's numbers; none for None. Raises UsageError for a descriptor that is none."""
    if descriptor is not None and descriptor not in DESCRIPTORS:
        raise UsageError(f"job.descriptor must be {' or '.join(DESCRIPTORS)} or null; it is {descriptor!r}")
    return () if descriptor is None else DESCRIPTORS[descriptor]


def size(plan: Plan) -> Descriptor:
    """(log2(1 + parameters), layers with multiply-adds on the longest path): a doubling counts as much as a layer."""
    return log2(1 + plan.parameters), float(plan.depth)


class Described:
    """A bench with descriptors in its successful results. Every capability that is not here is that of `bench`."""

    def __init__(self, bench: Bench[Any], space: Buildable[Any]) -> None:
        self._bench, self._space = bench, space

    def __getattr__(self, name: str) -> Any:
        if name[0] == "_":
            raise AttributeError(name)
        return getattr(self._bench, name)

    def environment(self) -> dict[str, Json]:
        """As of `bench`."""
        return self._bench.environment()

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """The results of `bench`, those that succeeded with the `size` of their network."""
        genomes = {candidate.id: candidate.proposal.genome for candidate in unit.candidates}
        for result in self._bench.evaluate(unit, context):
            if result.status == "ok":
                plan = self._space.decode(genomes[result.id], self._task).plan
                result = replace(result, descriptor=size(plan))
            yield result

    @cached_property
    def _task(self) -> Task:
        return Task.from_json(self._bench.environment()["task"])
