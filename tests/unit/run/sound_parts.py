"""A space and a strategy that keep their contracts, of which the tests of contracts make unsound ones."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Proposal
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Phenotype, Task
from evonas_cli.run import contracts


class Numbers:
    """A sound space."""

    def sample(self, rng: Any) -> Any:
        return rng.randrange(10**6)

    def mutate(self, genome: Any, rng: Any) -> Any:
        return genome + rng.randrange(10**6)

    def to_json(self, genome: Any) -> Any:
        return genome

    def from_json(self, data: Any) -> Any:
        return data

    def decode(self, genome: Any, task: Task) -> Any:
        graph = Graph(task.inputs)
        return Phenotype(graph.plan(graph.add("linear", graph.add("flatten", graph.input), features=task.outputs)))


class Search:
    """A sound strategy, which proposes samples."""

    demands = Demands()
    least_evaluations = 1

    def __init__(self, space: Any) -> None:
        self.space = space

    def init(self, rng: Random) -> tuple[int, ...]:
        return ()

    def ask(self, state: Any, rng: Random) -> Any:
        return [Proposal(self.space.sample(rng)) for _ in range(3)], state

    def tell(self, state: Any, told: Any, rng: Random) -> Any:
        return (*state, *[each.id for each in told])

    def population(self, state: Any) -> Any:
        return state


def refusal(space: Any, strategy: Any) -> str:
    """The one line with which parts are refused."""
    with pytest.raises(UsageError) as error:
        contracts.try_out(space, strategy, 0)
    assert "\n" not in str(error.value)
    return str(error.value)
