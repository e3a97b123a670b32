"""Genomes from another strategy, the proposer, one at a time: for strategies that decide how far each is trained.

The proposer keeps its own steps. Its proposals are handed out singly, in its order; a step is told to it when each of
its candidates has come to an end, and steps are told in the order in which they were asked. A candidate's result is the
one at the highest fidelity that the candidate has reached: in full for those trained to the end, of fewer epochs for
those stopped before. Learning curves are not passed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Generic

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.protocols import Strategy
from evonas_cli.core.types import Evaluation, G, Json, Proposal


@dataclass(frozen=True, slots=True)
class Drawn(Generic[G]):
    """A proposal of the proposer; `serial` counts all of them from 0."""

    serial: int
    genome: G
    parents: tuple[int, ...]
    operator: str
    again: bool

    def proposal(self, fidelity: float) -> Proposal[G]:
        """The first training of the candidate."""
        return Proposal(self.genome, fidelity=fidelity, parents=self.parents, operator=self.operator, again=self.again)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[G]):
    """What is kept of an evaluation, until the proposer is told; `id` is that of the training."""

    id: int
    genome: G
    losses: tuple[float, ...] | None
    payload: Json
    metrics: dict[str, float]
    violation: float
    descriptor: tuple[float, ...]
    parents: tuple[int, ...]

    def evaluation(self) -> Evaluation[G]:
        """As the proposer is told it."""
        return Evaluation(
            self.id,
            self.genome,
            self.losses,
            self.payload,
            self.metrics,
            self.violation,
            descriptor=self.descriptor,
            parents=self.parents,
        )


def outcome(told: Evaluation[G]) -> Outcome[G]:
    """What of an evaluation the proposer may be told later."""
    descriptor, parents, metrics = tuple(told.descriptor), tuple(told.parents), dict(told.metrics)
    return Outcome(told.id, told.genome, told.losses, told.payload, metrics, told.violation, descriptor, parents)


@dataclass(frozen=True, slots=True)
class Supply(Generic[G]):
    """`stock` was asked of the proposer and not handed out; `steps` are the sizes of its steps that it was not told,
    the oldest first, which begin with the serial number `told`; `ended` says that it proposes nothing more.

    `outcomes` holds by serial number what has come to an end of these steps.
    """

    stock: tuple[Drawn[G], ...] = ()
    steps: tuple[int, ...] = ()
    asked: int = 0
    told: int = 0
    ended: bool = False
    outcomes: dict[int, Outcome[G]] = field(default_factory=dict)


def check_proposes(proposer: Strategy[Any, Any]) -> None:
    """Raises UsageError for a strategy that divides trainings itself."""
    demands, name = proposer.demands, type(proposer).__name__
    if demands.honoured or demands.jobs:
        raise UsageError(
            f"strategy.proposer {name} itself decides how candidates are trained; name a strategy that only proposes "
            "genomes, such as random or regularized_evolution"
        )


def check_proposer(proposer: Strategy[Any, Any]) -> None:
    """Raises UsageError for a strategy that divides trainings itself, or cannot be asked ahead."""
    check_proposes(proposer)
    demands, name = proposer.demands, type(proposer).__name__
    if demands.window is not None:
        raise UsageError(
            f"strategy.proposer {name} cannot be asked ahead of its results, as it would be here; "
            "name one such as random or regularized_evolution"
        )


def demanded(proposer: Strategy[Any, Any], own: Demands) -> Demands:
    """A strategy's own demands together with those of its proposer."""
    theirs = proposer.demands
    return replace(own, space=theirs.space, job=theirs.job, descriptor=theirs.descriptor)


def draw(
    proposer: Strategy[G, Any], inner: Any, supply: Supply[G], rng: Random
) -> tuple[Drawn[G] | None, Any, Supply[G]]:
    """The next genome, with the states after it; None where the proposer has ended."""
    if not supply.stock and not supply.ended:
        proposals, inner = proposer.ask(inner, rng)
        drawn = [
            Drawn(serial, one.genome, tuple(one.parents), one.operator, one.again)
            for serial, one in enumerate(proposals, supply.asked)
        ]
        if drawn:
            steps, asked = (*supply.steps, len(drawn)), supply.asked + len(drawn)
            supply = replace(supply, stock=tuple(drawn), steps=steps, asked=asked)
        else:
            supply = replace(supply, ended=True)
    if not supply.stock:
        return None, inner, supply
    return supply.stock[0], inner, replace(supply, stock=supply.stock[1:])


def settle(
    proposer: Strategy[G, Any], inner: Any, supply: Supply[G], ended: Mapping[int, Outcome[G]], rng: Random
) -> tuple[Any, Supply[G]]:
    """Takes what candidates came to, by serial number, and tells the proposer the steps that are complete by it."""
    outcomes, steps, told = {**supply.outcomes, **ended}, list(supply.steps), supply.told
    while steps and all(serial in outcomes for serial in range(told, told + steps[0])):
        batch = [outcomes.pop(serial).evaluation() for serial in range(told, told + steps[0])]
        inner = proposer.tell(inner, batch, rng)
        told += steps.pop(0)
    return inner, replace(supply, steps=tuple(steps), told=told, outcomes=outcomes)
