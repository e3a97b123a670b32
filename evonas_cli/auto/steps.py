"""The steps of an auto, each an ordinary run below its folder, within a budget of time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any

from evonas_cli.auto import runs
from evonas_cli.auto.shares import (
    FINALS,
    NAIVE,
    PATIENCE,
    SEARCH,
    SHARES,
    TUNE_EVOLVED,
    TUNE_NAIVE,
    available,
    largest_network,
    most_training,
    seconds_for,
    seeds_for,
)
from evonas_cli.auto.state import State
from evonas_cli.auto.table import Line
from evonas_cli.config.compose import Composed
from evonas_cli.core.errors import RunError
from evonas_cli.core.gate import violated
from evonas_cli.core.types import Json
from evonas_cli.report.reading import Reading, read_run
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.identity import check_identity
from evonas_cli.run.session import Session, create, reopen
from evonas_cli.run.stored import stored_config
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.recorder import Watch

Opens = Callable[[Watch], Session]
Carry = Callable[[str, Parts, Opens], None]
"""What works a step's session off: its name, the parts of its run, and what opens the session."""
GRACE = 0.05
"""Share of the budget by which the last step may be late before it is cut."""
NAMES = ("naive", "naive, tuned", "evolved", "evolved and tuned")


class NothingEnded(RunError):
    """A step in which no training has succeeded, so that later ones have nothing to begin with."""

    exit_code = 1


@dataclass(frozen=True, eq=False)
class Chosen:
    """A candidate of a step's run; each is equal to itself alone."""

    reading: Reading
    entry: Mapping[str, Any]

    @property
    def id(self) -> int:
        """Its id in the run."""
        return int(self.entry["id"])

    @property
    def seconds(self) -> float:
        """What its training took."""
        return float(self.entry["metrics"]["train_seconds"])


@dataclass(frozen=True)
class Worked:
    """What all steps have left: a line for each of `NAMES`, the run of each line's final trainings, and the names of
    the networks for which tuning has found no better settings."""

    lines: tuple[Line, ...]
    finals: tuple[Reading, ...]
    kept: tuple[str, ...]


class Steps:
    """Works an auto's steps off, or what is left of them; `began` is when the command did (`time.monotonic`)."""

    def __init__(self, state: State, carry: Carry, command: Sequence[str], began: float) -> None:
        self._state, self._carry, self._command, self._mark = state, carry, command, began

    def work(self) -> Worked:
        """All steps in their order. Raises NothingEnded, and as runs do."""
        plan = self._state.plan
        naive = self._best(self._step(NAIVE, lambda seconds: runs.naive(plan.common, plan.metric)))
        most = self._most_training(naive)
        search = self._step(SEARCH, lambda seconds: self._searching(naive, seconds, most))
        evolved = self._best(search, most)
        readings = [
            self._tuning(TUNE_NAIVE, runs.Frozen(None, {}), naive.seconds),
            self._tuning(TUNE_EVOLVED, runs.frozen(search, evolved.id), evolved.seconds),
        ]
        untuned = [naive, evolved]
        tuned = [
            min([before, *self._timely(reading, most)], key=self._rank)
            for before, reading in zip(untuned, readings, strict=True)
        ]
        chosen = [naive, tuned[0], evolved, tuned[1]]
        finals = self._finals(chosen)
        counts = [1, len(readings[0].journal), len(search.journal), len(search.journal) + len(readings[1].journal)]
        kept = [name for name, one, other in zip(NAMES[::2], untuned, tuned, strict=True) if one is other]
        return Worked(tuple(map(self._line, NAMES, chosen, finals, counts)), tuple(finals), tuple(kept))

    def _searching(self, naive: Chosen, seconds: float, most: float) -> Composed:
        """The run of the search, which trains nothing that is too large for its time."""
        plan = self._state.plan
        arithmetic = naive.entry["metrics"].get("multiply_adds")
        times = largest_network(seconds * plan.slots, naive.seconds, most / plan.growth)
        limit = None if times is None or arithmetic is None else times * arithmetic
        return runs.searching(plan.common, plan.search, seconds, limit)

    def _finals(self, chosen: Sequence[Chosen]) -> list[Reading]:
        """The final trainings of each line; a network that keeps its own settings is trained for both of its lines."""
        seeds = self._seeds([one for place, one in enumerate(chosen) if one not in chosen[:place]])
        found: list[Reading] = []
        for place, (step, one) in enumerate(zip(FINALS, chosen, strict=True)):
            before = chosen.index(one)
            if before < place:
                found.append(found[before])
                continue
            source: dict[str, Json] = {"run": str(one.reading.run.root.absolute()), "ids": [one.id]}
            make = partial(self._final, one, seeds)
            found.append(self._step(step, make, source))
        return found

    def _final(self, one: Chosen, seeds: int, seconds: float) -> Composed:
        """The run of a network's final trainings, which is cut where the budget and its grace end, and PATIENCE with a
        single training does."""
        least = PATIENCE * self._state.plan.growth * one.seconds
        return runs.final(one.reading, one.id, seeds, max(least, self._most()))

    def _tuning(self, step: str, network: runs.Frozen, training: float) -> Reading:
        """Both networks are tuned for the seconds that the first one was given."""
        plan, first = self._state.plan, RunDirectory(self._state.root / TUNE_NAIVE)

        def made(seconds: float) -> Composed:
            given = seconds if step == TUNE_NAIVE else float(stored_config(first)["budget"]["seconds"])
            return runs.tuning(plan.common, plan.metric, network, given, given * plan.slots / max(training, 1e-9))

        return self._step(step, made)

    def _step(self, step: str, make: Callable[[float], Composed], source: Mapping[str, Json] | None = None) -> Reading:
        """The step's run, begun, gone on with, or as it is when it has ended."""
        state, run = self._state, RunDirectory(self._state.root / step)
        if step not in state.spent:
            before, began = run.elapsed() if run.exists() else 0.0, time.monotonic()
            if not run.exists():
                composed = make(seconds_for(step, self._left(), state.start) if step != NAIVE else 0.0)
                parts = assemble(composed.config)
                self._carry(
                    step, parts, lambda watch: create(run, parts, composed.choices, watch, self._command, source)
                )
            elif run.state() not in ("done", "failed"):
                config = stored_config(run)
                check_identity(run, config)
                again = assemble(config)
                self._carry(step, again, lambda watch: reopen(run, again, watch, self._command))
            now = time.monotonic()
            if step == NAIVE and not before:
                state.start = max(0.0, now - began - run.elapsed())
            state.spent[step] = before + now - self._mark
            self._mark = now
            state.write()
        return read_run(str(run.root), state.root, ())

    def _left(self) -> float:
        """Seconds of the budget that no step has used."""
        state = self._state
        return available(state.request.budget, state.plan.export) - state.used - (time.monotonic() - self._mark)

    def _most(self) -> float:
        """Seconds after which a final run is cut, the budget's grace included."""
        state = self._state
        left = [name for name in FINALS if name not in state.spent]
        return max(1.0, self._left() + GRACE * state.request.budget - state.start * len(left))

    def _best(self, reading: Reading, most: float = inf) -> Chosen:
        """The best candidate whose final training takes at most `most` seconds; the fastest where none is so fast.

        Raises NothingEnded.
        """
        found, timely = self._succeeded(reading), self._timely(reading, most)
        if not found:
            root = reading.run.root
            raise NothingEnded(
                f"{root}: no training has succeeded, so nothing can follow; `evonas show {root} --all` says why, and a "
                "larger --budget or fewer trainer.epochs give trainings more time"
            )
        return min(timely, key=self._rank) if timely else min(found, key=lambda one: (one.seconds, one.id))

    def _timely(self, reading: Reading, most: float) -> list[Chosen]:
        """The candidates whose final training takes at most `most` seconds."""
        return [one for one in self._succeeded(reading) if self._state.plan.growth * one.seconds <= most]

    def _succeeded(self, reading: Reading) -> list[Chosen]:
        """The candidates with a full training that keep to the run's constraints."""
        return [
            Chosen(reading, entry)
            for entry in reading.journal
            if entry["status"] == "ok"
            and not entry.get("job")
            and entry.get("fidelity", 1.0) == 1.0
            and not violated(entry["metrics"], reading.parts.constraints)
        ]

    def _rank(self, one: Chosen) -> tuple[float, float, int]:
        """Less is better: the metric as a loss, then the loss on the validation part, then the id."""
        metric, metrics = self._state.plan.metric, one.entry["metrics"]
        sign = -1.0 if one.reading.parts.metrics[metric].direction == "max" else 1.0
        return sign * metrics[metric], metrics["valid_loss"], one.id

    def _most_training(self, naive: Chosen) -> float:
        """Seconds that a final training of a found network may take, the same whenever it is asked for."""
        state = self._state
        left = available(state.request.budget, state.plan.export) - state.spent[NAIVE] - len(SHARES) * state.start
        return most_training(left, state.plan.growth * naive.seconds)

    def _seeds(self, chosen: Sequence[Chosen]) -> int:
        """How often each network is trained, by what trainings of it have taken; decided once."""
        state = self._state
        if state.seeds is None:
            trainings = [state.plan.growth * one.seconds for one in chosen]
            state.seeds = seeds_for(self._left(), trainings, state.start, state.plan.slots)
            state.write()
        return state.seeds

    def _line(self, name: str, chosen: Chosen, final: Reading, trainings: int) -> Line:
        metric = self._state.plan.metric
        tested = metric.replace("valid", "test", 1)
        ended = [entry for entry in final.journal if entry["status"] == "ok"]
        return Line(
            name,
            metric,
            reading_direction(final, tested),
            float(chosen.entry["metrics"][metric]),
            tuple(float(entry["metrics"][tested]) for entry in ended),
            int(self._state.seeds or 1),
            int(chosen.entry["metrics"]["parameters"]),
            trainings,
            float(final.run.elapsed()),
        )


def reading_direction(reading: Reading, metric: str) -> str:
    """min or max."""
    return str(reading.parts.job.metrics[metric].direction)
