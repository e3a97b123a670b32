"""What every space keeps to, and what it keeps to for each capability that it has."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isfinite
from random import Random
from typing import Any

from evonas_cli.core.capability import unknown
from evonas_cli.core.protocols import Space
from evonas_cli.genomes.capabilities import (
    OF_SPACES,
    Aligned,
    Behaving,
    Buildable,
    Crossable,
    Deepening,
    Defaulting,
    Differing,
    Growable,
    Linear,
    Measured,
    Mutable,
    Neural,
    Prunable,
    Scored,
    Sized,
    Walkable,
)
from evonas_cli.genomes.morphing import Morphing
from evonas_cli.genomes.walk import replay, run, uniform
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.morphs.morph import Morph, replayed
from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Task
from evonas_cli.testing.defaulting import the_default_leaves_the_trainer_as_it_is
from evonas_cli.testing.differing import unequal_genomes_differ_in_words
from evonas_cli.testing.growing import grown_genomes_begin_with_the_genome

IMAGES = (Task((1, 8, 8), 10), Task((3, 32, 32), 100))
VECTORS = (Task((8,), 3), Task((5,), 2, "numbers"))
SERIES = (Task((3, 20), 5), Task((1, 9), 4, "labels"))
TEXTS = (Task((20,), 2, vocabulary=50), Task((1,), 3, vocabulary=2))
BOXES = (Task((3, 32, 48), (2 + 4) * (96 + 24 + 6), "boxes"),)
GARBAGE: tuple[Any, ...] = (None, 3, "", "nonsense", [], {}, [None], ["no such choice"], {"cells": 1})


def every_public_name_is_a_capability(space: Any) -> None:
    """A misspelt capability would be none without a word; names of a space's own methods begin with `_`."""
    assert unknown(space, OF_SPACES) == {}, "no capability, with the nearest that is one"


def sampling_depends_on_the_generator_alone(space: Any) -> None:
    """Equal generators give equal genomes; 50 draws are more than 10 genomes."""
    first = [space.sample(Random(7)) for _ in range(3)]
    rng = Random(8)
    many = {json.dumps(space.to_json(space.sample(rng))) for _ in range(50)}
    assert first[0] == first[1] == first[2]
    assert len(many) > 10


def genomes_survive_json(space: Any) -> None:
    """A genome that is written, and read, is the same genome, and is written the same."""
    rng = Random(1)
    for _ in range(50):
        genome = space.sample(rng)
        text = json.dumps(space.to_json(genome))
        assert space.from_json(json.loads(text)) == genome
        assert json.dumps(space.to_json(space.from_json(json.loads(text)))) == text


def what_is_no_genome_is_refused_in_one_line(space: Any) -> None:
    """`from_json` raises ValueError with one line for JSON of another shape."""
    for garbage in GARBAGE:
        try:
            space.from_json(garbage)
        except ValueError as error:
            assert str(error) and "\n" not in str(error), f"from_json({garbage!r}): {error}"
        else:
            raise AssertionError(f"from_json took {garbage!r} for a genome")


def mutants_are_genomes_and_parents_stay(space: Any) -> None:
    """Mutants can be stored; the genome given to `mutate` is not changed; most mutants differ."""
    rng, changed = Random(2), 0
    for _ in range(100):
        genome = space.sample(rng)
        before = json.dumps(space.to_json(genome))
        mutant = space.mutate(genome, rng)
        assert space.from_json(space.to_json(mutant)) == mutant
        assert json.dumps(space.to_json(genome)) == before
        changed += mutant != genome
    assert changed >= 85


def linear_genomes_follow_their_choices(space: Any) -> None:
    """One gene for each choice; any option of a choice fits beside all other genes."""
    genome = space.sample(Random(3))
    assert len(genome) == len(space.choices)
    assert len({choice.name for choice in space.choices}) == len(space.choices)
    for locus, choice in enumerate(space.choices):
        for option in choice.grid or [choice.draw(Random(seed)) for seed in range(5)]:
            other = (*genome[:locus], option, *genome[locus + 1 :])
            assert space.from_json(space.to_json(other)) == other


def distances_are_symmetric_and_zero_on_equals(space: Any) -> None:
    """A distance is symmetric, and 0 exactly for equal genomes."""
    rng = Random(6)
    for _ in range(100):
        first, second = space.sample(rng), space.sample(rng)
        assert space.distance(first, first) == 0
        assert space.distance(first, second) == space.distance(second, first) >= 0
        assert (space.distance(first, second) > 0) == (first != second)


def walks_lead_to_genomes_and_traces_lead_back(space: Any) -> None:
    """The indices that a walk was answered with lead to the same genome again."""
    rng, found = Random(7), set()
    for _ in range(50):
        genome, trace = run(space.walk(), uniform(space.kinds, rng))
        assert space.from_json(json.loads(json.dumps(space.to_json(genome)))) == genome
        again, decisions = replay(space.walk(), trace, space.kinds)
        assert again == genome and len(decisions) == len(trace)
        assert all(decision.links is not None or decision.kind in space.kinds for decision in decisions)
        found.add(trace)
    assert len(found) > 10


def walks_can_be_held_to_a_depth(space: Any) -> None:
    """A walk to a smaller depth has fewer decisions."""
    lengths = [len(run(space.walk_to(depth), uniform(space.kinds, Random(8)))[1]) for depth in (1, space.depth)]
    assert lengths[0] < lengths[1]
    assert lengths[1] == len(run(space.walk(), uniform(space.kinds, Random(8)))[1])


def reads(space: Any, task: Task) -> bool:
    """Whether a space has networks for the task. It refuses a task that it does not read by PlanError, in one line."""
    try:
        space.decode(space.sample(Random(4)), task)
    except PlanError as error:
        assert str(error) and "\n" not in str(error), f"decode of {task}: {error}"
        return False
    return True


def networks_fit_the_task(space: Any) -> None:
    """Plans have the shapes of the task, and are a function of the genome; the space reads inputs of some kind."""
    rng, tasks = Random(4), [task for task in (*IMAGES, *VECTORS, *SERIES, *TEXTS, *BOXES) if reads(space, task)]
    assert tasks, "no network for any kind of inputs"
    for task in tasks:
        for _ in range(10):
            genome = space.sample(rng)
            plan = space.decode(genome, task).plan
            again = space.decode(space.from_json(space.to_json(genome)), task).plan
            assert plan.shapes[0] == task.inputs
            assert plan.shapes[plan.output] == (task.outputs,)
            assert plan == again
            assert canonical_hash(plan) == canonical_hash(again)
            assert plan.parameters > 0


def graphs_fit_their_ends(space: Any) -> None:
    """Graphs have the numbers of inputs and outputs that are asked for, unless these are refused by ValueError, and are
    a function of the genome; some numbers are not refused."""
    rng, found = Random(10), 0
    for ends in ((2, 1), (1, 1), (3, 1), (5, 3), (8, 10), (64, 10)):
        for _ in range(10):
            genome = space.sample(rng)
            try:
                neurons = space.decode_neurons(genome, *ends)
            except ValueError as error:
                assert str(error) and "\n" not in str(error), f"decode_neurons for {ends}: {error}"
                continue
            found += 1
            assert (neurons.n_inputs, neurons.n_outputs) == ends
            assert space.decode_neurons(space.from_json(space.to_json(genome)), *ends) == neurons
    assert found, "no graph for any numbers of inputs and outputs"


def scores_are_fitnesses(space: Any) -> None:
    """Scores lie in [0, 1], and are not all the same."""
    rng = Random(5)
    scores = [space.score(space.sample(rng)) for _ in range(100)]
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert len(set(scores)) > 5


def children_are_genomes_and_parents_stay(space: Any) -> None:
    """Children of two or three can be stored; parents are not changed; a child of equals is their equal."""
    rng = Random(9)
    for count in (2, 3) * 20:
        parents = [space.sample(rng) for _ in range(count)]
        before = [json.dumps(space.to_json(parent)) for parent in parents]
        child = space.recombine(parents, rng)
        assert space.from_json(space.to_json(child)) == child
        assert [json.dumps(space.to_json(parent)) for parent in parents] == before
        assert space.recombine([child, child], rng) == child


def behaviours_have_the_named_numbers(space: Any) -> None:
    """A finite number for each name, the same for the same genome; 50 draws behave in more than one way."""
    rng, found = Random(10), set()
    for _ in range(50):
        genome = space.sample(rng)
        behaviour = tuple(space.behaviour(genome))
        assert len(behaviour) == len(space.behaviours) > 0
        assert all(map(isfinite, behaviour)) and tuple(space.behaviour(genome)) == behaviour
        found.add(behaviour)
    assert len(found) > 1


def children_of_unequal_parents_are_genomes_and_parents_stay(space: Any) -> None:
    """As for equal parents: children can be stored, parents are not changed, a child of equals is their equal."""
    rng = Random(10)
    for _ in range(20):
        fitter, other = space.sample(rng), space.sample(rng)
        before = [json.dumps(space.to_json(parent)) for parent in (fitter, other)]
        child = space.recombine_unequal(fitter, other, rng)
        assert space.from_json(space.to_json(child)) == child
        assert [json.dumps(space.to_json(parent)) for parent in (fitter, other)] == before
        assert space.recombine_unequal(child, child, rng) == child


def what_is_pruned_is_a_genome_and_stays(space: Any) -> None:
    """A pruned genome can be stored, and has nothing left to prune; mutants, where there are any, too."""
    rng = Random(11)
    for _ in range(20):
        genome = space.sample(rng)
        for _ in range(5 if isinstance(space, Mutable) else 0):
            genome = space.mutate(genome, rng)
        pruned = space.prune(genome)
        assert space.from_json(space.to_json(pruned)) == pruned
        assert space.prune(pruned) == pruned


def sizes_are_counts(space: Any) -> None:
    """The same names for all genomes, with whole numbers of at least 0."""
    rng, names = Random(12), set()
    for _ in range(20):
        genome = space.sample(rng)
        sizes = space.sizes(genome)
        names.add(tuple(sizes))
        assert all(type(size) is int and size >= 0 for size in sizes.values())
    assert len(names) == 1


def morphs_lead_from_parents_to_children(space: Any) -> None:
    """For every task the morphs of a child make its plan of its parent's; growth is exact and makes networks no
    smaller. The start network grows."""
    rng, tasks = Random(13), [task for task in IMAGES + VECTORS + SERIES if reads(space, task)]
    genomes, found = [space.start(), *[space.sample(rng) for _ in range(20)]], 0
    assert space.grow(space.start(), rng) is not None
    for genome in genomes:
        for grows in (True, False):
            child = (space.grow if grows else space.shrink)(genome, rng)
            if child is None:
                continue
            found += 1
            assert space.from_json(space.to_json(child.genome)) == child.genome != genome
            morphs = [Morph.from_json(json.loads(json.dumps(morph))) for morph in child.morphs]
            assert morphs and (not grows or all(morph.exact for morph in morphs))
            for task in tasks:
                before, after = space.decode(genome, task).plan, space.decode(child.genome, task).plan
                assert replayed(before, morphs).nodes == after.nodes
                assert not grows or after.parameters >= before.parameters
    assert found > len(genomes)


LAWS: dict[Callable[[Any], None], type] = {
    every_public_name_is_a_capability: Space,
    sampling_depends_on_the_generator_alone: Space,
    genomes_survive_json: Space,
    what_is_no_genome_is_refused_in_one_line: Space,
    mutants_are_genomes_and_parents_stay: Mutable,
    children_are_genomes_and_parents_stay: Crossable,
    children_of_unequal_parents_are_genomes_and_parents_stay: Aligned,
    what_is_pruned_is_a_genome_and_stays: Prunable,
    sizes_are_counts: Sized,
    unequal_genomes_differ_in_words: Differing,
    morphs_lead_from_parents_to_children: Morphing,
    grown_genomes_begin_with_the_genome: Growable,
    linear_genomes_follow_their_choices: Linear,
    distances_are_symmetric_and_zero_on_equals: Measured,
    walks_lead_to_genomes_and_traces_lead_back: Walkable,
    walks_can_be_held_to_a_depth: Deepening,
    networks_fit_the_task: Buildable,
    the_default_leaves_the_trainer_as_it_is: Defaulting,
    graphs_fit_their_ends: Neural,
    scores_are_fitnesses: Scored,
    behaviours_have_the_named_numbers: Behaving,
}
"""Each check with the capability that a space must have for it."""


def laws(space: Any) -> list[Callable[[Any], None]]:
    """The checks that concern a space."""
    return [law for law, capability in LAWS.items() if isinstance(space, capability)]
