"""Episodes of many policies in step: one program computes the outputs of all of them, for all of their episodes.

A policy takes the action whose output is the largest, of equal ones the first. The columns of the program's tables are
episodes. Observations of two policies differ, so each policy gets rows of inputs of its own (`apart`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from evonas_cli.network.neurons import Neurons
from evonas_cli.nn.neurons.order import order
from evonas_cli.nn.neurons.program import Program
from evonas_cli.nn.neurons.tables import filled
from evonas_cli.training.control.simulation import Interface, Simulation

if TYPE_CHECKING:
    import gymnasium


@dataclass(frozen=True)
class Played:
    """Of one policy: the sum of rewards of each episode, and the steps of all episodes together.

    `end` is the mean of the episodes' last observations, `seen` the mean of the observations after all their steps,
    (observations,) both.
    `stopped` is None, or says at which observation an output was no number, which ends the policy's episodes.
    """

    returns: tuple[float, ...]
    steps: int
    end: tuple[float, ...]
    seen: tuple[float, ...]
    stopped: str | None


class _Episode:
    """One episode of a policy. `seen` is the policy's column of observations, (observations,), and changes in place."""

    def __init__(self, environment: gymnasium.Env[Any, Any], seed: int, member: int, number: int, seen: NDArray[Any]):
        self.member, self.number, self.total, self.steps = member, number, 0.0, 0
        self._environment, self._seen = environment, seen
        self._seen[:] = environment.reset(seed=seed)[0]
        self.sum = np.zeros(len(seen))

    def step(self, action: int) -> bool:
        """Takes the action. Whether the episode goes on."""
        observation, reward, terminated, truncated, _ = self._environment.step(action)
        self.total += float(reward)
        self.steps += 1
        self._seen[:] = observation
        self.sum += self._seen
        return not (terminated or truncated)

    @property
    def last(self) -> NDArray[Any]:
        """The last observation, (observations,)."""
        return self._seen.astype(np.float64)

    def close(self) -> None:
        """Lets go of the environment."""
        self._environment.close()


def play(policies: Sequence[Neurons], simulation: Simulation, interface: Interface) -> list[Played]:
    """All episodes of all policies, on the CPU. Raises what the environment raises."""
    width = filled(simulation.episodes)
    program = Program(order(apart(policies)), width, torch.device("cpu"), gradients=False)
    weights = torch.tensor([weight for policy in policies for weight in policy.weights], dtype=torch.float32)
    seen = np.zeros((len(policies), interface.observations, width), dtype=np.float32)
    rows = torch.from_numpy(seen).view(-1, width)
    episodes: list[_Episode] = []
    stopped: dict[int, str] = {}
    try:
        for member in range(len(policies)):
            for number in range(simulation.episodes):
                column = seen[member, :, number]
                seed = simulation.start(number)
                episodes.append(_Episode(simulation.made(), seed, member, number, column))
        running = episodes
        while running:
            outputs = program.forward(rows, weights).view(len(policies), interface.actions, width).numpy()
            for one in running:
                if np.isnan(outputs[one.member, :, one.number]).any():
                    where = f"at step {one.steps + 1} of episode {one.number + 1}"
                    stopped.setdefault(one.member, f"an output is no number {where}")
            actions = (outputs.argmax(1) + interface.first_action).tolist()
            sound = [one for one in running if one.member not in stopped]
            running = [one for one in sound if one.step(actions[one.member][one.number])]
    finally:
        for one in episodes:
            one.close()
    return [_played(episodes, member, stopped.get(member)) for member in range(len(policies))]


def apart(policies: Sequence[Neurons]) -> list[Neurons]:
    """The same graphs among the inputs of all: those of the policy m of F inputs are m F to m F + F - 1."""
    return [_moved(policy, place, len(policies)) for place, policy in enumerate(policies)]


def _moved(policy: Neurons, place: int, count: int) -> Neurons:
    own, every = policy.n_inputs, policy.n_inputs * count
    behind = every - own
    links = [(source + (place * own if source < own else behind), target + behind) for source, target in policy.links]
    return replace(policy, n_inputs=every, links=tuple(links))


def _played(episodes: Sequence[_Episode], member: int, stopped: str | None) -> Played:
    own = [one for one in episodes if one.member == member]
    steps = sum(one.steps for one in own)
    end, seen = np.mean([one.last for one in own], axis=0), np.sum([one.sum for one in own], axis=0) / max(1, steps)
    return Played(tuple([one.total for one in own]), steps, tuple(end.tolist()), tuple(seen.tolist()), stopped)
