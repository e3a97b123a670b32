"""Values of the answers of a walk in a table: one-step Q-learning (Watkins 1989) on decision programs, by trajectories.

    Q(s, a) <- (1 - alpha) Q(s, a) + alpha (r + gamma max over legal b of Q(s', b)),   r = 0 but at the end of a walk

The state of a decision is its place in the walk, its kind, and the last answers before it, `history` of them: finitely
many, shared by all walks that come there. An anchor's links are decided one after the other, each a decision between 0
and 1. A trajectory is updated from its last transition to its first, so that one update carries its reward to its
beginning (MetaQNN: Baker et al., ICLR 2017, section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from random import Random
from typing import Generic, TypeAlias

from evonas_cli.core.types import G
from evonas_cli.genomes.capabilities import Walkable
from evonas_cli.genomes.walk import Decision, Kinds, Trace, legal, replay, run

State: TypeAlias = tuple[int, str, tuple[int, ...]]
"""Place in the walk, kind of decision, last answers."""

Table: TypeAlias = dict[State, tuple[float, ...]]
"""The value of each option of a state; a state that is not there has the initial value everywhere."""

KEPT = 1024
"""Trajectories that are kept beside their traces, since replays meet them again."""


@dataclass(frozen=True, slots=True)
class Step:
    """One transition of a walk: the answer in a state that has so many options, of which some were legal."""

    state: State
    answer: int
    options: int
    legal: Sequence[int]


@dataclass(slots=True)
class _Path:
    """Where a walk is."""

    history: int
    place: int = 0
    answers: tuple[int, ...] = ()

    def state(self, kind: str) -> State:
        return (self.place, kind, self.answers)

    def go_on(self, answer: int) -> None:
        self.place += 1
        self.answers = (*self.answers, answer)[-self.history :] if self.history else ()


@dataclass(frozen=True, kw_only=True)
class Learner(Generic[G]):
    """Settings of the table: `initial` is the value of what was never visited."""

    space: Walkable[G]
    history: int = 1
    learning_rate: float = 0.01
    discount: float = 1.0
    initial: float = 0.5

    def walk(self, table: Mapping[State, Sequence[float]], epsilon: float, rng: Random) -> tuple[G, Trace]:
        """A genome and its trace: each answer is uniform with probability epsilon, else one of the best."""
        path, kinds = _Path(self.history), self.space.kinds

        def answer(kind: str, allowed: Sequence[int]) -> int:
            if rng.random() >= epsilon and (values := table.get(path.state(kind))) is not None:
                best = max(values[option] for option in allowed)
                allowed = [option for option in allowed if values[option] == best]
            chosen = rng.choice(allowed)
            path.go_on(chosen)
            return chosen

        def pick(decision: Decision) -> int:
            if decision.links is None:
                return answer(decision.kind, legal(decision, kinds))
            return sum(answer(decision.kind, (0, 1)) << link for link in range(decision.links))

        return run(self.space.walk(), pick)

    def update(self, table: Table, trace: Trace, reward: float) -> None:
        """One walk teaches the table, last transition first."""
        target = reward
        for step in reversed(self._trajectory(trace)):
            values = table.get(step.state) or (self.initial,) * step.options
            value = (1 - self.learning_rate) * values[step.answer] + self.learning_rate * target
            table[step.state] = values = (*values[: step.answer], value, *values[step.answer + 1 :])
            target = self.discount * max(values[option] for option in step.legal)

    def trajectory(self, trace: Trace) -> tuple[Step, ...]:
        """The transitions of a walk. Raises ValueError for a trace that is no walk of the space."""
        kinds, path = self.space.kinds, _Path(self.history)
        steps = []
        for decision, given in zip(replay(self.space.walk(), trace, kinds)[1], trace, strict=True):
            for answer, options, allowed in _answers(decision, given, kinds):
                steps.append(Step(path.state(decision.kind), answer, options, allowed))
                path.go_on(answer)
        return tuple(steps)

    @cached_property
    def _trajectory(self) -> Callable[[Trace], tuple[Step, ...]]:
        return lru_cache(KEPT)(self.trajectory)


def _answers(decision: Decision, given: int, kinds: Kinds) -> Iterator[tuple[int, int, Sequence[int]]]:
    """An answer as answers of a table: itself, or one for each link; the number of options; those that are legal."""
    if decision.links is None:
        yield given, len(kinds[decision.kind]), legal(decision, kinds)
    else:
        for link in range(decision.links):
            yield given >> link & 1, 2, (0, 1)
