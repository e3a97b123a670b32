"""What every part of a user must have is looked for before the first training; sound parts pass."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import pytest
from sound_parts import Numbers, Search

from evonas_cli.core.errors import UsageError
from evonas_cli.jobs.landscape import Landscape
from evonas_cli.run import contracts
from evonas_cli.spaces.bits import Bits


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
