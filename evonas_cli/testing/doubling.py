"""Jobs that double numbers, and what else a number may make them do: what evaluators are tested with."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.evaluating import Context, Place
from evonas_cli.core.halting import NEVER, Halt, Halted
from evonas_cli.core.types import Candidate, Failure, Json, Metric, Proposal, Result, Training, Unit
from evonas_cli.network.plan import PlanError

EPOCH = 0.01
"""Seconds that an epoch of `Lasting` takes."""
RAISED: dict[int, Exception] = {
    3: ValueError("bad\nluck"),
    4: MemoryError("too large"),
    5: PlanError("a map smaller than its kernel"),
    7: FileNotFoundError(2, "No such file", "data.bin"),
    8: RuntimeError("CUDA error: device-side assert triggered"),
}
"""What `Raising` raises by number: the first three are a candidate's fault, the others the machine's."""


def candidate(id: int, number: int) -> Candidate[int]:
    """A candidate whose genome is the number."""
    return Candidate(id, id, 0, Proposal(number))


def alone(*candidates: Candidate[Any]) -> list[Unit[Any]]:
    """Each candidate as a unit of its own."""
    return [Unit((candidate,)) for candidate in candidates]


class Doubling:
    """Doubles numbers. -1 fails; -2 ends the process the first time, -3 each time; -4 takes a minute; -5: no disk."""

    needs: tuple[type, ...] = ()
    metrics = {"double": Metric("min")}

    def open(self, place: Place) -> Doubling:
        """The job itself."""
        return self

    def environment(self) -> dict[str, Json]:
        """A device that is none."""
        return {"device": "none"}

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """One result each."""
        for candidate in unit.candidates:
            number = candidate.proposal.genome
            folder = context.folder(candidate.id)
            assert folder is not None
            if number == -1:
                yield Result(candidate.id, "failed", {}, None, Failure("error", "a bad number"))
                continue
            if number == -2 and not (folder / "tried").exists():
                folder.mkdir(parents=True)
                (folder / "tried").touch()
                os._exit(9)
            if number == -3:
                os._exit(9)
            if number == -4:
                time.sleep(60)
            if number == -5:
                raise EnvironmentFailure("the disk is full")
            yield Result(candidate.id, "ok", {"double": 2.0 * number})


def placed(results: Iterator[Result], unit: Unit[Any]) -> Iterator[Result]:
    """The results with labels that say which place of which width each candidate had."""
    for result, place in zip(results, unit.places, strict=True):
        yield replace(result, labels={"stack": f"{place}/{unit.width}"})


class Pairing(Doubling):
    """Two neighbours at a time are one program."""

    def units(self, asked: Sequence[Candidate[Any]], environment: Mapping[str, Json]) -> list[Unit[Any]]:
        """Pairs, and what is left."""
        assert environment == {"device": "none"}
        pairs = [tuple(asked[start : start + 2]) for start in range(0, len(asked), 2)]
        return [Unit(pair, 2, tuple(range(len(pair)))) for pair in pairs]

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """As `Doubling`, with labels."""
        yield from placed(super().evaluate(unit, context), unit)


class Raising(Doubling):
    """Raises what belongs to the number; several candidates at once are tried in their order."""

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """One result each, up to the first that raises."""
        for each in unit.candidates:
            if each.proposal.genome in RAISED:
                raise RAISED[each.proposal.genome]
            yield Result(each.id, "ok", {"double": 2.0 * each.proposal.genome})

    def abreast(self, environment: Mapping[str, Json]) -> int:
        """Four."""
        return 4


class RaisingTogether(Raising):
    """Puts each whole ask into one program, which raises as a whole."""

    def units(self, asked: Sequence[Candidate[Any]], environment: Mapping[str, Json]) -> list[Unit[Any]]:
        """One unit."""
        return [Unit(tuple(asked), len(asked), tuple(range(len(asked))))]

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """All results, or none."""
        yield from placed(iter(list(super().evaluate(unit, context))), unit)


class Telling(Doubling):
    """Reports a hundred epochs of each candidate before the result."""

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """As `Doubling`."""
        for each in unit.candidates:
            for epoch in range(1, 101):
                context.report(Training((each.id,), epoch, 100, values={"train_loss": 1 / epoch}))
        yield from super().evaluate(unit, context)


class Lasting(Doubling):
    """Takes as many epochs of 10 ms as the number says, and stops between or within two when it is asked to.

    The epochs that are done stand in a file of the candidate, so that another evaluation goes on after them; the result
    says how many this one had.
    """

    def __init__(self) -> None:
        self.halt: Halt = NEVER

    def open(self, place: Place) -> Lasting:
        """A bench that heeds the place's halt."""
        bench = Lasting()
        bench.halt = place.halt
        return bench

    def work(self, unit: Unit[Any], environment: Mapping[str, Json]) -> float | None:
        """The numbers."""
        return float(sum(candidate.proposal.genome for candidate in unit.candidates))

    def epochs(self, unit: Unit[Any], environment: Mapping[str, Json]) -> int | None:
        """The numbers."""
        return sum(int(candidate.proposal.genome) for candidate in unit.candidates)

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """One result each."""
        for each in unit.candidates:
            folder = context.folder(each.id)
            assert folder is not None
            folder.mkdir(parents=True, exist_ok=True)
            began = self._done(folder)
            for epoch in range(began, each.proposal.genome):
                if self.halt.due(EPOCH):
                    raise Halted(seconds=EPOCH)
                time.sleep(EPOCH)
                if self.halt.overdue():
                    raise Halted(within=True)
                (folder / "epochs").write_text(str(epoch + 1))
            yield Result(each.id, "ok", {"double": 2.0 * each.proposal.genome, "epochs": each.proposal.genome - began})

    @staticmethod
    def _done(folder: Path) -> int:
        file = folder / "epochs"
        return int(file.read_text()) if file.exists() else 0


class Answering(Doubling):
    """Gives something else than one result for each."""

    def evaluate(self, unit: Unit[Any], context: Context) -> Any:
        """What is wrong depends on the number."""
        number = unit.candidates[0].proposal.genome
        fine = [Result(each.id, "ok", {"double": 0.0}) for each in unit.candidates]
        return {1: None, 2: [], 3: fine * 2, 4: [{"id": 0}], 5: [Result(99, "ok")]}[number]


class Dividing(Doubling):
    """Leaves candidates out when it divides an ask."""

    def units(self, asked: Sequence[Candidate[Any]], environment: Mapping[str, Json]) -> list[Unit[Any]]:
        """The first candidate alone."""
        return [Unit((asked[0],))]


class Late(Doubling):
    """Depends on nothing beside the configuration, and finds a wrong setting late."""

    def environment(self) -> dict[str, Json]:
        """Nothing."""
        return {}

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """Raises UsageError."""
        raise UsageError("job.path has no such row")
        yield
