"""The agent of MetaQNN (Baker et al., ICLR 2017): epsilon-greedy walks, unique models, replays of what is known.

    a walk is drawn with the epsilon of its stage; its model is trained; (walk, reward) goes into the memory;
    then `replays` walks are drawn from the memory, with replacement, and each teaches the table.

A walk that is in the memory is not proposed: replays follow, as if it had been told again, and another walk is drawn.
Only after `attempts` such walks is a known one proposed. A walk that is still in flight is drawn anew without a replay.
Stages therefore count unique models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from random import Random
from typing import Generic

from evonas_cli.core import checks
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import G, Json, Proposal
from evonas_cli.genomes.capabilities import Walkable
from evonas_cli.genomes.walk import Trace
from evonas_cli.walks.table import Learner, State, Table


@dataclass(frozen=True, slots=True)
class Flight:
    """A walk that is not told yet, and the stage of the schedule in which it was drawn."""

    trace: Trace
    stage: int


@dataclass(frozen=True, slots=True)
class Stage:
    """Candidates told of one stage that have a reward, and the sum of their rewards."""

    told: int = 0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    """What the agent knows.

    `walks` has the reward of each walk told, None for one that teaches nothing. `flights` are the walks in flight,
    oldest first; `repeated` counts walks that were drawn again and not proposed.
    """

    table: dict[State, tuple[float, ...]]
    walks: dict[Trace, float | None]
    stages: tuple[Stage, ...]
    asked: int = 0
    flights: tuple[Flight, ...] = ()
    repeated: int = 0


@dataclass(frozen=True, kw_only=True)
class Agent(Generic[G]):
    """Settings of the agent; `epsilons` lists [epsilon, models], the last epsilon stays."""

    space: Walkable[G]
    epsilons: Sequence[Sequence[float]]
    history: int
    learning_rate: float
    discount: float
    initial: float
    replays: int
    attempts: int
    batch: int

    def check_settings(self) -> None:
        """Raises UsageError for settings out of range, or a space with nothing to decide."""
        _check_schedule(self.epsilons)
        for key, least in (("history", 0), ("replays", 1), ("attempts", 0), ("batch", 1)):
            checks.whole(key, getattr(self, key), least=least)
        checks.within("learning_rate", self.learning_rate, interval="(0, 1]")
        checks.within("discount", self.discount, interval="(0, 1]")
        checks.within("initial", self.initial, interval="[0, inf]")
        if isinstance(self.space, Walkable):  # if it is not, the check of the demands says so
            try:
                next(self.space.walk())
            except StopIteration:
                raise UsageError("strategy: the space leaves nothing to decide; give it more than one option") from None

    @property
    def scheduled(self) -> int:
        """Models of all stages together."""
        return sum(int(models) for _, models in self.epsilons)

    @cached_property
    def learner(self) -> Learner[G]:
        """The rules of the table."""
        return Learner(
            space=self.space,
            history=self.history,
            learning_rate=self.learning_rate,
            discount=self.discount,
            initial=self.initial,
        )

    def init(self) -> Memory:
        """An empty table."""
        return Memory({}, {}, (Stage(),) * len(self.epsilons))

    def ask(self, memory: Memory, rng: Random) -> tuple[list[Proposal[G]], Memory]:
        """`batch` walks, unknown ones as far as `attempts` draws find them."""
        proposals = []
        for _ in range(self.batch):
            proposal, memory = self._one(memory, rng)
            proposals.append(proposal)
        return proposals, memory

    def tell(self, memory: Memory, rewards: Sequence[float | None], rng: Random) -> Memory:
        """The rewards of the oldest walks in flight; each is followed by replays."""
        for reward in rewards:
            flight, *flights = memory.flights
            memory = self._met(replace(memory, flights=tuple(flights)), flight, reward)
            memory = replace(memory, table=self.replayed(memory.table, memory.walks, rng))
        return memory

    def replayed(self, table: Table, walks: Mapping[Trace, float | None], rng: Random) -> Table:
        """The table after `replays` walks of those known, drawn with replacement."""
        known = [(trace, reward) for trace, reward in walks.items() if reward is not None]
        after = dict(table)
        for trace, reward in rng.choices(known, k=self.replays) if known else ():
            self.learner.update(after, trace, reward)
        return after

    def figures(self, memory: Memory) -> dict[str, Json]:
        """Epsilon of the next walk, mean reward of each stage told, and the sizes of table and memory."""
        means = [
            [epsilon, stage.told, stage.total / stage.told]
            for (epsilon, _), stage in zip(self.epsilons, memory.stages, strict=True)
            if stage.told
        ]
        return {
            "epsilon": self.epsilons[self._stage(memory.asked)][0],
            "epsilon_told_mean_reward": means,
            "states": len(memory.table),
            "values": sum(map(len, memory.table.values())),
            "unique_models": len(memory.walks),
            "repeated": memory.repeated,
        }

    def _one(self, memory: Memory, rng: Random) -> tuple[Proposal[G], Memory]:
        stage = self._stage(memory.asked)
        epsilon, repeated, table = self.epsilons[stage][0], memory.repeated, memory.table
        flying = {flight.trace for flight in memory.flights}
        genome, trace = self.learner.walk(table, epsilon, rng)
        for _ in range(self.attempts):
            if trace not in memory.walks and trace not in flying:
                break
            repeated += 1
            if trace in memory.walks:
                table = self.replayed(table, memory.walks, rng)
            genome, trace = self.learner.walk(table, epsilon, rng)
        after = replace(
            memory,
            table=table,
            asked=memory.asked + 1,
            flights=(*memory.flights, Flight(trace, stage)),
            repeated=repeated,
        )
        operator = "repeat" if trace in memory.walks or trace in flying else "walk"
        return Proposal(genome, operator=operator), after

    def _met(self, memory: Memory, flight: Flight, reward: float | None) -> Memory:
        walks = {**memory.walks, flight.trace: reward}
        if reward is None:
            return replace(memory, walks=walks)
        before, stages = memory.stages[flight.stage], list(memory.stages)
        stages[flight.stage] = Stage(before.told + 1, before.total + reward)
        return replace(memory, walks=walks, stages=tuple(stages))

    def _stage(self, asked: int) -> int:
        ends = accumulate(models for _, models in self.epsilons)
        return next((stage for stage, end in enumerate(ends) if asked < end), len(self.epsilons) - 1)


def _check_schedule(value: object) -> None:
    """Raises UsageError unless every pair is an epsilon and a number of models."""
    checks.require(isinstance(value, Sequence) and len(value) > 0, "epsilons", value, "must be a list of stages")
    assert isinstance(value, Sequence)
    for pair in value:
        good = isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2
        numbers = good and all(type(number) in (int, float) for number in pair)
        good = numbers and 0 <= pair[0] <= 1 and pair[1] >= 1 and pair[1] == int(pair[1])
        rule = "must have pairs of an epsilon in [0, 1] and a whole number of models"
        checks.require(good, "epsilons", list(pair) if isinstance(pair, tuple) else pair, rule)
