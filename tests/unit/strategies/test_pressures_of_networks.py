"""Novelty in the strategies that evolve networks: who lives on and breeds is who behaves unlike the others, and `rho`
gives fitness its part again."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from trained import Trained

from evonas_cli.core.codec import decode, encode, state_hint
from evonas_cli.core.types import Evaluation, Objective, Proposal
from evonas_cli.spaces.codeepneat import Assemblies
from evonas_cli.spaces.layered_cnn import LayeredCnn
from evonas_cli.spaces.maze import Maze
from evonas_cli.spaces.sequences import Sequences
from evonas_cli.strategies.backprop_neat import BackpropNeat
from evonas_cli.strategies.codeepneat import CoDeepNeat
from evonas_cli.strategies.coevolution import SequenceCoevolution
from evonas_cli.strategies.deepneat import DeepNeat
from evonas_cli.strategies.genetic_programming import GeneticProgramming
from evonas_cli.strategies.hill_climbing import HillClimbing
from evonas_cli.strategies.lemonade import Lemonade

NETWORKS: Any = Assemblies(filters=(4, 32), initial_nodes=3)
GROWING: Any = LayeredCnn()
NOVELTY = {"pressure": "novelty", "novelty_neighbours": 3}
BOTH = pytest.mark.parametrize(("rho", "first"), [(0.0, 9), (1.0, 0)])
"""Who is to be selected of those told by `crowd`: the loner for novelty alone, the fittest for fitness alone."""


class CrossableMaze(Maze):
    """A maze whose genomes recombine by themselves, as genetic programming wants it."""

    def recombine(self, parents: Sequence[Any], rng: Random) -> Any:
        return tuple([rng.choice(genes) for genes in zip(*parents, strict=True)])


def crowd(asked: Sequence[Proposal[Any]], first: int = 0, more: Sequence[float] = ()) -> list[Evaluation[Any]]:
    """Each is worse than the one before, and all behave alike but for the last one told."""
    last = len(asked) - 1
    return [
        Evaluation(first + id, one.genome, (float(id), *more), descriptor=(9.0 * (id == last),), parents=one.parents)
        for id, one in enumerate(asked)
    ]


def told(strategy: Any, rng: int = 0) -> Any:
    """The state after a first generation that is a crowd."""
    asked, state = strategy.ask(strategy.init(Random(rng)), Random(rng))
    return strategy.tell(state, crowd(asked), Random(rng))


@BOTH
def test_deepneat_breeds_from_the_loner_and_keeps_its_fitness(rho: float, first: int) -> None:
    one_species = {"species": 1, "threshold": 20.0, "survival_fraction": 0.1, "crossover_probability": 0.0}
    strategy: Any = DeepNeat(space=NETWORKS, population_size=10, rho=rho, **NOVELTY, **one_species)  # type: ignore[arg-type]
    state = told(strategy)
    children, state = strategy.ask(state, Random(1))
    assert {child.parents for child in children} == {(first,)}
    after = strategy.tell(state, crowd(children, 10), Random(1))
    assert strategy.population(after)[0] == first and after.population.parts[0].fitness == -float(first)
    assert strategy.figures(told(strategy))["best_fitness"] == 0.0, "figures of fitness stay those of the objective"


@BOTH
def test_backprop_neat_trains_the_loner_on_and_draws_it_as_a_parent(rho: float, first: int) -> None:
    strategy: Any = BackpropNeat(space=Trained(), population_size=10, clusters=1, hall_of_fame=1, rho=rho, **NOVELTY)  # type: ignore[arg-type]
    state = told(strategy)
    assert strategy.population(state)[0] == first and [one.id for one in state.hall] == [0]
    children, _ = strategy.ask(state, Random(1))
    assert {one.parents[0] for one in children if one.operator == "train_on"} == {first, 0}
    bred = [id for one in children for id in one.parents if one.operator != "train_on"]
    assert bred.count(first) > len(bred) / 2
    figures = strategy.figures(state)
    assert figures["best_loss"] == figures["clusters"][0]["best_loss"] == 0.0 and figures["coverage"] == 2


def test_backprop_neat_takes_any_objective_under_pressure_since_worth_has_no_sign() -> None:
    BackpropNeat(space=Trained(), **NOVELTY).check_objectives([Objective("return", "max")])  # type: ignore[arg-type]


@BOTH
def test_genetic_programming_keeps_the_loner_and_breeds_from_it(rho: float, first: int) -> None:
    space: Any = CrossableMaze(size=11, depth=3, moves=6, steps=4)
    one_species = {"species": None, "threshold": 1000.0, "survival_fraction": 0.1}
    strategy: Any = GeneticProgramming(space=space, population_size=10, rho=rho, **NOVELTY, **one_species)  # type: ignore[arg-type]
    state = told(strategy)
    children, state = strategy.ask(state, Random(1))
    assert {child.parents for child in children} == {(first,)}
    after = strategy.tell(state, crowd(children, 10), Random(1))
    assert [(one.id, one.loss) for one in after.members][0] == (first, float(first))
    assert strategy.figures(told(strategy))["best"] == 0.0


def codeepneat(**settings: Any) -> Any:
    """Each blueprint is in one network, and the best blueprint lives on."""
    sizes = {"blueprint_population": 10, "assemblies": 10, "module_population": 4, "module_species": 1}
    return CoDeepNeat(space=NETWORKS, **{**sizes, "threshold": 20.0, **NOVELTY, **settings})


@BOTH
def test_codeepneat_credits_modules_and_blueprints_with_the_worth_of_networks(rho: float, first: int) -> None:
    strategy = codeepneat(rho=rho)
    asked, before = strategy.ask(strategy.init(Random(0)), Random(0))
    state = strategy.tell(before, crowd(asked), Random(0))
    assert strategy.population(state)[0] == first
    recipe = before.pending[0].recipes[first]
    assert state.blueprints.parts[0].id == recipe.blueprint and state.blueprints.parts[0].best == first
    assert state.modules.parts[0].best == first or rho == 1.0, "a module's mean may be best without the best network"
    assert strategy.figures(state)["best_fitness"] == 0.0


def test_codeepneat_takes_the_bonus_as_one_more_objective_where_it_takes_several() -> None:
    strategy = codeepneat(several="pareto")
    asked, state = strategy.ask(strategy.init(Random(0)), Random(0))
    after = strategy.tell(state, crowd(asked, more=(1.0,)), Random(0))
    assert set(strategy.population(after)[:2]) == {0, 9}
    assert len(after.blueprints.parts[0].losses) == 3


@pytest.mark.parametrize(("rho", "first"), [(0.0, 9), (1.0, 1)])
def test_hill_climbing_goes_to_the_loner_even_where_the_parent_is_better(rho: float, first: int) -> None:
    strategy: Any = HillClimbing(space=GROWING, children=9, rho=rho, **NOVELTY)  # type: ignore[arg-type]
    asked, state = strategy.ask(strategy.init(Random(0)), Random(0))
    state = strategy.tell(state, [Evaluation(0, asked[0].genome, (-1.0,), descriptor=(0.0,))], Random(0))
    children, state = strategy.ask(state, Random(1))
    state = strategy.tell(state, crowd(children, 1), Random(1))
    assert strategy.population(state) == (first,) and state.stale == 0
    assert strategy.figures(state)["current_loss"] == first - 1.0
    children, state = strategy.ask(state, Random(2))
    failed = [Evaluation(20 + id, one.genome, None) for id, one in enumerate(children)]
    assert strategy.tell(state, failed, Random(2)).stale == 1


def test_lemonade_keeps_the_loner_on_the_front_beside_the_best() -> None:
    living = {}
    for pressure in ("fitness", "novelty"):
        strategy: Any = Lemonade(space=GROWING, initial=10, pressure=pressure, novelty_neighbours=3)
        asked, state = strategy.ask(strategy.init(Random(0)), Random(0))
        state = strategy.tell(state, crowd(asked, more=(1.0,)), Random(0))
        living[pressure] = strategy.population(state)
        assert strategy.figures(state)["front"] == 1
    assert living == {"fitness": (0,), "novelty": (0, 9)}


@BOTH
def test_coevolution_ranks_first_who_was_in_the_loner(rho: float, first: int) -> None:
    sizes = {"sequence_population": 5, "setting_population": 5, "partners": 2}
    strategy: Any = SequenceCoevolution(space=Sequences(gains=[1.0, 2.0]), epsilon=0.0, rho=rho, **NOVELTY, **sizes)  # type: ignore[arg-type]
    asked, state = strategy.ask(strategy.init(Random(3)), Random(3))
    state = strategy.tell(state, crowd(asked), Random(3))
    assert strategy.population(state)[0] == (len(asked) - 1 if first else 0)
    assert strategy.figures(state)["reached"], "epsilon stays a loss"


@pytest.mark.parametrize(
    "strategy",
    [
        *(DeepNeat(space=NETWORKS, population_size=4, species=2), CoDeepNeat(space=NETWORKS)),
        *(HillClimbing(space=GROWING), Lemonade(space=GROWING), BackpropNeat(space=Trained())),
        SequenceCoevolution(space=Sequences(gains=[1.0])),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_states_of_fitness_are_stored_as_before_there_was_pressure(strategy: Any) -> None:
    space: Any = strategy.space
    asked, state = strategy.ask(strategy.init(Random(0)), Random(0))
    state = strategy.tell(
        state, [Evaluation(id, one.genome, (float(id), 1.0)) for id, one in enumerate(asked)], Random(0)
    )
    stored = encode(state_hint(strategy), state, space.to_json)
    assert isinstance(stored, dict) and "behaviours" not in stored
    assert decode(state_hint(strategy), stored, space.from_json) == state
