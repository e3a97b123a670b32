"""Sharing and crowding in the genetic algorithm: peaks are kept, places are fought for by hand."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

import pytest
from generational import alive, genetic, observe, run

from evonas_cli.core.types import Evaluation
from evonas_cli.evolution.generations import Birth, Generation, Individual
from evonas_cli.genomes.choices import Genes
from evonas_cli.spaces.bits import Bits


def demo() -> Any:
    """The script as a module."""
    path = str(Path(__file__).parents[3] / "scripts" / "niching_demo")
    loader = importlib.machinery.SourceFileLoader("niching_demo", path)
    spec = importlib.util.spec_from_loader("niching_demo", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_sharing_and_crowding_keep_the_peaks_that_a_plain_algorithm_loses() -> None:
    """Means over 20 seeds: 1.05 without niching, 4.85 with sharing, 5.00 with either crowding."""
    script = demo()
    held = {name: fmean(script.evolve(row, seed)[0] for seed in range(2)) for name, row in script.ROWS.items()}
    assert held["none"] < 1.6
    assert held["sharing"] > 4.2
    assert held["crowding"] == held["probabilistic crowding"] == 5
    assert held["sharing, blend"] < held["crowding, blend"]


def living(*members: tuple[int, Genes, float], **settings: Any) -> Generation[Genes]:
    return Generation(tuple(Individual(id, genome, (loss,)) for id, genome, loss in members), **settings)


def test_a_child_replaces_the_most_similar_of_its_parents_if_it_is_not_worse() -> None:
    strategy = genetic(space=Bits(4), population_size=3, elitism=0, diversity="crowding")
    start = living((0, (0, 0, 0, 0), 1.0), (1, (1, 1, 1, 1), 2.0), (2, (1, 1, 1, 0), 3.0))
    fights = {
        # genome, loss, parents -> population
        ((0, 0, 0, 1), 1.0, (0, 1)): {5, 1, 2},
        ((0, 0, 0, 1), 1.1, (0, 1)): {0, 1, 2},
        ((1, 1, 0, 1), 1.9, (0, 1)): {0, 5, 2},
        ((1, 1, 1, 0), 2.5, (0, 1)): {0, 1, 2},  # nearest of all is 2, but no parent
        ((1, 1, 1, 0), 2.5, (2,)): {0, 1, 5},
        ((1, 1, 1, 0), 2.5, (8, 9)): {0, 1, 5},  # no parent lives: nearest of all
    }
    for (genome, loss, parents), population in fights.items():
        state = replace(start, pending=((Birth(genome, parents),),))
        after = strategy.tell(state, [Evaluation(5, genome, (loss,))], Random(0))
        assert set(strategy.population(after)) == population
        assert {i.id: i.age for i in after.individuals} == {id: int(id != 5) for id in population}


def test_a_window_of_everybody_looks_beyond_the_parents() -> None:
    genome = (1, 1, 1, 0)
    start = living((0, (0, 0, 0, 0), 1.0), (1, (1, 1, 1, 1), 2.0), (2, genome, 3.0))
    for window, population in ((None, {0, 1, 2}), (3, {0, 1, 5})):
        strategy = genetic(space=Bits(4), population_size=3, elitism=0, diversity="crowding", crowding_window=window)
        state = replace(start, pending=((Birth(genome, (0, 1)),),))
        assert set(strategy.population(strategy.tell(state, [Evaluation(5, genome, (2.5,))], Random(0)))) == population


def test_a_failed_child_takes_no_place_and_failed_members_leave_theirs() -> None:
    strategy = genetic(space=Bits(4), population_size=3, diversity="crowding")
    state = Generation(
        (Individual(0, (0,) * 4, (1.0,)), Individual(1, (1,) * 4, None)),
        pending=((Birth((0, 0, 0, 1), (0,)), Birth((0, 0, 1, 1), (0,))),),
    )
    told = [Evaluation(2, (0, 0, 0, 1), None), Evaluation(3, (0, 0, 1, 1), (8.0,))]
    assert strategy.population(strategy.tell(state, told, Random(0))) == (0, 3)


def test_everybody_is_a_parent_under_crowding() -> None:
    strategy = genetic(population_size=10, diversity="crowding", crossover_probability=1.0)
    proposals, _ = strategy.ask(alive([float(i) for i in range(10)]), Random(3))
    assert Counter(p.parents[0] for p in proposals) == Counter(range(10))
    assert Counter(parent for p in proposals for parent in p.parents) == Counter({id: 2 for id in range(10)})


@pytest.mark.parametrize("window", [None, 5])
def test_nobody_gets_worse_under_deterministic_crowding(window: int | None) -> None:
    strategy = genetic(population_size=12, diversity="crowding", crowding_window=window)
    _, states = run(strategy, 40, observe(1, 0.02))
    losses = [sorted(i.loss for i in state.individuals if i.loss is not None) for state in states]
    assert all(len(ranked) == 12 for ranked in losses)
    for before, after in zip(losses, losses[1:], strict=False):
        assert all(new <= old for old, new in zip(before, after, strict=True))
    assert losses[-1][0] < losses[0][0]


def test_under_probabilistic_crowding_only_elites_are_safe() -> None:
    for elitism, safe in ((0, False), (1, True)):
        strategy = genetic(population_size=8, elitism=elitism, diversity="probabilistic_crowding")
        _, states = run(strategy, 40, observe(1, 0.02))
        best = [state.individuals[0].loss or 0.0 for state in states]
        assert (best == sorted(best, reverse=True)) == safe


def test_a_lifespan_ends_places_under_crowding() -> None:
    strategy = genetic(population_size=6, elitism=0, diversity="crowding", lifespan=3)
    _, states = run(strategy, 30, lambda id, genome: float(id))  # no child ever wins
    lives = Counter(id for state in states for id in strategy.population(state))
    assert max(lives.values()) == 3
    assert max(i.age for state in states for i in state.individuals) == 2


def test_sharing_selects_the_lonely_among_equals() -> None:
    """Ten on one spot and one far away are equally good: selection by shared fitness finds the lonely one."""
    strategy = genetic(
        space=Bits(4), population_size=12, elitism=0, diversity="sharing", sharing_radius=0.5,
        crossover_probability=0.0, selection="roulette",
    )  # fmt: skip
    members = [*[(id, (0, 0, 0, 0), 1.0) for id in range(10)], (10, (1, 1, 1, 1), 1.0), (11, (1, 1, 0, 0), 2.0)]
    state = living(*members)
    chosen = Counter(p.parents[0] for seed in range(100) for p in strategy.ask(state, Random(seed))[0])
    assert chosen[10] / 1200 == pytest.approx(1 / 2, abs=0.05)  # shares are 1, ten times 1/10, and 0
    assert strategy.figures(state)["best"] is None and strategy.figures(state)["mean_loss"] == pytest.approx(13 / 12)


def test_losses_of_any_sign_can_be_shared() -> None:
    for offset in (-5.0, 0.0, 5.0):
        strategy = genetic(population_size=10, diversity="sharing", selection="sus")
        steps, _ = run(strategy, 6, lambda id, genome, offset=offset: offset - float(genome.count(1)))
        if offset == -5.0:
            first = steps
    assert [p.genome for step in first for p in step] == [p.genome for step in steps for p in step]
