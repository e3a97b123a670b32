"""The capability of spaces whose genomes have a route through shared modules for each of several tasks."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Protocol, TypeVar, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.morphing import Morphed

G = TypeVar("G")


@runtime_checkable
class Routing(Protocol[G], metaclass=Capability):
    """Capability of a Buildable space: each task has a champion, which is a route, and may have a challenger.

    The job measures errors `valid_error_1`, ... of champions and `valid_challenger_error_1`, ... of challengers.
    """

    @property
    def tasks(self) -> int:
        """How many tasks a genome has routes for."""

    def founder(self, rng: Random) -> G:
        """Random modules, smallest champions, and their challengers."""

    def varied(self, parents: Sequence[G], rng: Random) -> G:
        """A founder whose modules come from the parents, each from one of them, and are mutated."""

    def challenged(self, genome: G, wins: Sequence[bool], rng: Random) -> Morphed[G]:
        """The next champions, which are the challengers where these have won, with new challengers."""

    def settled(self, genome: G, wins: Sequence[bool]) -> Morphed[G]:
        """The next champions alone."""


def check_tasks(space: Routing[Any], tasks: int) -> None:
    """Raises UsageError unless the data has as many tasks as the space."""
    name = type(space).__name__
    if not tasks:
        raise UsageError(f"the space {name} has a route for each of several tasks; pass dataset=tasks")
    if tasks != space.tasks:
        raise UsageError(
            f"the space {name} has routes for {space.tasks} tasks, the data {tasks}; set space.tasks={tasks}"
        )
