"""The environments of gymnasium (Towers et al., 2024) in which policies of neurons can act, without torch.

A policy reads a vector and chooses one of several actions: observations are a `Box` of one dimension, actions are
`Discrete`. An episode begins with a seed of its own, so that all policies see the same starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from types import ModuleType
from typing import TYPE_CHECKING, Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import derive
from evonas_cli.network.task import Task

if TYPE_CHECKING:
    import gymnasium

SERVING = ("CartPole-v1", "Acrobot-v1", "MountainCar-v0")
"""Environments that need gymnasium alone, for messages."""
_SERVE = f"{', '.join(SERVING[:-1])} and {SERVING[-1]} serve"


@dataclass(frozen=True, slots=True)
class Interface:
    """What a policy reads and chooses: `observations` numbers, and one of `actions`, numbered from `first_action`.

    An episode is solved whose return is at least `threshold`.
    """

    observations: int
    actions: int
    first_action: int
    threshold: float

    @property
    def task(self) -> Task:
        """A number for each action, from a vector."""
        return Task((self.observations,), self.actions, "numbers")


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """Episodes in the environment with this id.

    `steps` end an episode; None stands for the environment's own limit. `threshold` is the return from which an episode
    is solved; None stands for the environment's own. Raises UsageError for values out of range.
    """

    environment: str
    episodes: int
    steps: int | None
    threshold: float | None
    seed: int

    def __post_init__(self) -> None:
        for key, count in (("episodes", self.episodes), ("steps", self.steps)):
            optional = key == "steps"
            if not (optional and count is None) and (type(count) is not int or count < 1):
                rule = f"an integer of at least 1{', or null' if optional else ''}"
                raise UsageError(f"job.{key} is {count!r}; it must be {rule}")
        given = self.threshold
        if given is not None and (type(given) not in (int, float) or not isfinite(given)):
            raise UsageError(f"job.threshold is {given!r}; it must be a number, or null")

    def start(self, episode: int) -> int:
        """The seed of the environment at the start of an episode, below 2^31: a function of the run's seed."""
        return derive(self.seed, "episode", episode) >> 33

    def made(self) -> gymnasium.Env[Any, Any]:
        """A fresh environment, which ends episodes by itself."""
        found: gymnasium.Env[Any, Any] = _gymnasium().make(
            self.environment, max_episode_steps=self.steps, disable_env_checker=True
        )
        return found

    def interface(self) -> Interface:
        """What the environment asks of a policy.

        Raises UsageError where gymnasium or what the environment needs is not installed, for an id that gymnasium does
        not know, and for an environment in which these policies cannot act, whose episodes do not end, or that has no
        threshold where none is given.
        """
        found = _gymnasium()
        if self.environment not in found.registry:
            close = get_close_matches(self.environment, list(found.registry), 3, 0.5)
            hint = f"did you mean {' or '.join(close)}?" if close else f"{_SERVE}"
            raise UsageError(f"job.environment={self.environment}: gymnasium has no such environment; {hint}")
        try:
            environment = self.made()
        except Exception as error:  # whatever the environment needs and has not, its own words say best
            reason = " ".join(f"{error}".split())
            raise UsageError(f"job.environment={self.environment} cannot be made: {reason}") from error
        try:
            return self._interface(environment, found)
        finally:
            environment.close()

    def _interface(self, environment: gymnasium.Env[Any, Any], found: ModuleType) -> Interface:
        name, spec = f"job.environment={self.environment}", environment.spec
        seen, acts = environment.observation_space, environment.action_space
        if not isinstance(seen, found.spaces.Box) or len(seen.shape) != 1:
            shown = f"of shape {seen.shape}" if isinstance(seen, found.spaces.Box) else f"{seen}"
            raise UsageError(f"{name} has observations {shown}, but job=control reads vectors; {_SERVE}")
        if not isinstance(acts, found.spaces.Discrete):
            raise UsageError(f"{name} has actions {acts}, but job=control chooses one of several (Discrete); {_SERVE}")
        if spec is None or spec.max_episode_steps is None:
            raise UsageError(f"{name} has no limit of steps; pass job.steps=500 or another one")
        threshold = spec.reward_threshold if self.threshold is None else self.threshold
        if threshold is None:
            raise UsageError(f"{name} does not say when it is solved; pass job.threshold, a least return")
        return Interface(seen.shape[0], int(acts.n), int(acts.start), float(threshold))

    def recorded(self) -> Mapping[str, str]:
        """What results depend on beside settings: the version of gymnasium."""
        return {"gymnasium": _gymnasium().__version__}


def _gymnasium() -> ModuleType:
    try:
        import gymnasium
    except ImportError as error:
        raise UsageError("job=control needs gymnasium, which is missing: pip install 'evonas[control]'") from error
    return gymnasium
