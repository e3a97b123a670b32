"""Environments for tests, registered with gymnasium: what was done and where an episode started shows in the return."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

FIRST = 5
"""The number of the first action."""


class Numbered(gymnasium.Env[Any, Any]):
    """Observations are (start, 10), where the start is drawn at reset. The reward is the start plus 1000 x the action.

    `scale` multiplies rewards.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.observation_space = Box(-np.inf, np.inf, (2,), np.float64)
        self.action_space = Discrete(3, start=FIRST)
        self._scale, self._start = scale, 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._start = float(self.np_random.random())
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        return self._observation(), self._scale * (self._start + 1000.0 * action), False, False, {}

    def _observation(self) -> Any:
        return np.array([self._start, 10.0])


class Pictures(Numbered):
    """Observations are images."""

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = Box(0, 255, (8, 8, 3), np.uint8)


def registered() -> None:
    """Makes gymnasium know them."""
    own = {"max_episode_steps": 4, "reward_threshold": 20000.0}
    gymnasium.register("Tests/Numbered-v0", Numbered, **own)  # type: ignore[arg-type]
    gymnasium.register("Tests/Endless-v0", Numbered, reward_threshold=0.0)
    gymnasium.register("Tests/Aimless-v0", Numbered, max_episode_steps=4)
    gymnasium.register("Tests/Infinite-v0", Numbered, kwargs={"scale": float("inf")}, **own)  # type: ignore[arg-type]
    gymnasium.register("Tests/Pictures-v0", Pictures, **own)  # type: ignore[arg-type]
