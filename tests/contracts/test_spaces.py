"""Every configured space keeps the contract of Space and of the capabilities it claims."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from evonas_cli.config.build import spaces
from evonas_cli.config.folders import options
from evonas_cli.core.protocols import Space
from evonas_cli.genomes.capabilities import Buildable, Deepening, Linear, Measured, Mutable, Scored, Walkable
from evonas_cli.genomes.walk import replay, run, uniform
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Task

NAMES = list(options("space"))
IMAGES = (Task((1, 8, 8), 10), Task((3, 32, 32), 100))
VECTORS = (Task((8,), 3), Task((5,), 2, "numbers"))
SERIES = (Task((3, 20), 5), Task((1, 9), 4, "labels"))
TEXTS = (Task((20,), 2, vocabulary=50), Task((1,), 3, vocabulary=2))
READS = {"mlp": (*IMAGES, *VECTORS, *SERIES), "sequence_net": (*SERIES, *TEXTS)}
"""Tasks that spaces have networks for, where they are not those of images."""


@pytest.fixture(scope="module")
def built() -> dict[str, Any]:
    return spaces()


@pytest.fixture(params=NAMES)
def space(request: pytest.FixtureRequest, built: dict[str, Any]) -> Any:
    return built[request.param]


def test_every_space_is_covered(built: dict[str, Any]) -> None:
    assert len(NAMES) >= 4
    assert sorted(built) == NAMES
    assert all(isinstance(space, Space) for space in built.values())


def test_sampling_depends_on_the_generator_alone(space: Any) -> None:
    first = [space.sample(Random(7)) for _ in range(3)]
    rng = Random(8)
    many = {json.dumps(space.to_json(space.sample(rng))) for _ in range(50)}
    assert first[0] == first[1] == first[2]
    assert len(many) > 10


def test_genomes_survive_json(space: Any) -> None:
    rng = Random(1)
    for _ in range(50):
        genome = space.sample(rng)
        text = json.dumps(space.to_json(genome))
        assert space.from_json(json.loads(text)) == genome
        assert json.dumps(space.to_json(space.from_json(json.loads(text)))) == text


@pytest.mark.parametrize("garbage", [None, 3, "", "nonsense", [], {}, [None], ["no such choice"], {"cells": 1}])
def test_what_is_no_genome_is_refused_in_one_line(space: Any, garbage: Any) -> None:
    with pytest.raises(ValueError) as caught:
        space.from_json(garbage)
    assert str(caught.value) and "\n" not in str(caught.value)


def test_mutants_are_genomes_and_parents_stay(space: Any) -> None:
    if not isinstance(space, Mutable):
        pytest.skip("not Mutable")
    rng, changed = Random(2), 0
    for _ in range(100):
        genome = space.sample(rng)
        before = json.dumps(space.to_json(genome))
        mutant = space.mutate(genome, rng)
        assert space.from_json(space.to_json(mutant)) == mutant
        assert json.dumps(space.to_json(genome)) == before
        changed += mutant != genome
    assert changed >= 85


def test_linear_genomes_follow_their_choices(space: Any) -> None:
    if not isinstance(space, Linear):
        pytest.skip("not Linear")
    genome = space.sample(Random(3))
    assert len(genome) == len(space.choices)
    assert len({choice.name for choice in space.choices}) == len(space.choices)
    for locus, choice in enumerate(space.choices):
        for option in choice.grid or [choice.draw(Random(seed)) for seed in range(5)]:
            other = (*genome[:locus], option, *genome[locus + 1 :])
            assert space.from_json(space.to_json(other)) == other


def test_distances_are_symmetric_and_zero_on_equals(space: Any) -> None:
    if not isinstance(space, Measured):
        pytest.skip("not Measured")
    rng = Random(6)
    for _ in range(100):
        first, second = space.sample(rng), space.sample(rng)
        assert space.distance(first, first) == 0
        assert space.distance(first, second) == space.distance(second, first) >= 0
        assert (space.distance(first, second) > 0) == (first != second)


def test_walks_lead_to_genomes_and_traces_lead_back(space: Any) -> None:
    if not isinstance(space, Walkable):
        pytest.skip("not Walkable")
    rng, found = Random(7), set()
    for _ in range(50):
        genome, trace = run(space.walk(), uniform(space.kinds, rng))
        assert space.from_json(json.loads(json.dumps(space.to_json(genome)))) == genome
        again, decisions = replay(space.walk(), trace, space.kinds)
        assert again == genome and len(decisions) == len(trace)
        assert all(decision.links is not None or decision.kind in space.kinds for decision in decisions)
        found.add(trace)
    assert len(found) > 10


def test_walks_can_be_held_to_a_depth(space: Any) -> None:
    if not isinstance(space, Deepening):
        pytest.skip("not Deepening")
    lengths = [len(run(space.walk_to(depth), uniform(space.kinds, Random(8)))[1]) for depth in (1, space.depth)]
    assert lengths[0] < lengths[1]
    assert lengths[1] == len(run(space.walk(), uniform(space.kinds, Random(8)))[1])


@pytest.mark.parametrize("name", NAMES)
def test_inputs_that_a_space_does_not_read_are_refused_with_a_cure(name: str, built: dict[str, Any]) -> None:
    space = built[name]
    if not isinstance(space, Buildable):
        pytest.skip("not Buildable")
    genome = space.sample(Random(4))
    cures = {VECTORS: "space=mlp reads vectors", TEXTS: "space=sequence_net reads token ids"}
    cures |= {SERIES: "space=sequence_net reads series", IMAGES: "space=chain_cnn reads images"}
    for tasks, cure in cures.items():
        for task in set(tasks) - set(READS.get(name, IMAGES)):
            with pytest.raises(PlanError) as refused:
                space.decode(genome, task)
            assert str(refused.value).startswith(f"{name} needs ") and str(refused.value).endswith(cure)
            assert task.examples in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("name", NAMES)
def test_networks_fit_the_task(name: str, built: dict[str, Any]) -> None:
    space = built[name]
    if not isinstance(space, Buildable):
        pytest.skip("not Buildable")
    rng = Random(4)
    for task in READS.get(name, IMAGES):
        for _ in range(10):
            genome = space.sample(rng)
            plan = space.decode(genome, task).plan
            again = space.decode(space.from_json(space.to_json(genome)), task).plan
            assert plan.shapes[0] == task.inputs
            assert plan.shapes[plan.output] == (task.outputs,)
            assert plan == again
            assert canonical_hash(plan) == canonical_hash(again)
            assert plan.parameters > 0


def test_scores_are_fitnesses(space: Any) -> None:
    if not isinstance(space, Scored):
        pytest.skip("not Scored")
    rng = Random(5)
    scores = [space.score(space.sample(rng)) for _ in range(100)]
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert len(set(scores)) > 5
