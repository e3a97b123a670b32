"""Variation on spaces with loci and on those that recombine themselves."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.evolution import crossover
from evonas_cli.evolution.variation import Variation, needed
from evonas_cli.genomes.capabilities import Crossable, Linear, Mutable
from evonas_cli.genomes.choices import mutate
from evonas_cli.spaces.bits import Bits
from evonas_cli.spaces.chain_cnn import ChainCnn
from evonas_cli.spaces.codeepneat import Assemblies
from evonas_cli.spaces.nasnet import NasNet
from evonas_cli.strategies.genetic import Genetic


def test_loci_are_crossed_and_mutated_as_before() -> None:
    space = Bits(20)
    parents = [space.sample(Random(n)) for n in (1, 2)]
    variation = Variation(space, "two_point", 0.5, 0.3)
    assert variation.cross(parents, Random(3)) == crossover.cross("two_point", space.choices, parents, Random(3))
    assert variation.mutate(parents[0], Random(4)) == mutate(space.choices, parents[0], 0.3, 0.5, Random(4))


@pytest.mark.parametrize("space", [ChainCnn(layers=5), Assemblies()])
def test_spaces_recombine_by_themselves(space: Any) -> None:
    rng, variation, mixed = Random(5), Variation(space), 0
    for _ in range(40):
        parents = [space.sample(rng) for _ in range(3)]
        child = variation.cross(parents, rng)
        assert space.from_json(space.to_json(child)) == child
        mixed += child not in parents
    assert mixed > 10
    same = Variation(space, probability=0.0).mutate(parents[0], rng)
    assert same == parents[0] and variation.cross([same, same], rng) == same


def test_layers_of_a_chain_come_from_their_own_places() -> None:
    space = ChainCnn(layers=4)
    mother, father = space.sample(Random(1)), space.sample(Random(2))[:3]
    children = {space.recombine([mother, father], Random(seed)) for seed in range(20)}
    assert children == {mother[:cut] + father[cut:] for cut in (1, 2)}
    assert space.recombine([father, mother], Random(1))[3:] == mother[3:]


def test_what_a_space_must_be() -> None:
    assert needed(Bits(3)) == (Linear,)
    assert needed(Assemblies()) == (Mutable, Crossable)
    assert needed(NasNet()) == (Linear,)  # neither: the check says that it is not Linear


def test_settings_of_loci_are_refused_where_there_are_none() -> None:
    with pytest.raises(UsageError, match="strategy.crossover=two_point is for spaces of independent choices"):
        Genetic(space=ChainCnn(), crossover="two_point")
    with pytest.raises(UsageError, match="strategy.mutation=step is for spaces of independent choices"):
        Genetic(space=ChainCnn(), mutation="step")
