"""Novelty, surprise and curiosity in the strategies that take them: whom they select, and that runs go on exactly."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.types import Constraint, Evaluation, Objective
from evonas_cli.evaluation.fake import Fake
from evonas_cli.evolution.generations import Birth, Generation
from evonas_cli.evolution.pressure import BONUSES
from evonas_cli.genomes.choices import Genes
from evonas_cli.jobs.landscape import Landscape
from evonas_cli.run.search import search
from evonas_cli.spaces.maze import Maze
from evonas_cli.store import records
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.recorder import Recorder
from evonas_cli.strategies.genetic import Genetic
from evonas_cli.strategies.neat import Neat, Population
from evonas_cli.strategies.nsga2 import Nsga2
from evonas_cli.strategies.regularized_evolution import RegularizedEvolution


class CrossableMaze(Maze):
    """A maze whose genomes recombine by themselves, as NEAT wants it."""

    def recombine(self, parents: Sequence[Genes], rng: Random) -> Genes:
        return tuple([rng.choice(genes) for genes in zip(*parents, strict=True)])


SPACE = CrossableMaze(size=11, depth=3, moves=6, steps=4)
JOB = Landscape(SPACE, descriptor="behaviour")
MANY = {"population_size": 10, "novelty_neighbours": 3, "novelty_capacity": 6, "surprise_clusters": 4}
STRATEGIES = {
    "genetic": Genetic(space=SPACE, rho=0.3, elitism=2, **MANY),  # type: ignore[arg-type]
    "remeasuring": Genetic(space=SPACE, remeasure=True, archive=False, **MANY),  # type: ignore[arg-type]
    "nsga2": Nsga2(space=SPACE, **MANY),  # type: ignore[arg-type]
    "aging": RegularizedEvolution(space=SPACE, sample_size=4, rho=0.3, **MANY),  # type: ignore[arg-type]
    "neat": Neat(space=SPACE, rho=0.3, species=3, threshold=0.5, champion_size=2, **MANY),  # type: ignore[arg-type]
}


def fold(strategy: Any, window: int) -> Fold[Any]:
    limit = Constraint("true_error", 0.9)
    return Fold(strategy, (Objective("valid_error", "min"),), 3, window, Budget(evaluations=90), [limit])


def outcome(root: Path, strategy: Any, window: int, break_after: int | None) -> tuple[str, str]:
    """Digest and figures of a run that is broken off after each `break_after` results and resumed."""
    run, sessions = RunDirectory(root), 0
    root.mkdir()
    while True:
        recorder, made = Recorder(run, SPACE, lambda: 0.0, every=7), fold(strategy, window)
        try:
            search(made, Fake(JOB, run, sessions, break_after), recorder)
        except EnvironmentFailure:
            sessions += 1
            continue
        finally:
            recorder.finish(made, "done")
            recorder.close()
        recorder = Recorder(run, SPACE, lambda: 0.0)
        digest = records.digest(recorder.journal, strategy.population(made.state), [], ())
        recorder.close()
        return digest, run.figures.read_text() if run.figures.exists() else ""


@pytest.mark.parametrize("pressure", BONUSES)
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_run_that_is_broken_off_ends_as_if_it_never_stopped(name: str, pressure: str, tmp_path: Path) -> None:
    strategy = replace(STRATEGIES[name], pressure=pressure)
    whole = outcome(tmp_path / "whole", strategy, 2, None)
    assert outcome(tmp_path / "broken", strategy, 2, 7) == whole
    last = json.loads(whole[1].splitlines()[-1])
    assert last["coverage"] > 10 and f"mean_{pressure}" in last
    assert pressure != "novelty" or 0 < last["archive"] <= 6


@pytest.mark.parametrize("name", STRATEGIES)
def test_each_pressure_makes_another_search_and_fitness_has_no_new_figures(name: str, tmp_path: Path) -> None:
    found = {
        pressure: outcome(tmp_path / pressure, replace(STRATEGIES[name], pressure=pressure), 1, None)
        for pressure in ("fitness", *BONUSES)
    }
    assert len({digest for digest, _ in found.values()}) == 4
    assert "coverage" not in found["fitness"][1]


def told(strategy: Any, positions: list[tuple[float, float]], losses: list[float]) -> Generation[Any]:
    """The state after a first generation that behaves so and is so good."""
    genomes = [SPACE.sample(Random(id)) for id in range(len(positions))]
    born = tuple(Birth(genome) for genome in genomes)
    evaluations = [
        Evaluation(id, genome, (loss,), descriptor=position)
        for id, (genome, position, loss) in enumerate(zip(genomes, positions, losses, strict=True))
    ]
    state: Generation[Any] = strategy.tell(Generation(pending=(born,)), evaluations, Random(0))
    return state


CROWD = [(0.0, 0.0)] * 9 + [(9.0, 9.0)]


def test_novelty_alone_selects_the_loner_and_keeps_it_and_rho_gives_fitness_its_part() -> None:
    losses = [float(id) for id in range(10)]
    for rho, first in ((0.0, 9), (1.0, 0)):
        strategy = Genetic(space=SPACE, pressure="novelty", rho=rho, elitism=1, crossover_probability=0.0, **MANY)  # type: ignore[arg-type]
        state = told(strategy, CROWD, losses)
        assert strategy.population(state)[0] == first
        parents = Counter(p.parents[0] for seed in range(30) for p in strategy.ask(state, Random(seed))[0])
        assert parents.most_common(1)[0][0] == first
        assert strategy.figures(state)["best"] == 0.0, "figures of fitness stay those of the objective"


def test_nsga2_keeps_the_loner_beside_the_best() -> None:
    strategy = Nsga2(space=SPACE, pressure="novelty", **{**MANY, "population_size": 4})  # type: ignore[arg-type]
    living = strategy.population(told(strategy, CROWD, [float(id) for id in range(10)]))
    assert set(living[:2]) == {0, 9}
    plain = Nsga2(space=SPACE, **{**MANY, "population_size": 4})  # type: ignore[arg-type]
    assert plain.population(told(plain, CROWD, [float(id) for id in range(10)])) == (0, 1, 2, 3)


def neat(**settings: Any) -> Neat[Genes]:
    return Neat(space=SPACE, species=None, threshold=1000.0, champion_size=1, **{**MANY, **settings})


def told_to_neat(strategy: Neat[Genes], first: int = 0, state: Population[Genes] | None = None) -> Population[Genes]:
    """The state after a generation in which the last candidate is alone and the worst."""
    state = strategy.init(Random(0)) if state is None else state
    genomes = [SPACE.sample(Random(id)) for id in range(len(CROWD))]
    evaluations = [
        Evaluation(first + id, genome, (float(id),), descriptor=position)
        for id, (genome, position) in enumerate(zip(genomes, CROWD, strict=True))
    ]
    return strategy.tell(state, evaluations, Random(1))


@pytest.mark.parametrize(("rho", "champion"), [(0.0, 9), (1.0, 0)])
def test_neat_breeds_from_the_loner_and_keeps_it_and_rho_gives_fitness_its_part(rho: float, champion: int) -> None:
    strategy = neat(pressure="novelty", rho=rho, survival_fraction=0.1)
    state = told_to_neat(strategy)
    proposals, _ = strategy.ask(state, Random(2))
    assert len(proposals) == 9 and {proposal.parents for proposal in proposals} == {(champion,)}
    after = told_to_neat(strategy, 10, state)
    assert champion in strategy.population(after)
    assert strategy.figures(state)["best_fitness"] == 0.0, "figures of fitness stay those of the objective"


def test_species_of_neat_stagnate_for_fitness_alone() -> None:
    for pressure, alive in (("fitness", {1}), ("novelty", {0, 1})):
        strategy = neat(pressure=pressure, stagnation=1)
        state = told_to_neat(strategy)
        [species] = state.species
        members = [replace(one, species=int(one.id % 2 == 0), worth=float(one.id)) for one in state.members]
        members = [replace(one, worth=99.0) if one.id == 8 else one for one in members]
        state = replace(
            state,
            members=tuple(members),
            species=(species, replace(species, id=1)),
            generation=5,
            next_species=2,
        )
        proposals, _ = strategy.ask(state, Random(3))
        assert {proposal.parents[0] % 2 == 0 for proposal in proposals} == {bool(id) for id in alive}


@pytest.mark.parametrize(("rho", "first"), [(0.0, 9), (1.0, 0)])
def test_tournaments_of_aging_evolution_are_won_by_the_loner_and_rho_gives_fitness_its_part(
    rho: float, first: int
) -> None:
    sizes = {"population_size": 10, "sample_size": 10, "replacement": False, "novelty_neighbours": 3}
    aging = RegularizedEvolution(space=SPACE, pressure="novelty", rho=rho, **sizes)  # type: ignore[arg-type]
    state = aging.init(Random(0))
    for id, position in enumerate(CROWD):
        [asked], state = aging.ask(state, Random(id))
        state = aging.tell(state, [Evaluation(id, asked.genome, (float(id),), descriptor=position)], Random(id))
    [child], _ = aging.ask(state, Random(1))
    assert child.parents == (first,)
