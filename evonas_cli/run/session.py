"""A running search on disk: creates or opens its directory, starts its evaluator, checks that both belong together."""

from __future__ import annotations

import inspect
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

from evonas_cli.config.build import target
from evonas_cli.config.compose import Composed
from evonas_cli.core.cache import Cache
from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.core.files import expanded
from evonas_cli.core.fold import REPEATING, Fold
from evonas_cli.core.gate import Gate, violated
from evonas_cli.core.halting import Deadline, Ended, StopRequest, deadline_of, earlier
from evonas_cli.core.tracking import Described
from evonas_cli.core.types import Candidate, Json, Result
from evonas_cli.genomes.capabilities import Buildable, Neural
from evonas_cli.run import contracts, openings
from evonas_cli.run.assembly import Parts
from evonas_cli.run.environment import check_environment
from evonas_cli.run.fit import check_measured
from evonas_cli.run.graphs import check_graphs
from evonas_cli.run.in_flight import InFlight
from evonas_cli.run.lazy import Started
from evonas_cli.run.provenance import provenance
from evonas_cli.run.recalling import recalling
from evonas_cli.run.retraining import Retraining
from evonas_cli.run.speed import chosen
from evonas_cli.run.stored import config_yaml, stored_config
from evonas_cli.run.tracking import Tracking, tracker_of
from evonas_cli.store.description import mark
from evonas_cli.store.directory import RunDirectory, new_root
from evonas_cli.store.files import check_kind, write_text
from evonas_cli.store.lock import Lock
from evonas_cli.store.recorder import Recorder, Watch

DONE = "the strategy is done"
"""Why a search has ended that would propose nothing more under any budget."""
REPEATED = f"the last {REPEATING} candidates were all repeated ones"
"""Why a search has ended that would evaluate nothing more under any budget of cost or time."""

_log = logging.getLogger(__name__)

TRACKING = "tracking"
"""The folder in a run's own in which its tracker may keep files."""


@dataclass
class Session:
    """An open run: its lock, recorder, fold and evaluator; and what was stopped when its time was over.

    `request`, by which somebody may ask it to stop, is heeded by its evaluator, too.
    """

    run: RunDirectory
    parts: Parts
    lock: Lock
    recorder: Recorder
    evaluator: Started
    fold: Fold[Any]
    cache: Cache[Any]
    gate: Gate[Any]
    tracking: Tracking
    request: StopRequest = field(default_factory=StopRequest)
    ended: Ended | None = None

    def deadline(self) -> Deadline | None:
        """When the session has to stop, as far as that is known: see `time_over`, or as somebody has asked."""
        return earlier(self.time_over(), self.request.deadline)

    def time_over(self) -> Deadline | None:
        """When budget.seconds is used up; None without such a limit, and until everything recorded was asked again."""
        limit = self.fold.budget.seconds
        if limit is None or self.fold.next_id <= self.recorder.journal.highest:
            return None
        return deadline_of(limit, self.recorder.elapsed)

    @property
    def slots(self) -> int:
        """How many candidates are evaluated at once."""
        return self.evaluator.slots

    def why(self) -> str:
        """Why the search has ended."""
        fold, budget, deadline = self.fold, self.fold.budget, self.deadline()
        if budget.seconds is not None and deadline is not None and (fold.missing or fold.wants_ask()):
            used = "is used up" if deadline.due() else "leaves no time for another epoch"
            return f"budget.seconds={budget.seconds:g} {used}"
        if fold.finished:
            return DONE
        if fold.barred:
            return self._barred()
        if fold.hopeless:
            return f"none of the first {fold.position.told_evaluations} candidates succeeded"
        if fold.repeating:
            return REPEATED
        if fold.position.over is not None or (budget.cost is not None and fold.position.cost >= budget.cost):
            return f"budget.cost={budget.cost:g} is used up"
        return f"budget.evaluations={budget.evaluations} is used up"

    def _barred(self) -> str:
        """Why nothing was evaluated: the constraint that most candidates violate, of equals the one stated first."""
        counts = Counter({str(constraint): 0 for constraint in self.parts.constraints})
        for entry in self.recorder.journal:
            counts.update(str(one) for one in violated(entry["metrics"], self.parts.constraints))
        text, count = max(counts.items(), key=itemgetter(1))
        total = self.fold.position.told_evaluations
        return f"none of the first {total} candidates satisfies the constraints, {count} of them violate {text}"

    def close(self) -> None:
        """Stops workers, closes the journal, lets go of the run; ends the tracker, unless the session has ended it."""
        try:
            self.evaluator.close()
        finally:
            try:
                self.recorder.close()
            finally:
                self.lock.release()
                self.tracking.end("interrupted")


def new_run(composed: Composed, run_dir: Path | None, allowed: Sequence[str] = ()) -> RunDirectory:
    """The directory of a run: the one asked for, or a free one named by time, strategy and data set (or space)."""
    if run_dir is not None:
        return RunDirectory(run_dir)
    config, choices = composed.config, composed.choices
    trains = "dataset" in inspect.signature(target(config["job"], "job", allowed)).parameters
    label = config["run"]["name"] or f"{choices['strategy']}-{choices['dataset' if trains else 'space']}"
    return RunDirectory(new_root(expanded(config["run"]["outputs"], "run.outputs"), label, datetime.now()))


def create(
    run: RunDirectory,
    parts: Parts,
    choices: Mapping[str, str],
    watch: Watch,
    command: Sequence[str],
    source: Mapping[str, Json] | None = None,
) -> Session:
    """Starts the evaluator, then makes the run directory and locks it. Raises UsageError when it exists.

    `source` names the run of which candidates are trained again (`openings.SOURCE`).
    """
    tracking = Tracking(tracker_of(parts.config, parts.allowed))
    in_flight, request = InFlight(run), StopRequest()
    evaluator = Started(parts.evaluator(in_flight, request), parts.strategy, lambda environment: None, in_flight)
    try:
        environment = evaluator.start()
        check_measured(parts.job, parts.goals.asked, environment)
        if Buildable in parts.job.needs:
            contracts.check_networks(parts.space, environment, parts.config["seed"], parts.allowed)
        if Neural in parts.job.needs:
            check_graphs(parts.space, environment, parts.config["seed"], parts.allowed)
        more = {} if source is None else {openings.SOURCE: source}
        if source is not None:
            openings.record(run, parts, command, source=source)
        metadata = {**provenance(parts, choices, environment, command), **more}
        run.check_free()
        tracking.start(_described(run, parts, mark(metadata)), parts.front())
        run.create(config_yaml(parts.config), metadata)
        if source is None:
            openings.record(run, parts, command)
        return _open(run, parts, evaluator, watch, tracking, request)
    except BaseException:
        evaluator.close()
        tracking.end("interrupted")
        raise


def reopen(run: RunDirectory, parts: Parts, watch: Watch, command: Sequence[str] = ("resume",)) -> Session:
    """Locks an existing run and goes on with it. `parts` must have passed `check_identity`."""
    run.metadata()
    if not run.journal.exists():
        raise RunError(f"{run.journal} is missing; `evonas verify {run.root} --repair` begins an empty one")

    def check(environment: Mapping[str, Json]) -> None:
        check_environment(run, environment)
        openings.record(run, parts, command, run.recorded())

    tracking = Tracking(tracker_of(parts.config, parts.allowed))
    in_flight, request = InFlight(run), StopRequest()
    evaluator = Started(parts.evaluator(in_flight, request), parts.strategy, check, in_flight)
    session = _open(run, parts, evaluator, watch, tracking, request)
    try:
        before = stored_config(run)
        _check_budget(session.recorder, before["budget"], parts.config["budget"])
        if _devices(parts.config) != _devices(before):
            evaluator.ready()  # a device that is not there must not be written down
        text = config_yaml(parts.config)
        if text != run.config_text():
            session.recorder.drop_end()  # first: under the new budget it would be wrong
            write_text(run.root / "config.yaml", text, durable=True)
        journal = session.recorder.journal
        tracking.start(_described(run, parts, run.mark(), len(journal)), parts.front(), journal)
    except BaseException:
        session.close()
        raise
    if session.recorder.journal.torn:
        _log.warning("cut a torn tail of %d bytes off the journal", session.recorder.journal.torn)
    return session


def _devices(config: Mapping[str, Any]) -> tuple[Json, Json]:
    return config["device"], config["evaluator"].get("devices")


def trusted(run: RunDirectory, allowed: Sequence[str]) -> list[str]:
    """The modules outside evonas that the run needs. Raises UsageError unless the user has named each of them again."""
    needed: list[str] = run.metadata()["allowed_modules"]
    for module in needed:
        if module not in allowed:
            raise UsageError(f"{run.root} uses module {module}; pass --allow-module {module} if you trust it")
    return needed


def _check_budget(recorder: Recorder, before: Mapping[str, float | None], now: Mapping[str, float | None]) -> None:
    """Raises UsageError for a limit that was lowered below what the run has used."""
    for key, limit in now.items():
        old = before.get(key)
        if limit is None or (old is not None and limit >= old):
            continue
        used = _used(recorder, key)
        if used > limit:
            raise UsageError(
                f"budget.{key}={limit:g} is less than the {used:g} that {recorder.run.root} has used; "
                "a run's budget can only grow"
            )


def _used(recorder: Recorder, key: str) -> float:
    if key == "evaluations":
        return recorder.journal.highest + 1
    if key == "seconds":
        return recorder.elapsed
    return sum(float(entry["metrics"].get("cost", 0.0)) for entry in recorder.journal)


def _described(run: RunDirectory, parts: Parts, mark: str, recorded: int = 0) -> Described:
    """The run as its tracker is told of it."""
    folder = run.root / TRACKING
    check_kind(folder, folder=True)
    return Described(run.root.name, mark, folder, parts.config, parts.objectives, parts.space.to_json, recorded)


def _open(
    run: RunDirectory, parts: Parts, evaluator: Started, watch: Watch, tracking: Tracking, request: StopRequest
) -> Session:
    environment = run.metadata()["environment"]
    cache: Cache[Any] = Cache(parts.keys(environment), parts.spent)
    lock = Lock(run.lock)

    def recorded(candidate: Candidate[Any], result: Result) -> None:
        watch(candidate, result)
        tracking.told(candidate, result, recorder.figures.last)

    try:
        recorder = Recorder(
            run,
            parts.space,
            time.monotonic,
            **parts.config["snapshot"],
            watch=recorded,
            workers=evaluator.slots,
            settings=chosen(parts.config, environment),
            mark=run.mark(),
        )
    except BaseException:
        lock.release()
        raise
    evaluator.meter, recorder.in_flight = recorder.meter, evaluator.in_flight.units
    evaluator.submitted = recorder.submitted
    evaluator.evaluator = recalling(evaluator.evaluator, parts, run)
    if parts.strategy.demands.hands_on:
        evaluator.evaluator = Retraining(evaluator.evaluator, recorder.journal, parts.space)
    gate = parts.gate(environment)
    return Session(run, parts, lock, recorder, evaluator, parts.fold(), cache, gate, tracking, request)
