"""NASNet's cells that grow: fewer combinations than the space has, what is equal, and what evolution makes of them."""

from __future__ import annotations

import json
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas_cli.genomes.capabilities import Functional, Growable, Relaxable
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.task import Task
from evonas_cli.spaces.nasnet import ABSENT, NasNet

OPS = ["identity", "max_pool_3x3", "dil_conv_3x3"]
SPACE = NasNet(channels=2, normal_cells=1, combinations=4, operations=OPS, stem_multiplier=1)
TASK = Task((1, 8, 8), 4)
GENES = 4


def rows(genome: Any) -> tuple[list[Any], list[Any]]:
    """The combinations of the normal and of the reduction cell, absent ones left out."""
    found = [genome[start : start + GENES] for start in range(0, len(genome), GENES)]
    half = len(found) // 2
    normal, reduction = ([row for row in part if row != ABSENT] for part in (found[:half], found[half:]))
    return normal, reduction


def grown(seed: int, blocks: int) -> Any:
    rng, genome = Random(seed), None
    for level in range(1, blocks + 1):
        genome = rng.choice(SPACE.grown(genome, level))
    return genome


def test_capabilities() -> None:
    assert all(isinstance(SPACE, capability) for capability in (Growable, Relaxable, Functional))
    assert SPACE.blocks == 4


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3))
def test_a_genome_of_one_block_more_has_its_parent_in_both_cells(seed: int, blocks: int) -> None:
    parent = grown(seed, blocks)
    normal, reduction = rows(parent)
    assert normal == reduction and len(normal) == blocks
    for child in Random(seed).sample(SPACE.grown(parent, blocks + 1), 5):
        assert [part[:-1] for part in rows(child)] == [normal, reduction]
        assert rows(child)[0][-1] == rows(child)[1][-1]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_cells_of_fewer_blocks_are_those_of_a_space_of_so_many(seed: int, blocks: int) -> None:
    genome = grown(seed, blocks)
    data = json.loads(json.dumps(SPACE.to_json(genome)))
    assert len(data["normal"]) == blocks and SPACE.from_json(data) == genome
    smaller = NasNet(channels=2, normal_cells=1, combinations=blocks, operations=OPS, stem_multiplier=1)
    assert smaller.decode(smaller.from_json(data), TASK).plan == SPACE.decode(genome, TASK).plan
    assert smaller.function_key(smaller.from_json(data)) == SPACE.function_key(genome)
    assert smaller.sketches(smaller.from_json(data)) == SPACE.sketches(genome)


def test_one_block_has_the_papers_136_cells() -> None:
    """Two inputs and eight operations: 256 combinations in an order, 136 without (Liu et al., 2018, section 3.1)."""
    space = NasNet()
    first = space.grown(None, 1)
    assert len({space.function_key(genome) for genome in first}) <= len(set(first)) == 136
    assert len(space.grown(first[0], 2)) == 24 * 25 // 2


def test_every_combination_of_every_order_is_reached_by_growth() -> None:
    space = NasNet(channels=2, normal_cells=1, combinations=2, operations=OPS[:2])
    reached = {space.function_key(two) for one in space.grown(None, 1) for two in space.grown(one, 2)}
    first = product((0, 1), (0, 1), OPS[:2], OPS[:2])
    second = list(product((0, 1, 2), (0, 1, 2), OPS[:2], OPS[:2]))
    assert reached == {space.function_key((*a, *b) * 2) for a in first for b in second}


def test_function_keys_tell_apart_what_canonical_forms_do() -> None:
    """Of pairs of a normal and a reduction cell, and of genomes that differ by the order of sides or by a mutation."""
    one = NasNet(channels=2, normal_cells=1, combinations=1, operations=OPS, stem_multiplier=1)
    cells, rng = list(product((0, 1), (0, 1), OPS, OPS)), Random(1)
    pairs: list[Any] = [(one, (*a, *b)) for a, b in rng.sample(list(product(cells, cells)), 120)]
    three = NasNet(channels=2, normal_cells=2, combinations=3, operations=OPS, stem_multiplier=1)
    for _ in range(12):
        genome = three.sample(rng)
        swapped = (genome[1], genome[0], genome[3], genome[2], *genome[4:])
        pairs += [(three, other) for other in (genome, swapped, three.mutate(genome, rng))]
    keys = [(space.combinations, space.function_key(genome)) for space, genome in pairs]
    hashes = [(space.combinations, canonical_hash(space.decode(genome, TASK).plan)) for space, genome in pairs]
    assert len(set(keys)) == len(set(hashes)) == len(set(zip(keys, hashes, strict=True))) < len(pairs)


def test_a_reduction_cell_out_of_reach_is_no_part_of_the_function() -> None:
    """Normal cells that read the cell before the last one alone skip the reduction cells where N is 1."""
    normal = (0, 0, "max_pool_3x3", "dil_conv_3x3")
    others = [(0, 1, *ops) for ops in product(OPS, OPS)]
    for count, skipped in ((1, True), (2, False)):
        space = NasNet(channels=2, normal_cells=count, combinations=1, operations=OPS)
        keys = {space.function_key((*normal, *reduction)) for reduction in others}
        hashes = {canonical_hash(space.decode((*normal, *reduction), TASK).plan) for reduction in others}
        assert len(keys) == len(hashes) and (len(keys) == 1) == skipped


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3))
def test_evolution_of_grown_cells_gives_genomes(seed: int, blocks: int) -> None:
    """Gene by gene, so that one side of a combination may be none, or read a hidden state that is not there."""
    rng, whole, part = Random(seed), SPACE.sample(Random(seed + 1)), grown(seed, blocks)
    child = tuple([rng.choice(genes) for genes in zip(whole, part, strict=True)])
    for genome in (child, SPACE.mutate(part, rng), SPACE.recombine([whole, part], rng)):
        assert SPACE.from_json(json.loads(json.dumps(SPACE.to_json(genome)))) == genome
        assert SPACE.decode(genome, TASK).plan.parameters > 0 and SPACE.function_key(genome)
        assert len(SPACE.sketches(genome)) == 2 and 0 <= SPACE.distance(genome, whole) <= 1


def test_what_reads_nothing_is_not_there() -> None:
    first, one_sided = (0, 1, "identity", "max_pool_3x3"), (1, 0, "dil_conv_3x3", "none")
    reads_nothing = (3, 2, "identity", "none")
    cell = (*first, *ABSENT, *reads_nothing, *one_sided)
    [normal, _] = SPACE.sketches(cell * 2)
    assert normal.joins == ("h2: add", "h5: add")
    assert SPACE.function_key(cell * 2) == SPACE.function_key((*first, *one_sided, *ABSENT, *ABSENT) * 2)


def test_a_cell_begins_with_a_combination() -> None:
    row = ["h0", "none", "h1", "none"]
    with pytest.raises(ValueError, match="normal h2 op1 is 'none'; it may be one of"):
        SPACE.from_json({"normal": [row], "reduction": [row]})
    with pytest.raises(ValueError, match="the normal cell must be a list of 1 to 4 combinations"):
        SPACE.from_json({"normal": [], "reduction": [row]})
    assert "none" not in {gene for seed in range(50) for gene in SPACE.sample(Random(seed))}
