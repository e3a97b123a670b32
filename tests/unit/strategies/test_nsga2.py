"""NSGA-II: who lives, who is a parent, what is proposed, and that it finds fronts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Candidate, Constraint, Evaluation, Failure, Objective, Result
from evonas_cli.evolution.generations import Birth, Generation, Individual
from evonas_cli.genomes.capabilities import Crossable
from evonas_cli.genomes.choices import Genes
from evonas_cli.spaces.bits import Bits
from evonas_cli.spaces.chain_cnn import ChainCnn
from evonas_cli.strategies.nsga2 import Nsga2
from evonas_cli.strategies.random import RandomSearch

State = Generation[Genes]
OBJECTIVES = (Objective("ones", "min"), Objective("turns", "max"))


def measured(genome: Genes) -> dict[str, float]:
    """Leading zeros and trailing ones contradict each other: no genome has 12 of both."""
    zeros = next((place for place, bit in enumerate(genome) if bit), len(genome))
    ones = next((place for place, bit in enumerate(reversed(genome)) if not bit), len(genome))
    return {"ones": float(-zeros), "turns": float(ones)}


def run(
    strategy: Any,
    evaluations: int,
    *,
    window: int = 1,
    seed: int = 0,
    constraints: Sequence[Constraint] = (),
    fails: Callable[[int], bool] = lambda id: False,
    objectives: Sequence[Objective] = OBJECTIVES,
) -> tuple[Fold[Genes], list[Candidate[Genes]]]:
    """A whole run; returns its fold and all candidates."""
    fold: Fold[Genes] = Fold(strategy, objectives, seed, window, Budget(evaluations=evaluations), constraints)
    asked: list[Candidate[Genes]] = []
    while True:
        while fold.wants_ask():
            batch = fold.ask()
            asked += batch
            for c in batch:
                failed = Result(c.id, "failed", {}, None, Failure("error", "as the test wants it"))
                fold.add(c, failed if fails(c.id) else Result(c.id, "ok", measured(c.proposal.genome)))
        if not fold.ready():
            return fold, asked
        fold.tell()


def test_the_best_of_parents_and_children_live_by_front_then_crowding() -> None:
    strategy = Nsga2(space=Bits(4), population_size=3)
    living = [
        Individual(0, (0,) * 4, (0.0, 4.0)),
        Individual(1, (1,) * 4, (4.0, 0.0)),
        Individual(2, (1, 0, 1, 0), None),
    ]
    born = tuple(Birth(genome) for genome in [(0, 0, 0, 1), (0, 0, 1, 1), (0, 1, 1, 1)])
    told = [
        Evaluation(3, (0, 0, 0, 1), (1.0, 1.5)),  # in the middle of the first front, but crowded
        Evaluation(4, (0, 0, 1, 1), (1.5, 1.0)),  # as the one before, but less so
        Evaluation(5, (0, 1, 1, 1), (4.0, 4.0)),  # dominated
    ]
    after = strategy.tell(Generation(tuple(living), pending=(born,)), told, Random(0))
    assert strategy.population(after) == (0, 1, 3)
    assert [individual.age for individual in after.individuals] == [1, 1, 0]
    assert strategy.figures(after)["front"] == 3


def test_constraints_come_first_and_failures_last() -> None:
    strategy = Nsga2(space=Bits(4), population_size=4)
    born = tuple(Birth(genome) for genome in [(0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 1, 1), (0, 1, 1, 1)])
    told = [
        Evaluation(0, (0, 0, 0, 0), (0.0, 0.0), violation=0.5),
        Evaluation(1, (0, 0, 0, 1), None),
        Evaluation(2, (0, 0, 1, 1), (9.0, 9.0)),
        Evaluation(3, (0, 1, 1, 1), (5.0, 5.0), violation=0.1),
    ]
    after = strategy.tell(Generation(pending=(born,)), told, Random(0))
    assert strategy.population(after) == (2, 3, 0, 1)
    assert {key: strategy.figures(after)[key] for key in ("front", "infeasible", "failed")} == {
        "front": 1, "infeasible": 2, "failed": 1,
    }  # fmt: skip


def test_parents_win_tournaments_by_front_then_crowding() -> None:
    """Of 4 individuals in the fronts {0}, {1, 2}, {3}, 0 wins every tournament that it is drawn for: 1 in 2."""
    strategy = Nsga2(space=Bits(30), population_size=500, crossover_probability=0.0)
    losses = [(0.0, 0.0), (1.0, 2.0), (2.0, 1.0), (3.0, 3.0)]
    living = [Individual(id, Bits(30).sample(Random(id)), loss) for id, loss in enumerate(losses)]
    proposals, _ = strategy.ask(Generation(tuple(living), number=1), Random(1))
    share = Counter(proposal.parents[0] for proposal in proposals)
    assert share[3] == 0
    assert abs(share[0] / 500 - 0.5) < 0.07
    assert abs(share[1] / 500 - 0.25) < 0.06 and abs(share[2] / 500 - 0.25) < 0.06


def test_both_parents_are_different_individuals() -> None:
    strategy = Nsga2(space=Bits(30), population_size=50, crossover_probability=1.0)
    living = [Individual(id, Bits(30).sample(Random(id)), (float(id), -float(id))) for id in range(3)]
    proposals, _ = strategy.ask(Generation(tuple(living), number=1), Random(1))
    assert all(len(set(proposal.parents)) == 2 for proposal in proposals)


@pytest.mark.parametrize("window", [1, 3])
def test_no_genome_is_evaluated_twice_and_a_space_that_is_used_up_ends_the_search(window: int) -> None:
    strategy = Nsga2(space=Bits(5), population_size=6)
    fold, asked = run(strategy, 200, window=window)
    genomes = [candidate.proposal.genome for candidate in asked]
    assert len(genomes) == len(set(genomes)) == 32
    assert fold.finished
    loose, again = run(Nsga2(space=Bits(5), population_size=6, archive=False), 60, window=window)
    steps = Counter((candidate.step, candidate.proposal.genome) for candidate in again)
    assert len(again) == 60 and max(steps.values()) == 1


def test_a_member_that_is_found_again_lives_once() -> None:
    strategy = Nsga2(space=Bits(2), population_size=3)
    living = (Individual(0, (0, 0), (0.0, 1.0)), Individual(1, (1, 1), (1.0, 0.0)))
    state = Generation(living, pending=((Birth((0, 0), known=True), Birth((0, 1))),))
    state = replace(state, archive=state.archive.with_entries({(0, 0): (0, (0.0, 1.0), 0.0)}))
    after = strategy.tell(state, [Evaluation(2, (0, 1), (0.5, 0.5))], Random(0))
    assert sorted(strategy.population(after)) == [0, 1, 2]


@pytest.mark.parametrize("window", [1, 2])
def test_failed_and_violating_candidates_are_handled(window: int) -> None:
    limit = Constraint("turns", 6.0)
    strategy = Nsga2(space=Bits(12), population_size=10)
    fold, asked = run(strategy, 300, window=window, constraints=[limit], fails=lambda id: id % 5 == 0)
    parents = {parent for candidate in asked for parent in candidate.proposal.parents}
    assert parents and all(parent % 5 for parent in parents)
    assert fold.front.members
    assert all(-losses[1] <= 6.0 for _, losses in fold.front.members)


def test_it_finds_more_of_a_front_than_random_search() -> None:
    """The front has 13 points: n leading zeros and 12 - n trailing ones."""
    found = {}
    for name, strategy in (("nsga2", Nsga2(space=Bits(12))), ("random", RandomSearch(space=Bits(12), batch=20))):
        fronts = [run(strategy, 400, seed=seed)[0].front.members for seed in range(3)]
        found[name] = [sum(-sum(losses) == 12.0 for _, losses in front) for front in fronts]
    assert min(found["nsga2"]) > max(found["random"])


def test_with_one_objective_it_is_a_genetic_algorithm() -> None:
    strategy = Nsga2(space=Bits(12), population_size=10)
    fold, _ = run(strategy, 300, objectives=OBJECTIVES[:1])
    assert fold.front.members[0].losses == (-12.0,)
    losses = [individual.loss for individual in fold.settled.individuals]
    assert losses == sorted(losses)


def test_a_number_of_generations_ends_the_search() -> None:
    strategy = Nsga2(space=Bits(12), population_size=4, generations=3)
    for window in (1, 2):
        fold, asked = run(strategy, 100, window=window)
        assert fold.finished and len(asked) == 12


def test_a_space_recombines_by_itself_where_it_can() -> None:
    chains = ChainCnn()
    strategy = Nsga2(space=chains, crossover="own", population_size=4)
    assert Crossable in strategy.demands.space
    with pytest.raises(UsageError, match="crossover=own needs a space that recombines by itself"):
        Nsga2(space=Bits(4), crossover="own")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"population_size": 1}, "population_size must be a whole number of at least 2"),
        ({"crossover": "three_point"}, "crossover must be one of"),
        ({"crossover_probability": 1.5}, "crossover_probability must be a number in"),
        ({"mutation_probability": -0.1}, "mutation_probability must be a number in"),
        ({"archive": 1}, "archive must be true or false"),
        ({"generations": 0}, "generations must be a whole number of at least 1 or null"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Nsga2(space=Bits(4), **settings)


def test_asking_is_a_function_of_state_and_generator() -> None:
    strategy = Nsga2(space=Bits(12), population_size=6)
    first, state = strategy.ask(strategy.init(stream(0, "init")), stream(0, "ask", 0))
    told = [Evaluation(id, p.genome, tuple(measured(p.genome).values())) for id, p in enumerate(first)]
    after = strategy.tell(state, told, Random(0))
    assert strategy.ask(after, stream(0, "ask", 1)) == strategy.ask(after, stream(0, "ask", 1))
