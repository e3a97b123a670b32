"""The one-max space."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Space
from evonas_cli.genomes.capabilities import Linear, Mutable, Scored
from evonas_cli.spaces.bits import Bits


@pytest.mark.parametrize("capability", [Space, Scored, Mutable, Linear])
def test_conforms(capability: type) -> None:
    assert isinstance(Bits(), capability)


def test_score_is_the_share_of_ones() -> None:
    space = Bits(4)
    assert [space.score(genome) for genome in ((0, 0, 0, 0), (0, 1, 0, 0), (1, 1, 1, 1))] == [0.0, 0.25, 1.0]
    assert [choice.name for choice in space.choices] == ["bit_0", "bit_1", "bit_2", "bit_3"]


@given(st.integers(1, 40), st.integers())
def test_mutation_flips_exactly_one_bit_and_json_is_lossless(length: int, seed: int) -> None:
    space, rng = Bits(length), Random(seed)
    genome = space.sample(rng)
    mutant = space.mutate(genome, rng)
    assert sum(a != b for a, b in zip(genome, mutant, strict=True)) == 1
    assert set(mutant) <= {0, 1}
    assert space.from_json(space.to_json(mutant)) == mutant


def test_mutation_reaches_every_bit_and_samples_are_fair() -> None:
    space, rng = Bits(8), Random(0)
    zeros = (0,) * 8
    assert {space.mutate(zeros, rng).index(1) for _ in range(200)} == set(range(8))
    ones = sum(space.score(space.sample(rng)) for _ in range(2_000)) / 2_000
    assert abs(ones - 0.5) < 4 * 0.5 / (8 * 2_000) ** 0.5


@pytest.mark.parametrize("data", [[0, 1], [0, 1, 2], [0, 1, True], ["0", "1", "0"], "010", None, {"a": 1}])
def test_what_is_no_genome_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="a genome here is a list of 3|bit_"):
        Bits(3).from_json(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [0, -1, 2.0, True, "8", None])
def test_a_length_that_is_no_positive_whole_number_is_refused(length: object) -> None:
    with pytest.raises(UsageError, match=r"^space\.length must be a whole number of at least 1"):
        Bits(length)  # type: ignore[arg-type]
