"""What a policy sees and does in its episodes, step by step: what an exported form of it has to answer alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evonas_cli.network.neurons import Neurons
from evonas_cli.training.control.episodes import play
from evonas_cli.training.control.simulation import Simulation

if TYPE_CHECKING:
    import gymnasium


class _Recorder:
    """An environment that appends each observation, and the action that followed, to `steps`."""

    def __init__(self, environment: gymnasium.Env[Any, Any], steps: list[tuple[Any, int]]) -> None:
        self._environment, self._steps, self._seen = environment, steps, np.zeros(0, np.float32)

    def reset(self, seed: int) -> tuple[Any, Any]:
        """As the environment's."""
        found = self._environment.reset(seed=seed)
        self._seen = np.array(found[0], np.float32)
        return found

    def step(self, action: int) -> tuple[Any, Any, bool, bool, Any]:
        """As the environment's."""
        self._steps.append((self._seen, action))
        found = self._environment.step(action)
        self._seen = np.array(found[0], np.float32)
        return found

    def close(self) -> None:
        """As the environment's."""
        self._environment.close()


@dataclass(frozen=True, kw_only=True)
class _Recorded(Simulation):
    steps_seen: list[tuple[Any, int]]

    def made(self) -> Any:
        return _Recorder(super().made(), self.steps_seen)


def answered(policy: Neurons, simulation: Simulation) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """As `network.deployment.Acting.answered`, in the episodes that the policy was evaluated in."""
    interface = simulation.interface()
    seen: list[tuple[Any, int]] = []
    given = {field.name: getattr(simulation, field.name) for field in fields(Simulation)}
    play([policy], _Recorded(**given, steps_seen=seen), interface)
    return _stacked(seen, interface.first_action)


def _stacked(steps: Sequence[tuple[Any, int]], first: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    return np.stack([seen for seen, _ in steps]), np.array([action - first for _, action in steps], np.int64)
