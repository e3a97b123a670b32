"""MetaQNN: it learns a landscape as it explores less, and what it refuses."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Figures, Particular, Strategy
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Evaluation, Objective
from evonas_cli.genomes.walk import Program
from evonas_cli.spaces.chain_landscape import ChainLandscape
from evonas_cli.strategies.q_learning import QLearning

SPACE = ChainLandscape()
SCHEDULE = [[1.0, 60], *[[epsilon / 10, 6] for epsilon in range(9, 0, -1)]]


def strategy(space: Any = SPACE, **settings: Any) -> QLearning[Any]:
    return QLearning(space=space, **({"epsilons": SCHEDULE} | settings))


def rewards(of: QLearning[Any], asks: int, seed: int) -> tuple[list[float], Any]:
    """The fitness of each candidate, and the last state."""
    state, found = of.init(stream(seed, "init")), []
    for step in range(asks):
        [proposal], state = of.ask(state, stream(seed, "ask", step))
        found.append(of.space.score(proposal.genome))  # type: ignore[attr-defined]
        state = of.tell(state, [Evaluation(step, proposal.genome, (1 - found[-1],))], stream(seed, "tell", step))
    return found, state


def test_it_has_the_interface_and_needs_its_whole_schedule() -> None:
    of = strategy()
    assert isinstance(of, Strategy) and isinstance(of, Figures) and isinstance(of, Particular)
    assert of.least_evaluations == 60 + 9 * 6


def test_mean_reward_rises_as_epsilon_falls() -> None:
    of = strategy(ChainLandscape(length=6), learning_rate=0.2, replays=30)
    runs = [rewards(of, 140, seed) for seed in range(4)]
    assert fmean(fmean(found[-20:]) - fmean(found[:60]) for found, _ in runs) > 0.05
    stages = of.figures(runs[0][1])["epsilon_told_mean_reward"]
    assert isinstance(stages, list)
    assert [stage[1] for stage in stages] == [60, *[6] * 8, 32], "the last epsilon stays"
    assert stages[0][2] == pytest.approx(fmean(runs[0][0][:60]))


def test_the_reward_is_accuracy_and_a_failure_has_its_own() -> None:
    of = strategy(learning_rate=1.0, replays=1, failure_reward=0.25)
    for losses, expected in (((0.1,), 0.9), (None, 0.25)):
        [proposal], state = of.ask(of.init(stream(0, "init")), stream(0, "ask"))
        state = of.tell(state, [Evaluation(0, proposal.genome, losses)], stream(0, "tell"))
        assert list(state.walks.values()) == [pytest.approx(expected)]
        assert max(state.table[11, "decision_11", (proposal.genome[10],)], key=lambda v: abs(v - 0.5)) == pytest.approx(
            expected
        )


def test_negative_rewards_are_refused() -> None:
    of = strategy(reward="score")
    of.check_objectives([Objective("fitness", "max")])
    [proposal], state = of.ask(of.init(stream(0, "init")), stream(0, "ask"))
    with pytest.raises(UsageError, match="gives -0.5, and this strategy needs rewards of at least 0"):
        of.tell(state, [Evaluation(0, proposal.genome, (0.5,))], stream(0, "tell"))
    with pytest.raises(UsageError, match="does not fit the first objective, valid_loss"):
        strategy().check_objectives([Objective("valid_loss", "min")])


class Nothing:
    """A space without decisions."""

    kinds: dict[str, tuple[int, ...]] = {}

    def walk(self) -> Program[Any]:
        return ()
        yield


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"discount": 1.01}, r"strategy.discount must be a number in \(0, 1\]"),
        ({"learning_rate": 0.0}, "strategy.learning_rate"),
        ({"history": -1}, "strategy.history must be a whole number of at least 0"),
        ({"replays": 0}, "strategy.replays"),
        ({"attempts": -1}, "strategy.attempts"),
        ({"batch": 0}, "strategy.batch"),
        ({"initial": -0.1}, "strategy.initial"),
        ({"epsilons": [[0.5, 0]]}, r"strategy.epsilons=\[0.5, 0\] must have pairs"),
        ({"epsilons": [[0.5]]}, "must have pairs"),
        ({"epsilons": [0.5]}, "must have pairs"),
        ({"reward": "accuracy"}, "strategy.reward must be one of"),
        ({"space": Nothing()}, "the space leaves nothing to decide"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        strategy(**settings)
