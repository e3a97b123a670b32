"""A misspelt capability of a user's space or strategy is refused, not silently none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

import pytest

from evonas_cli.core.capability import unknown
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Proposal
from evonas_cli.genomes.capabilities import OF_SPACES
from evonas_cli.run.contracts import check_names, try_out


class Numbers:
    """A sound space with settings, fields and methods of its own."""

    def __init__(self, largest: int = 9) -> None:
        self.largest = largest
        self.table = [1, 2]

    def sample(self, rng: Random) -> int:
        return self._draw(rng)

    def to_json(self, genome: int) -> int:
        return genome

    def from_json(self, data: Any) -> int:
        return int(data)

    def mutate(self, genome: int, rng: Random) -> int:
        return self._draw(rng)

    def _draw(self, rng: Random) -> int:
        return rng.randrange(self.largest)


class Misspelt(Numbers):
    def mutat(self, genome: int, rng: Random) -> int:
        return genome


class Own(Numbers):
    @property
    def quiz(self) -> int:
        return 3


class Cached(Numbers):
    @cached_property
    def choice(self) -> int:
        return 3


@dataclass(frozen=True)
class Search:
    """A sound strategy but for a method of its own."""

    space: Any
    step: int = 1

    demands = Demands()
    least_evaluations = 1

    def init(self, rng: Random) -> int:
        return 0

    def ask(self, state: int, rng: Random) -> tuple[list[Proposal[int]], int]:
        return [Proposal(self.space.sample(rng))], state

    def tell(self, state: int, told: Any, rng: Random) -> int:
        return state

    def population(self, state: int) -> tuple[int, ...]:
        return ()


class Figured(Search):
    def figure(self, state: int) -> dict[str, int]:
        return {}


def test_a_sound_part_has_no_unknown_name() -> None:
    assert unknown(Numbers(), OF_SPACES) == {}
    check_names(space=Numbers(), strategy=Search(Numbers()))
    try_out(Numbers(), Search(Numbers()), 0)


@pytest.mark.parametrize(
    ("space", "strategy", "says"),
    [
        (Misspelt, Search, "space Misspelt has mutat, which is no capability; did you mean mutate?"),
        (Cached, Search, "space Cached has choice, which is no capability; did you mean choices?"),
        (Own, Search, "space Own has quiz, which is no capability (names of its own methods begin with _: _quiz)"),
        (Numbers, Figured, "strategy Figured has figure, which is no capability; did you mean figures?"),
    ],
)
def test_a_name_that_is_no_capability_is_refused(space: Any, strategy: Any, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        try_out(space(), strategy(space()), 0)
    assert says in str(refused.value) and "\n" not in str(refused.value)
