"""A user's space that breaks its contract, or makes no networks for the task, is refused in one line."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from sound_parts import Numbers, Search, refusal

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.genomes.capabilities import Linear
from evonas_cli.genomes.choices import Choice
from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Task
from evonas_cli.run import contracts


class GlobalDraws(Numbers):
    def sample(self, rng: Any) -> Any:
        return random.random()


class GlobalMutants(Numbers):
    def mutate(self, genome: Any, rng: Any) -> Any:
        return random.random()


class InPlace(Numbers):
    def sample(self, rng: Any) -> Any:
        return [rng.randrange(10**6)]

    def mutate(self, genome: Any, rng: Any) -> Any:
        genome[0] = 7
        return genome


class Sets(Numbers):
    def to_json(self, genome: Any) -> Any:
        return {genome}


class OneWay(Numbers):
    def from_json(self, data: Any) -> Any:
        return data + 1


class Unread(Numbers):
    def from_json(self, data: Any) -> Any:
        raise ValueError("no genome")


class Dividing(Numbers):
    def sample(self, rng: Any) -> Any:
        return 1 // 0


class LinearLists(Numbers):
    choices = [Choice("layer", (1, 2))]

    def sample(self, rng: Any) -> Any:
        return [1]


class OnChoices(Search):
    demands = Demands(space=(Linear,))


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (GlobalDraws, "space GlobalDraws: sample does not depend on its generator alone"),
        (GlobalMutants, "space GlobalMutants: mutate does not depend on its generator alone"),
        (InPlace, "space InPlace: mutate changed the genome that it was given"),
        (Sets, "space Sets: to_json gave {"),
        (OneWay, "space OneWay: from_json is not the inverse of to_json"),
        (Unread, "which to_json gave: test_unsound_spaces.py:"),
        (Dividing, "in Dividing.sample: ZeroDivisionError"),
    ],
)
def test_a_space_that_breaks_its_contract_is_refused(space: Any, said: str) -> None:
    assert said in refusal(space(), Search(space()))


def test_genomes_of_a_linear_space_are_tuples_where_that_matters() -> None:
    space: Any = LinearLists()
    space.mutate = None
    contracts.try_out(space, Search(space), 0)
    assert "its genomes must be tuples with 1 genes" in refusal(space, OnChoices(space))


class Networks(Numbers):
    """Of `shares` samples in a hundred there is a network; its output and input may be wrong."""

    def __init__(self, share: int, classes: int = 10, shape: tuple[int, ...] = (1, 8, 8)) -> None:
        self.share, self.task = share, Task(shape, classes)

    def decode(self, genome: Any, task: Task) -> Any:
        if genome % 100 >= self.share:
            raise PlanError("a map smaller than its kernel")
        return super().decode(genome, self.task)


TASK: Mapping[str, Any] = {"task": {"shape": [1, 8, 8], "classes": 10}}


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (
            Networks(0),
            "none of 20 samples of the space Networks has a network for images 1x8x8: test_unsound_spaces.py:",
        ),
        (Networks(100, classes=7), "made a network with an output (7,), but the task has 10 classes"),
        (Networks(100, shape=(3, 8, 8)), "made a network for inputs (3, 8, 8), but the task's are (1, 8, 8)"),
    ],
)
def test_networks_must_fit_the_task(space: Any, said: str) -> None:
    with pytest.raises(UsageError) as error:
        contracts.check_networks(space, TASK, 0)
    assert said in str(error.value)


def test_a_few_samples_without_a_network_are_fine() -> None:
    contracts.check_networks(Networks(50), TASK, 0)
    contracts.check_networks(Networks(0), {}, 0)
