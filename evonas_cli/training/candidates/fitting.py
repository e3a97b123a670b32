"""The training of built candidates as one program: members, stacked networks, the loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from evonas_cli.core.evaluating import Context
from evonas_cli.core.halting import Halt
from evonas_cli.core.types import Unit
from evonas_cli.data.resident import Resident
from evonas_cli.network.signature import Signature
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.candidates.attempt import fitted
from evonas_cli.training.candidates.built import Built
from evonas_cli.training.exercise import Outcome, Pause
from evonas_cli.training.feed_forward import FeedForward
from evonas_cli.training.loop import Member
from evonas_cli.training.reporter import Reporter


@dataclass(frozen=True)
class Conditions:
    """What all trainings of a bench have in common: what data mean to networks, the run's seed, the place's halt."""

    signature: Signature
    seed: int
    halt: Halt


def program(
    pause: Pause,
    conditions: Conditions,
    built: Sequence[Built],
    unit: Unit[Any],
    context: Context,
    data: Resident,
    fold: int | None = None,
) -> tuple[list[Outcome], list[Member]]:
    """An outcome and what its training has left for each candidate of the unit, trained on `data`.

    Places of the unit that stay empty are taken by copies of the first network. `fold` as for `checkpoint_of`.
    """
    members = [
        found.member(place, conditions.seed, context, conditions.signature, data, fold)
        for found, place in zip(built, unit.places, strict=True)
    ]
    if unit.width > 1:
        for found, place in zip(built, unit.places, strict=True):
            found.labels["stack"] = f"{place}/{unit.width}"
    networks = {place: found.network for found, place in zip(built, unit.places, strict=True)}
    first = networks[unit.places[0]]
    population = Population([networks.get(place, first) for place in range(unit.width)])
    del networks, first
    trainers = {member.place: member.trainer for member in members}
    make = partial(
        FeedForward, population, trainers, data, conditions.seed, pause, halt=conditions.halt, parts=built[0].parts
    )
    reporter = Reporter([found.candidate.id for found in built], context.report)
    outcomes = fitted(make, members, reporter, conditions.halt)
    for found, member in zip(built, members, strict=True):
        found.note(member)
    return outcomes, members
