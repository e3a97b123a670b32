"""The agent: its schedule counts unique models, and what is known is drawn again instead of trained again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from evonas_cli.core.rng import stream
from evonas_cli.core.types import Proposal
from evonas_cli.spaces.chain_landscape import ChainLandscape
from evonas_cli.walks.agent import Agent, Memory

SMALL = ChainLandscape(length=3, options=2)
PLAIN = Agent(
    space=SMALL,
    epsilons=[[1.0, 3], [0.0, 2]],
    history=1,
    learning_rate=0.5,
    discount=1.0,
    initial=0.5,
    replays=10,
    attempts=200,
    batch=1,
)
Reward = Callable[[Any], float | None]


def told(agent: Agent[Any], asks: int, reward: Reward = SMALL.score) -> tuple[list[Proposal[Any]], Memory]:
    """Proposals of so many asks, each told at once, and the memory after them."""
    memory, proposals = agent.init(), []
    for step in range(asks):
        asked, memory = agent.ask(memory, stream(0, "ask", step))
        memory = agent.tell(memory, [reward(proposal.genome) for proposal in asked], stream(0, "tell", step))
        proposals += asked
    return proposals, memory


def genomes(proposals: Sequence[Proposal[Any]]) -> list[Any]:
    return [proposal.genome for proposal in proposals]


def test_a_small_space_is_proposed_without_repeats_until_it_is_used_up() -> None:
    proposals, memory = told(replace(PLAIN, epsilons=[[1.0, 8]]), 10)
    assert len(set(genomes(proposals[:8]))) == 8
    assert [proposal.operator for proposal in proposals] == ["walk"] * 8 + ["repeat"] * 2
    assert len(memory.walks) == 8 and memory.repeated >= 2 * PLAIN.attempts


def test_known_walks_are_proposed_where_they_may_be() -> None:
    proposals, memory = told(replace(PLAIN, attempts=0, epsilons=[[0.0, 20]]), 20)
    assert len(set(genomes(proposals))) < 8
    assert memory.repeated == 0


def test_what_is_in_flight_is_not_drawn_again() -> None:
    agent = replace(PLAIN, batch=8)
    proposals, memory = agent.ask(agent.init(), stream(0, "ask"))
    assert len(set(genomes(proposals))) == 8
    assert memory.table == {} and len(memory.flights) == 8


def test_rewards_count_for_the_stage_in_which_a_model_was_drawn() -> None:
    agent = replace(PLAIN, epsilons=[[1.0, 2], [0.5, 1], [0.0, 1]])
    first, memory = agent.ask(agent.init(), stream(0, "ask", 0))
    for step in (1, 2):
        _, memory = agent.ask(memory, stream(0, "ask", step))
    for step, reward in enumerate((0.2, 0.4, 0.9)):
        memory = agent.tell(memory, [reward], stream(0, "tell", step))
    figures = agent.figures(memory)
    assert [(epsilon, count, round(mean, 9)) for epsilon, count, mean in figures["epsilon_told_mean_reward"]] == [
        (1.0, 2, 0.3),
        (0.5, 1, 0.9),
    ]
    assert figures["epsilon"] == 0.0 and figures["unique_models"] == 3
    assert figures["values"] == 2 * figures["states"]


def test_a_failure_without_a_reward_is_known_and_teaches_nothing() -> None:
    proposals, memory = told(replace(PLAIN, epsilons=[[1.0, 8]]), 8, lambda genome: None)
    assert len(set(genomes(proposals))) == 8
    assert memory.table == {} and all(stage.told == 0 for stage in memory.stages)


def test_the_last_epsilon_stays_and_then_the_best_is_found() -> None:
    space = ChainLandscape(length=6, options=3, landscape_seed=1)
    agent = replace(PLAIN, space=space, epsilons=[[1.0, 40], [0.1, 40]], replays=50)
    means = [means for _, _, means in agent.figures(told(agent, 120, space.score)[1])["epsilon_told_mean_reward"]]
    assert means[1] > means[0] + 0.1
