"""Episodes in step are those of each policy by itself, and environments in which policies cannot act are refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from math import tanh
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neural_space import random_neurons

from evonas_cli.core.errors import UsageError
from evonas_cli.network.neurons import Neurons
from evonas_cli.training.control.episodes import apart, play
from evonas_cli.training.control.simulation import SERVING, Simulation

gymnasium = pytest.importorskip("gymnasium", reason="needs gymnasium: pip install 'evonas[control]'")

from environments_of_tests import FIRST, registered  # noqa: E402

POLE = Simulation(environment="CartPole-v1", episodes=3, steps=60, threshold=None, seed=7)
NUMBERED = replace(POLE, environment="Tests/Numbered-v0", steps=None)
IDLE = Neurons(2, 3, ("add",) * 3, (), ())
"""Three outputs that are 0."""
THIRD = Neurons(2, 3, ("add",) * 3, ((2, 5),), (1.0,))
"""The third output is 1."""
BROKEN = Neurons(2, 3, ("add", "add", "add"), ((1, 4), (1, 5)), (3e38, 1.0))
"""The second output is infinite."""
LOST = Neurons(2, 3, ("add",) * 4, ((1, 3), (1, 5), (3, 5)), (3e38, -3e38, 1.0))
"""The second output is infinity less infinity."""


@pytest.fixture(autouse=True, scope="module")
def environments() -> Iterator[None]:
    before = dict(gymnasium.registry)
    registered()
    yield
    gymnasium.registry.clear()
    gymnasium.registry.update(before)


def returns(policy: Neurons, simulation: Simulation = NUMBERED) -> tuple[float, ...]:
    [found] = play([policy], simulation, simulation.interface())
    return found.returns


def alone(weights: list[float], seed: int) -> tuple[float, int]:
    """One episode of a policy with a hidden tanh of all observations, which either action reads, in plain Python."""
    environment = gymnasium.make("CartPole-v1", max_episode_steps=60)
    observation, total, steps, over = environment.reset(seed=seed)[0], 0.0, 0, False
    while not over:
        hidden = tanh(sum(weight * float(x) for weight, x in zip(weights[:4], observation, strict=True)))
        observation, reward, terminated, truncated, _ = environment.step(int(weights[5] * hidden > weights[4] * hidden))
        total, steps, over = total + float(reward), steps + 1, terminated or truncated
    return total, steps


def test_episodes_are_those_of_a_plain_loop() -> None:
    rng, links = Random(1), ((0, 5), (1, 5), (2, 5), (3, 5), (5, 6), (5, 7))
    drawn = [[rng.gauss(0, 1) for _ in links] for _ in range(12)]
    policies = [Neurons(4, 2, ("tanh", "add", "add"), links, tuple(weights)) for weights in drawn]
    for weights, found in zip(drawn, play(policies, POLE, POLE.interface()), strict=True):
        expected = [alone(weights, POLE.start(number)) for number in range(3)]
        assert found.returns == tuple([total for total, _ in expected])
        assert found.steps == sum(steps for _, steps in expected) and found.stopped is None


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 5))
def test_company_changes_nothing(seed: int, count: int) -> None:
    rng, simulation = Random(seed), replace(POLE, steps=25)
    policies = [random_neurons(rng, 4, 2, rng.randrange(5), rng.randrange(3, 12), 2.0) for _ in range(count)]
    beside = play(policies, simulation, simulation.interface())
    reverse = play(policies[::-1], simulation, simulation.interface())[::-1]
    each = [play([policy], simulation, simulation.interface())[0] for policy in policies]
    assert beside == each == reverse


def test_inputs_are_each_policys_own() -> None:
    graphs = [random_neurons(Random(seed), 3, 2, 2, 9) for seed in range(3)]
    moved = apart(graphs)
    assert {graph.n_inputs for graph in moved} == {9}
    for place, (before, after) in enumerate(zip(graphs, moved, strict=True)):
        assert (before.functions, before.weights) == (after.functions, after.weights)
        read = {source - 3 * place for source, _ in after.links if source < 9}
        assert read == {source for source, _ in before.links if source < 3}
        assert [target - 6 for _, target in after.links] == [target for _, target in before.links]


def test_the_action_is_the_first_of_the_largest_outputs() -> None:
    starts = [total - 4000.0 * FIRST for total in returns(IDLE)]
    assert all(0 < start < 4 for start in starts)
    assert returns(THIRD) == pytest.approx([start + 4000.0 * (FIRST + 2) for start in starts])
    assert returns(BROKEN) == pytest.approx([start + 4000.0 * (FIRST + 1) for start in starts])


def test_starts_differ_by_episode_and_by_seed_and_nothing_else() -> None:
    first = returns(IDLE)
    assert len(set(first)) == 3 and first == returns(IDLE)
    assert returns(IDLE, replace(NUMBERED, episodes=2)) == first[:2]
    assert not set(returns(IDLE, replace(NUMBERED, seed=8))) & set(first)
    assert all(0 <= NUMBERED.start(number) < 2**31 for number in range(100))


def test_steps_end_an_episode() -> None:
    [short] = play([IDLE], replace(NUMBERED, steps=3), NUMBERED.interface())
    [long] = play([IDLE], replace(NUMBERED, steps=9), NUMBERED.interface())
    assert (short.steps, long.steps) == (9, 27)


def test_an_output_that_is_no_number_ends_a_policy_and_no_other() -> None:
    found = play([IDLE, LOST, IDLE], NUMBERED, NUMBERED.interface())
    assert found[1].stopped == "an output is no number at step 1 of episode 1" and found[1].steps == 0
    assert found[0] == found[2] and found[0].stopped is None and found[0].returns == returns(IDLE)


@pytest.mark.parametrize("name", SERVING)
def test_what_messages_recommend_serves(name: str) -> None:
    interface = replace(POLE, environment=name, steps=None).interface()
    assert interface.actions in (2, 3) and interface.first_action == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("CartPol-v1", "gymnasium has no such environment; did you mean CartPole-v1 or CartPole-v0"),
        ("sys:CartPole-v1", "gymnasium has no such environment; did you mean CartPole-v1"),
        ("xyz", "gymnasium has no such environment; CartPole-v1, Acrobot-v1 and MountainCar-v0 serve"),
        ("Pendulum-v1", r"has actions Box\(-2.0, 2.0, \(1,\), float32\), but job=control chooses one of several"),
        ("Taxi-v4", r"has observations Discrete\(500\), but job=control reads vectors; CartPole-v1"),
        ("Tests/Pictures-v0", r"has observations of shape \(8, 8, 3\), but job=control reads vectors"),
        ("Tests/Endless-v0", "has no limit of steps; pass job.steps=500"),
        ("Tests/Aimless-v0", "does not say when it is solved; pass job.threshold"),
    ],
)
def test_environments_that_do_not_serve_are_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=f"^job.environment={name}:? {message}") as caught:
        replace(NUMBERED, environment=name).interface()
    assert "\n" not in str(caught.value)


def test_what_an_environment_lacks_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*words: Any, **more: Any) -> None:
        raise ImportError("Box2D is not installed,\n  install it")

    monkeypatch.setattr(gymnasium, "make", fails)
    with pytest.raises(UsageError, match="=CartPole-v1 cannot be made: Box2D is not installed, install it$"):
        POLE.interface()


def test_settings_stand_in_for_what_an_environment_lacks() -> None:
    assert replace(NUMBERED, environment="Tests/Aimless-v0", threshold=-3).interface().threshold == -3
    assert replace(NUMBERED, environment="Tests/Endless-v0", steps=2).interface().threshold == 0


def test_without_gymnasium_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(UsageError, match=r"needs gymnasium, which is missing: pip install 'evonas\[control\]'$"):
        POLE.interface()
