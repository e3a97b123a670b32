"""NEAT: species, shared fitness, stagnation, champions, parents; and that XOR is solved."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from math import exp
from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Json, Proposal
from evonas_cli.genomes.marked_graph import MarkedGraph
from evonas_cli.network.neurons import Neurons
from evonas_cli.spaces.neurons import NeuronGraphs
from evonas_cli.strategies.neat import Member, Neat, Population, Species


@dataclass(frozen=True)
class Line:
    """Genomes are numbers; a child of two is their mean, a mutant is up to one tenth away."""

    def sample(self, rng: Random) -> float:
        return rng.uniform(0, 10)

    def mutate(self, genome: float, rng: Random) -> float:
        return genome + rng.uniform(-0.1, 0.1)

    def recombine(self, parents: Any, rng: Random) -> float:
        return sum(parents) / len(parents)

    def distance(self, first: float, second: float) -> float:
        return abs(first - second)

    def to_json(self, genome: float) -> Json:
        return genome

    def from_json(self, data: Any) -> float:
        return float(data)


def strategy(**settings: Any) -> Neat[float]:
    return Neat(space=Line(), **{"population_size": 20, "species": None, "threshold": 1.0, **settings})


def living(*genomes: float, fitness: Any = lambda genome: genome, species: Any = int) -> Population[float]:
    """A population told in generation 0; the species of a genome is its whole part unless said otherwise."""
    members = tuple([Member(id, one, fitness(one), species(one), fitness(one)) for id, one in enumerate(genomes)])
    ids = sorted({member.species for member in members})
    best = {id: max(member.fitness for member in members if member.species == id) for id in ids}
    return Population(members, tuple([Species(id, best[id], 0) for id in ids]), 1.0, 1, max(ids) + 1)


def told(proposals: list[Proposal[float]], first: int, loss: Any) -> list[Evaluation[float]]:
    evaluations = []
    for id, proposal in enumerate(proposals, first):
        found = loss(proposal.genome)
        evaluations.append(Evaluation(id, proposal.genome, None if found is None else (found,)))
    return evaluations


def test_generation_0_is_sampled_and_put_into_species() -> None:
    neat = strategy()
    proposals, state = neat.ask(neat.init(Random(0)), Random(1))
    assert len(proposals) == 20 and {proposal.operator for proposal in proposals} == {"sample"}
    state = neat.tell(state, told(proposals, 0, lambda genome: genome), Random(2))
    assert neat.population(state) == tuple(range(20)) and state.generation == 1
    founders: dict[int, float] = {}
    for member in state.members:
        founder = founders.setdefault(member.species, member.genome)
        assert abs(member.genome - founder) < 1.0 and member.fitness == -member.genome
    assert [one.id for one in state.species] == list(range(len(founders))) and len(founders) >= 5


def test_a_genome_joins_the_first_species_that_is_near_enough() -> None:
    """0.9 is nearer to 1.3, but the species of 0.1 comes first."""
    neat = strategy(population_size=4)
    genomes = iter([0.1, 1.3, 0.9, 1.0])
    proposals = [Proposal(genome) for genome in genomes]
    state = neat.tell(neat.init(Random(0)), told(proposals, 0, lambda genome: genome), Random(0))
    assert [member.species for member in state.members] == [0, 1, 0, 0]


def test_species_have_offspring_by_their_shared_fitness() -> None:
    """Mean fitness 8, 5 and 2, whatever the sizes."""
    state = living(0.5, 0.5, 0.5, 0.5, 1.5, 2.5, 2.5, fitness=lambda genome: {0: 8.0, 1: 5.0, 2: 2.0}[int(genome)])
    neat = strategy(population_size=15)
    proposals, _ = neat.ask(state, Random(0))
    families = Counter(int(state.members[proposal.parents[0]].genome) for proposal in proposals)
    assert families == {0: 8, 1: 5, 2: 2}


def test_where_a_fitness_is_negative_all_are_raised() -> None:
    """-3, -2 and 0 are shared as 0, 1 and 3."""
    state = living(0.5, 1.5, 2.5, fitness=lambda genome: {0: -3.0, 1: -2.0, 2: 0.0}[int(genome)])
    proposals, _ = strategy(population_size=8).ask(state, Random(0))
    assert Counter(proposal.parents[0] for proposal in proposals) == {1: 2, 2: 6}


def test_where_all_have_no_fitness_all_have_offspring() -> None:
    state = living(0.5, 1.5, fitness=lambda genome: 0.0)
    proposals, _ = strategy(population_size=6).ask(state, Random(0))
    assert Counter(proposal.parents[0] for proposal in proposals) == {0: 3, 1: 3}


def test_champions_of_species_above_five_live_on_unchanged_and_are_not_asked_again() -> None:
    state = living(*[0.1 * place for place in range(6)], *[1.1 + 0.1 * place for place in range(5)])
    neat = strategy()
    proposals, state = neat.ask(state, Random(0))
    assert len(proposals) == 19
    after = neat.tell(state, told(proposals, 11, lambda genome: -genome), Random(0))
    assert len(after.members) == 20
    assert after.members[0].genome == pytest.approx(0.5) and after.members[0].id == 5
    assert neat.population(after) == (5, *range(11, 30))


def test_parents_are_the_best_fifth_of_their_species() -> None:
    state = living(*[0.09 * place for place in range(10)], 1.5)
    for seed in range(20):
        proposals, _ = strategy(interspecies_probability=0.0).ask(state, Random(seed))
        assert {id for proposal in proposals for id in proposal.parents} <= {8, 9, 10}


def test_a_species_without_a_better_champion_for_15_generations_is_dropped() -> None:
    start = living(0.5, 1.5, 2.5)
    neat = strategy(population_size=6)
    for since, families in ((14, {0, 1, 2}), (15, {1, 2})):
        improved = (Species(0, 0.5, 0), Species(1, 1.5, since - 1), Species(2, 2.5, 0))
        state = replace(start, species=improved, generation=since + 1)
        proposals, _ = neat.ask(state, Random(0))
        assert {proposal.parents[0] for proposal in proposals} == families, "species 2 has the best of all"
        after = neat.tell(state, told([Proposal(0.5)], 3, lambda genome: -genome), Random(0))
        [species] = after.species
        assert (species.id == 0) == (since == 14), "a stagnant species takes no new members"


def test_a_better_champion_is_remembered_with_its_generation() -> None:
    state = replace(living(0.5, 1.5), generation=4)
    children = [Evaluation(9, 0.4, (-0.7,)), Evaluation(10, 1.7, (-1.2,))]
    after = strategy(population_size=2).tell(state, children, Random(0))
    assert after.species == (Species(0, 0.7, 4), Species(1, 1.5, 0)) and after.next_species == 2


def test_the_threshold_follows_the_wanted_number() -> None:
    few = strategy(species=1, population_size=4)
    first = few.tell(few.init(Random(0)), told([Proposal(x) for x in (0.0, 1.0, 2.0, 3.0)], 0, float), Random(0))
    assert len(first.species) == 1 and first.threshold > 3.0
    many = strategy(species=4, population_size=4)
    after = many.tell(first, told([Proposal(x) for x in (0.0, 0.1, 0.2, 0.3)], 4, float), Random(0))
    assert after.threshold == pytest.approx(first.threshold - 0.1)
    fixed = strategy(population_size=4)
    assert fixed.tell(first, told([Proposal(0.0)], 4, float), Random(0)).threshold == first.threshold


def test_without_speciation_there_is_one_species_that_never_stagnates() -> None:
    neat, states = strategy(speciation=False), []
    state = neat.init(Random(0))
    for step in range(20):
        proposals, state = neat.ask(state, stream(0, "ask", step))
        state = neat.tell(state, told(proposals, 100 * step, lambda genome: 1.0), stream(0, "tell", step))
        states.append(state)
        assert {one.id for one in state.species} == {0} and len(state.members) == 20
    assert len(proposals) == 19 and state.species[0].improved == 0


def test_three_quarters_have_two_parents_who_are_rarely_of_two_species() -> None:
    state = living(*[0.09 * place for place in range(10)], *[5 + 0.09 * place for place in range(10)])
    neat = strategy(population_size=1000, survival_fraction=1.0, interspecies_probability=0.1)
    proposals, _ = neat.ask(state, Random(0))
    pairs = [proposal.parents for proposal in proposals if len(proposal.parents) == 2]
    assert 700 < len(pairs) < 800 and all(first != second for first, second in pairs)
    assert 45 < sum((first < 10) != (second < 10) for first, second in pairs) < 110
    assert {p.operator for p in proposals if len(p.parents) == 2} == {"crossover+mutation"}


def test_what_fails_is_no_member_and_without_members_samples_are_drawn() -> None:
    neat = strategy()
    proposals, state = neat.ask(neat.init(Random(0)), Random(1))
    half = neat.tell(state, told(proposals, 0, lambda genome: genome if genome < 5 else None), Random(2))
    assert all(member.genome < 5 for member in half.members) and 0 < len(half.members) < 20
    none = neat.tell(state, told(proposals, 0, lambda genome: None), Random(2))
    assert none.members == () and {p.operator for p in neat.ask(none, Random(3))[0]} == {"sample"}


def test_a_generation_asked_early_breeds_from_what_is_told() -> None:
    neat = strategy()
    proposals, state = neat.ask(neat.init(Random(0)), Random(1))
    second, state = neat.ask(state, Random(2))
    state = neat.tell(state, told(proposals, 0, float), Random(3))
    state = neat.tell(state, told(second, 20, float), Random(4))
    assert len(state.members) == 20 and state.generation == 2


XOR = NeuronGraphs()


def sigmoid(z: float) -> float:
    return 1 / (1 + exp(-max(-60.0, min(60.0, z))))


def fitness(neurons: Neurons) -> float:
    """(4 - sum of errors)^2 over the corners, for hidden nodes with NEAT's sigmoid."""
    wrong = 0.0
    for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
        values = [float(a), float(b), 1.0]
        for place, function in enumerate(neurons.functions, neurons.first_node):
            read = zip(neurons.links, neurons.weights, strict=True)
            z = sum(values[source] * weight for (source, target), weight in read if target == place)
            values.append(z if function == "add" else sigmoid(4.9 * z))
        wrong += abs(sigmoid(values[-1]) - (a != b))
    return (4 - wrong) ** 2


def test_fitness_and_structure_grow_on_xor() -> None:
    """The fitness of networks without a hidden node is below 9; 40 generations lead beyond."""
    neat: Neat[MarkedGraph] = Neat(space=XOR)
    state, next_id = neat.init(stream(2, "init")), 0
    best = []
    for step in range(40):
        proposals, state = neat.ask(state, stream(2, "ask", step))
        evaluations = []
        for id, proposal in enumerate(proposals, next_id):
            evaluations.append(Evaluation(id, proposal.genome, (-fitness(XOR.decode_neurons(proposal.genome, 2, 1)),)))
        next_id += len(proposals)
        state = neat.tell(state, evaluations, stream(2, "tell", step))
        best.append(max(member.fitness for member in state.members))
    assert best[0] < 6 and max(best) > 9
    figures: Any = neat.figures(state)
    assert figures["mean_sizes"]["links"] > 3 and figures["best_fitness"] == best[-1]
    assert figures["n_species"] == len(figures["species"]) > 1 and sum(figures["species"].values()) == 150


def test_the_fitter_parent_gives_the_structure() -> None:
    """The child of a fitter small and a less fit large network has the small one's links, that of equals all."""
    small = XOR.sample(Random(0))
    grow = NeuronGraphs(add_node_probability=1.0)
    large = grow.mutate(grow.mutate(small, Random(1)), Random(2))
    neat: Neat[MarkedGraph] = Neat(
        space=NeuronGraphs(add_link_probability=0.0, add_node_probability=0.0),
        population_size=60,
        species=None,
        crossover_probability=1.0,
        survival_fraction=1.0,
        interspecies_probability=0.0,
    )
    for fitnesses, sizes in (((2.0, 1.0), {3}), ((1.0, 2.0), {len(large.links)}), ((1.0, 1.0), {len(large.links)})):
        members = (Member(0, small, fitnesses[0], 0, fitnesses[0]), Member(1, large, fitnesses[1], 0, fitnesses[1]))
        state = Population(members, (Species(0, 2.0, 0),), 3.0, 1, 1)
        proposals, _ = neat.ask(state, Random(3))
        assert {len(proposal.genome.links) for proposal in proposals} == sizes


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("population_size", 1),
        ("speciation", 1),
        ("species", 0),
        ("species", 21),
        ("threshold", 0.05),
        ("stagnation", 0),
        ("champion_size", 0),
        ("survival_fraction", 0.0),
        ("crossover_probability", 1.5),
        ("interspecies_probability", -0.1),
    ],
)
def test_settings_out_of_range_are_refused(key: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"strategy\.{key}") as caught:
        strategy(**{key: value})
    assert "\n" not in str(caught.value)
