"""The network that an agent is to imitate, and whether a space can express it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Generic, Protocol

from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import check_file, path_of, reading
from evonas_cli.core.protocols import Space
from evonas_cli.core.rng import stream
from evonas_cli.core.types import G
from evonas_cli.genomes.capabilities import Buildable, Walkable
from evonas_cli.genomes.walk import Decision, legal, run, uniform
from evonas_cli.network.patterns import PATTERNS, pattern
from evonas_cli.network.plan import Plan, PlanError
from evonas_cli.network.task import Task
from evonas_cli.walks.topology import layer_kinds

SAMPLES = 32
"""Uniform walks that are searched for an expert's layers, beside those that take each option everywhere."""


class BuildableSpace(Space[G], Walkable[G], Buildable[G], Protocol[G]):
    """What is asked of a space here."""


@dataclass(frozen=True)
class Expert(Generic[G]):
    """An expert by name: a human pattern (network/patterns.py), or a file with a plan or a genome of the space in JSON.

    A space expresses an expert if all its kinds of layers (operation and kernel) occur among the space's networks. The
    walks that are looked at are as good as all of them where each option is possible by itself.
    """

    space: BuildableSpace[G]
    name: str
    task: Task

    @cached_property
    def plan(self) -> Plan:
        """The expert's network. Raises UsageError for a name or a file that has none."""
        if self.name in PATTERNS:
            try:
                return pattern(self.name, self.task)
            except PlanError as error:
                raise UsageError(f"strategy.expert={self.name} on strategy.inputs: {error}") from None
        path = path_of(self.name)
        remedy = f"give strategy.expert a file, or one of {', '.join(PATTERNS)}"
        check_file(path, remedy)
        with reading(path, "JSON", remedy):
            data = json.loads(path.read_text(encoding="utf-8"))
        try:
            if isinstance(data, dict) and set(data) == {"input", "nodes"}:
                return Plan.from_json(data)
            return self.space.decode(self.space.from_json(data), self.task).plan
        except ValueError as error:
            raise UsageError(f"strategy.expert: {path} has no network that the space can express: {error}") from None

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the plan's JSON."""
        return sha256(json.dumps(self.plan.to_json(), sort_keys=True).encode()).hexdigest()

    def check_same(self, digest: str) -> None:
        """Raises UsageError unless the network is the one of that digest: a file may change between two sessions."""
        if self.digest != digest:
            raise UsageError(
                f"strategy.expert={self.name} has changed since the run began; put the file back as it was"
            )

    def check(self) -> None:
        """Raises UsageError unless the space expresses the expert."""
        wanted = layer_kinds(self.plan)
        missing, built, why = set(wanted), 0, ""
        for genome in self._networks():
            try:
                missing -= layer_kinds(self.space.decode(genome, self.task).plan)
            except PlanError as error:
                why = str(error)
                continue
            built += 1
            if not missing:
                return
        if not built:
            raise UsageError(f"strategy.inputs={list(self.task.inputs)} fit no network of the space: {why}")
        raise UsageError(
            f"strategy.expert={self.name} cannot be expressed by the space, which has no {', '.join(sorted(missing))}; "
            f"choose another space or expert (patterns: {', '.join(PATTERNS)})"
        )

    def _networks(self) -> Iterator[G]:
        """Walks that take the k-th legal option everywhere, for each k, then uniform ones."""
        kinds, rng = self.space.kinds, stream(0, "expert")

        def taking(place: int) -> G:
            def pick(decision: Decision) -> int:
                options = legal(decision, kinds)
                return options[place % len(options)]

            return run(self.space.walk(), pick)[0]

        for place in range(max(map(len, kinds.values()), default=1)):
            yield taking(place)
        for _ in range(SAMPLES):
            yield run(self.space.walk(), uniform(kinds, rng))[0]
