"""Compositions of functions: the score by hand, 1,554 sequences, gains, bounds, JSON, and what is refused."""

from __future__ import annotations

from itertools import chain, product
from math import sin, sqrt, tanh
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.genomes.capabilities import Crossable, Linear, Mutable, Scored, Sequenced
from evonas_cli.spaces.sequences import COMPONENTS, Composition, Sequences, applied

PLAIN = Sequences(gains=[1.0], target_gains=[1.0] * 3)
ONES = (1.0,) * 6


def every(components: Any, most: int = 4) -> list[tuple[str, ...]]:
    return list(chain.from_iterable(product(components, repeat=n) for n in range(1, most + 1)))


def test_capabilities() -> None:
    assert all(isinstance(PLAIN, capability) for capability in (Space, Scored, Mutable, Crossable, Sequenced))
    assert not isinstance(PLAIN, Linear)


def test_components_by_hand() -> None:
    x = 0.7
    found = {name: applied([(name, 2.0)], x) for name in COMPONENTS}
    wanted = {"add": 2.4, "double": 2.8, "square": 1.96, "sin": sin(1.4), "tanh": tanh(1.4), "negate": -1.4}
    assert found == pytest.approx(wanted)
    assert applied([("sin", 2.0), ("add", 0.5), ("square", 1.0)], x) == pytest.approx((0.5 * sin(1.4) + 1) ** 2)


def test_the_score_by_hand() -> None:
    """Points -2, 0, 2; the target is x, twice negated; doubling errs by 2, 0 and 2."""
    space = Sequences(gains=[1.0], target=["negate", "negate"], target_gains=[1.0, 1.0], points=3)
    assert space.score(space.compose(["double"], ONES)) == pytest.approx(1 / (1 + sqrt(8 / 3)))
    assert space.score(space.compose(["negate", "negate"], ONES)) == 1


def test_there_are_1554_sequences_and_the_target_is_the_best() -> None:
    genomes = [PLAIN.compose(sequence, ONES) for sequence in every(COMPONENTS)]
    assert len(set(genomes)) == 1554
    scores = {genome.sequence: PLAIN.score(genome) for genome in genomes}
    assert scores["sin", "add", "square"] == 1 == max(scores.values())


def test_without_a_needed_component_the_floor_rises() -> None:
    for missing in ("sin", "add", "square"):
        left = [name for name in COMPONENTS if name != missing]
        space = Sequences(components=left, gains=[1.0], target_gains=[1.0] * 3)
        best = max(space.score(space.compose(sequence, ONES[:5])) for sequence in every(left))
        assert best < 0.9


def test_gains_of_components_that_do_not_occur_make_no_other_genome() -> None:
    space = Sequences()
    first = space.compose(["sin", "add"], (0.5, 1.0, 1.0, 2.0, 1.0, 1.0))
    assert first == space.compose(["sin", "add"], (0.5, 2.0, 0.5, 2.0, 2.0, 0.5))
    assert first == Composition(("sin", "add"), (("add", 0.5), ("sin", 2.0)))
    assert space.to_json(first) == {"sequence": ["sin", "add"], "gains": {"add": 0.5, "sin": 2.0}}


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_descendants_stay_within_the_bound_and_have_a_gain_for_what_they_use(seed: int, most: int) -> None:
    space, rng = Sequences(max_length=most), Random(seed)
    family = [space.sample(rng) for _ in range(3)]
    for _ in range(10):
        child = space.mutate(space.recombine(rng.sample(family, 2), rng), rng)
        assert space.from_json(space.to_json(child)) == child
        family.append(child)


def test_what_is_not_finite_scores_nothing() -> None:
    space = Sequences(max_length=12, gains=[1.0], target_gains=[1.0] * 3)
    assert space.score(space.compose(["double"] + ["square"] * 11, ONES)) == 0
    assert space.score(space.compose([*["double"], *["square"] * 10, "sin"], ONES)) == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"sequence": [], "gains": {}}, "1 to 4 components"),
        ({"sequence": ["sin"] * 5, "gains": {"sin": 1.0}}, "1 to 4 components"),
        ({"sequence": ["cos"], "gains": {"cos": 1.0}}, "sequence has 'cos'"),
        ({"sequence": [["sin"]], "gains": {}}, "sequence has"),
        ({"sequence": ["sin"], "gains": {}}, "a gain for each component"),
        ({"sequence": ["sin"], "gains": {"sin": 1.0, "add": 1.0}}, "and no other"),
        ({"sequence": ["sin"], "gains": {"sin": 3.0}}, "sin is 3.0"),
    ],
)
def test_what_is_no_genome(data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sequences().from_json(data)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ({"max_length": 0}, "space.max_length must be a whole number of at least 1; it is 0"),
        ({"components": ["sin", "cos"]}, "space.components may be .*'cos' is none of them"),
        ({"components": []}, "space.components is empty"),
        ({"components": ["sin", "sin"]}, "space.components lists an option twice"),
        ({"target": ["cos"], "target_gains": [1.0]}, "space.target must be a list of"),
        ({"target": ["sin"]}, "space.target_gains must be 1 numbers"),
        ({"gains": []}, "space.gains must be finite numbers"),
        ({"gains": [1.0, 1]}, "space.gains lists a gain twice"),
        ({"gains": [float("inf")]}, "space.gains must be finite numbers"),
        ({"points": 1}, "space.points must be"),
        ({"target": ["square"] * 12, "target_gains": [2.0] * 12}, "space.target is not finite"),
    ],
)
def test_settings_that_are_refused(refused: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Sequences(**refused)


def test_a_behaviour_is_what_the_function_does_on_the_line() -> None:
    space = Sequences()
    line = Composition(("add", "negate"), (("add", 1.0), ("negate", 1.0)))
    values = [-x - 1 for x in (-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2)]
    assert space.behaviour(line) == pytest.approx([10 * y / (1 + abs(y)) for y in values])
    assert space.behaviours[:2] == ("at -2", "at -1.5") and len(space.behaviours) == 9
    steep = Sequences(components=["square", "double"], max_length=40)
    assert max(steep.behaviour(Composition(("double", *["square"] * 20), (("double", 2.0), ("square", 2.0))))) == 10.0
