"""A user's space or strategy that breaks its contract is refused before the first training, in one line."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Proposal
from evonas_cli.genomes.capabilities import Linear
from evonas_cli.genomes.choices import Choice
from evonas_cli.jobs.landscape import Landscape
from evonas_cli.network.plan import Graph, PlanError
from evonas_cli.network.task import Phenotype, Task
from evonas_cli.run import contracts
from evonas_cli.spaces.bits import Bits


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


class OnChoices(Search):
    demands = Demands(space=(Linear,))


class Unannotated(Search):
    def init(self, rng: Random):  # type: ignore[no-untyped-def]
        return ()


class WrongState(Search):
    def init(self, rng: Random) -> tuple[int, ...]:
        return ("a",)  # type: ignore[return-value]


class ListForTuple(Search):
    def init(self, rng: Random) -> tuple[int, ...]:
        return []  # type: ignore[return-value]


class Stateful(Search):
    asked = 0

    def ask(self, state: Any, rng: Random) -> Any:
        self.asked += 1
        return [Proposal(self.asked)], state


class GlobalAsks(Search):
    def ask(self, state: Any, rng: Random) -> Any:
        return [Proposal(random.random())], state


class NoList(Search):
    def ask(self, state: Any, rng: Random) -> Any:
        return Proposal(3)


class Unwritable(Search):
    def ask(self, state: Any, rng: Random) -> Any:
        return [Proposal({3})], state


class Forgetting(Search):
    def tell(self, state: Any, told: Any, rng: Random) -> Any:
        pass


class FailuresAsParents(Search):
    def tell(self, state: Any, told: Any, rng: Random) -> Any:
        return min(told, key=lambda each: each.losses[0])


class Members(Search):
    def population(self, state: Any) -> Any:
        return list(state)


def refusal(space: Any, strategy: Any) -> str:
    with pytest.raises(UsageError) as error:
        contracts.try_out(space, strategy, 0)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (GlobalDraws, "space GlobalDraws: sample does not depend on its generator alone"),
        (GlobalMutants, "space GlobalMutants: mutate does not depend on its generator alone"),
        (InPlace, "space InPlace: mutate changed the genome that it was given"),
        (Sets, "space Sets: to_json gave {"),
        (OneWay, "space OneWay: from_json is not the inverse of to_json"),
        (Unread, "which to_json gave: test_contracts.py:"),
        (Dividing, "in Dividing.sample: ZeroDivisionError"),
    ],
)
def test_a_space_that_breaks_its_contract_is_refused(space: Any, said: str) -> None:
    assert said in refusal(space(), Search(space()))


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        (Unannotated, "Unannotated.init does not annotate the state it returns"),
        (WrongState, "init gave a state of type tuple, which cannot be stored"),
        (ListForTuple, "init gave a state that is another one when it is read back: [] became ()"),
        (Stateful, "strategy Stateful does not depend on its state and its generator alone"),
        (GlobalAsks, "strategy GlobalAsks does not depend on its state and its generator alone"),
        (NoList, "strategy NoList: ask must return a list of Proposal and the state, but gave Proposal("),
        (Unwritable, "which JSON cannot hold"),
        (Forgetting, "strategy Forgetting: tell gave a state of type NoneType"),
        (FailuresAsParents, "strategy FailuresAsParents: tell, of 3 failed candidates: test_contracts.py:"),
        (Members, "strategy Members: population must return a tuple of ids, but gave [0, 1, 2]"),
    ],
)
def test_a_strategy_that_breaks_its_contract_is_refused(strategy: Any, said: str) -> None:
    assert said in refusal(Numbers(), strategy(Numbers()))


def test_genomes_of_a_linear_space_are_tuples_where_that_matters() -> None:
    space: Any = LinearLists()
    space.mutate = None
    contracts.try_out(space, Search(space), 0)
    assert "its genomes must be tuples with 1 genes" in refusal(space, OnChoices(space))


def test_sound_parts_pass_and_no_global_generator_moves() -> None:
    before = random.getstate()
    contracts.try_out(Numbers(), Search(Numbers()), 3)
    contracts.check_interfaces(space=Numbers(), strategy=Search(Numbers()))
    assert random.getstate() == before


@dataclass
class Job:
    """A job that needs nothing."""

    metrics: Any
    needs: Any = ()

    def open(self, place: Any) -> Any:
        return self


class OfOld(Landscape):
    """A job of the form that jobs had before they opened benches, on top of one of evonas'."""

    def __call__(self, candidates: Any, context: Any) -> Any:
        return []


def test_what_every_part_must_have_is_named() -> None:
    class NoTell(Search):
        tell: Any = None

    class Few(Search):
        least_evaluations: Any = "few"

    for parts, said in (
        ({"strategy": NoTell(Numbers())}, "strategy NoTell does not keep to its interface: its tell is no method"),
        ({"strategy": Few(Numbers())}, "its least_evaluations is no int"),
        ({"space": object()}, "space object does not keep to its interface: it has no sample"),
        ({"job": Job(["error"])}, "its metrics is no Mapping"),
        ({"job": Job({}, needs=("Buildable",))}, "its needs is no tuple of type"),
        ({"job": Job({"error": "low"})}, "metrics has 'error': 'low'"),
        ({"job": OfOld(Bits(6))}, "nothing calls its __call__; write `def open(self, place): return self` and `def ev"),
        ({"evaluator": object()}, "evaluator object does not keep to its interface: it has no slots"),
    ):
        with pytest.raises(UsageError) as error:
            contracts.check_interfaces(**parts)
        assert said in str(error.value)
    with pytest.raises(UsageError, match="dataset object has neither images"):
        contracts.check_dataset(object())


@pytest.mark.parametrize("environment", [None, {"data": {1, 2}}, {"scale": float("nan")}, [1]])
def test_an_environment_can_be_recorded(environment: Any) -> None:
    with pytest.raises(UsageError, match="the job's environment must be a dictionary of JSON values"):
        contracts.check_environment(environment)
    contracts.check_environment({"device": "cpu", "task": {"shape": [1, 8, 8]}})


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
        (Networks(0), "none of 20 samples of the space Networks has a network for images 1x8x8: test_contracts.py:"),
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
