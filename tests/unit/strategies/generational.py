"""Drives the genetic algorithm for its tests: under the window rule, or one tell at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Proposal
from evonas_cli.evolution.generations import Birth, Generation, Individual
from evonas_cli.genomes.choices import Genes
from evonas_cli.spaces.bits import Bits
from evonas_cli.strategies.genetic import Genetic

SPACE = Bits(100)
State = Generation[Genes]
Loss = Callable[[int, Genes], float | None]


def genetic(**settings: Any) -> Genetic:
    """Everything evaluated, known or not, unless settings say otherwise."""
    return Genetic(**({"space": SPACE, "archive": False} | settings))


def run(
    strategy: Genetic, n_steps: int, loss: Loss, seed: int = 0, window: int = 1
) -> tuple[list[list[Proposal[Genes]]], list[State]]:
    """All proposals by step and the state after each tell, under the window rule, until the strategy ends."""
    steps: list[list[Proposal[Genes]]] = []
    states: list[State] = []
    pending: deque[tuple[int, int]] = deque()
    state, next_id = strategy.init(stream(seed, "init")), 0
    for step in range(n_steps + window):
        if len(pending) == min(window, n_steps) or (step >= n_steps and pending):
            told, first = pending.popleft()
            values = [(id, p.genome, loss(id, p.genome)) for id, p in enumerate(steps[told], first)]
            evaluations = [Evaluation(id, genome, None if v is None else (v, 9.0)) for id, genome, v in values]
            state = strategy.tell(state, evaluations, stream(seed, "tell", told))
            states.append(state)
        if step < n_steps:
            proposals, state = strategy.ask(state, stream(seed, "ask", step))
            if not proposals:
                break
            steps.append(proposals)
            pending.append((step, next_id))
            next_id += len(proposals)
    return steps, states


def told(strategy: Genetic, state: State, evaluations: Sequence[Evaluation[Genes]], rng: Random) -> State:
    """The state after a generation of just these children was asked and told."""
    born = tuple([Birth(evaluation.genome) for evaluation in evaluations])
    return strategy.tell(replace(state, pending=(*state.pending, born)), evaluations, rng)


def observe(seed: int, noise: float) -> Callable[[int, Genes], float]:
    """One-max as a loss in [-1, 0], observed with noise."""

    def loss(id: int, genome: Genes) -> float:
        return -min(1.0, max(0.0, genome.count(1) / len(genome) + stream(seed, "noise", id).gauss(0, noise)))

    return loss


def alive(losses: Sequence[float | None], ages: Sequence[int] | None = None) -> State:
    """A population with these losses, best first, ids from 0."""
    ages = ages or [0] * len(losses)
    known = [None if loss is None else (loss,) for loss in losses]
    members = [Individual(id, SPACE.sample(Random(id)), loss, ages[id]) for id, loss in enumerate(known)]
    return Generation(tuple(members))


def offspring(first_id: int, losses: Sequence[float | None]) -> list[Evaluation[Genes]]:
    """Evaluations of random genomes with these losses."""
    return [
        Evaluation(id, SPACE.sample(Random(id)), None if loss is None else (loss,))
        for id, loss in enumerate(losses, first_id)
    ]
