"""A capability is what the interface means by an attribute, not any attribute of that name."""

from __future__ import annotations

from random import Random
from typing import Any, Protocol

import pytest

from evonas_cli.core.capability import lack
from evonas_cli.core.evaluating import Bench, Concurrent, Foreseeing, Keyed, Probing, Stacking
from evonas_cli.core.protocols import Computing, Figures, Space
from evonas_cli.genomes.capabilities import Linear, Measured, Mutable, Tuning
from evonas_cli.genomes.choices import Choice


class Plain:
    """A space that has what each space has."""

    def sample(self, rng: Random) -> int:
        return rng.randrange(9)

    def to_json(self, genome: int) -> int:
        return genome

    def from_json(self, data: Any) -> int:
        return int(data)


class Mutating(Plain):
    def mutate(self, genome: int, rng: Random, step: int = 1) -> int:
        return genome + step


class Lists(Plain):
    choices = ["conv3", "conv5"]


class Loci(Plain):
    choices = [Choice("layer", ("conv3", "conv5"))]


class Named:
    """A user's object with attributes of its own that have the names of capabilities."""

    open = evaluate = work = abreast = units = probe = refine = function_key = key_needs = distance = figures = 3
    tuned = ["epochs"]
    environment = "cpu"


class OtherShape:
    """Methods with the names of capabilities that are something else."""

    def environment(self) -> None: ...

    def evaluate(self, unit: Any) -> None: ...

    def work(self, unit: Any) -> None: ...

    def abreast(self, environment: Any, more: Any) -> None: ...

    def mutate(self, genome: Any) -> None: ...

    def distance(self, other: Any) -> None: ...


def test_names_alone_are_no_capability() -> None:
    for capability in (Bench, Foreseeing, Concurrent, Stacking, Probing, Keyed, Measured, Figures, Tuning):
        assert not isinstance(Named(), capability), capability
    assert not isinstance(Named(), Computing)


def test_methods_that_take_something_else_are_no_capability() -> None:
    for capability in (Bench, Foreseeing, Concurrent, Mutable, Measured):
        assert not isinstance(OtherShape(), capability), capability


@pytest.mark.parametrize(
    ("thing", "capability", "reason"),
    [
        (Plain(), Mutable, "it has no mutate"),
        (Named(), Foreseeing, "its work is no method"),
        (OtherShape(), Mutable, "its mutate does not take (genome, rng)"),
        (Lists(), Linear, "its choices is no Sequence of Locus"),
        (Named(), Tuning, "its tuned is no Mapping of str"),
        (Mutating(), Mutable, None),
        (Loci(), Linear, None),
        (Plain(), Space, None),
    ],
)
def test_what_is_lacking_is_said(thing: Any, capability: type, reason: str | None) -> None:
    assert lack(thing, capability) == reason
    assert isinstance(thing, capability) == (reason is None)


def test_attributes_of_the_object_itself_and_functions_in_them_count() -> None:
    space: Any = Plain()
    space.mutate = lambda genome, rng: genome
    assert isinstance(space, Mutable)
    space.mutate = lambda genome: genome
    assert not isinstance(space, Mutable)


def test_protocols_that_a_strategy_joins_from_ours_are_looked_at_whole() -> None:
    class Needed(Space[int], Mutable[int], Protocol):
        """A space that mutates."""

    assert isinstance(Mutating(), Needed) and not isinstance(Plain(), Needed)


def test_a_class_that_inherits_a_protocol_is_an_ordinary_class() -> None:
    class Declared(Mutable[int]):
        def mutate(self, genome: int, rng: Random) -> int:
            return genome

    assert isinstance(Declared(), Declared) and isinstance(Declared(), Mutable)
    assert not isinstance(Mutating(), Declared)
