"""Searches in memory: several strategies, many seeds, spread over processes, keeping nothing but their tracks."""

from __future__ import annotations

import contextlib
import inspect
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from evonas_cli.config.build import build, target
from evonas_cli.config.compose import Composed, Config
from evonas_cli.core.cache import Cache
from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.evaluating import Evaluator
from evonas_cli.core.fold import Budget
from evonas_cli.core.front import is_outcome
from evonas_cli.core.nowhere import Nowhere
from evonas_cli.core.processes import spawning
from evonas_cli.core.types import Candidate, Json, Result
from evonas_cli.report.curves import Track
from evonas_cli.report.groups import Sample
from evonas_cli.report.samples import compared_metric
from evonas_cli.report.subject import subject
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.identity import identity
from evonas_cli.run.search import search
from evonas_cli.store.recorder import Memory


@dataclass(frozen=True)
class Plan:
    """What one process does: every configuration with every one of its seeds."""

    configs: Sequence[Config]
    seeds: Sequence[int]
    allowed: Sequence[str] = ()
    metric: str | None = None
    report: str | None = None


@dataclass
class Outcome:
    """What came of one configuration: a track a seed, and the time that the searches took."""

    tracks: dict[int, Track] = field(default_factory=dict)
    environment: dict[str, Json] = field(default_factory=dict)
    seconds: float = 0.0
    evaluations: int = 0

    def take(self, other: Outcome) -> None:
        """Adds what another process found."""
        self.tracks |= other.tracks
        self.environment = other.environment
        self.seconds += other.seconds
        self.evaluations += other.evaluations


@contextlib.contextmanager
def naming(entry: str) -> Iterator[None]:
    """Within it, a UsageError says which entry of --strategies it is about."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"--strategies {entry.strip()}: {error}") from error


def check(
    common: Composed, named: Sequence[tuple[str, Composed]], allowed: Sequence[str], folders: Sequence[Path]
) -> None:
    """Raises UsageError for what cannot be benched, before anything runs: first for what is in `common`, then for the
    entries of --strategies."""
    config = common.config
    if {"dataset", "trainer"} & set(inspect.signature(target(config["job"], "job", allowed)).parameters):
        raise UsageError(
            f"job={common.choices['job']} trains networks, too slow for a bench; "
            "run `evonas sweep` over strategies and seeds, then `evonas compare` its folder"
        )
    if config["budget"]["seconds"] is not None:
        raise UsageError("budget.seconds ends no search in memory; set budget.evaluations or budget.cost")
    if config["cache"] != "off":
        raise UsageError(f"cache={config['cache']} has no effect on searches in memory; leave it out")
    assemble(config, allowed, folders)
    for entry, one in named:
        with naming(entry):
            assemble(one.config, allowed, folders)
    seen: list[tuple[str, Any]] = []
    for entry, one in named:
        own = identity(one.config)
        first = next((other for other, known in seen if known == own), None)
        if first is not None:
            words = f"{first} and {entry}, which are the same settings" if first != entry else f"{entry} twice"
            raise UsageError(f"--strategies names {words}; once is enough")
        seen.append((entry, own))


def samples(composed: Sequence[Composed], outcomes: Sequence[Outcome]) -> list[Sample]:
    """The tracks as samples of a comparison."""
    found = []
    for one, outcome in zip(composed, outcomes, strict=True):
        own, name = identity(one.config), one.choices["strategy"]
        for seed, track in sorted(outcome.tracks.items()):
            found.append(Sample(f"{name} seed {seed}", seed, own, one.choices, track, outcome.environment))
    return found


def play(plan: Plan) -> list[Outcome]:
    """Runs the plan in this process; all configurations share one started evaluator, hence one job."""
    parts = [assemble(config, plan.allowed) for config in plan.configs]
    evaluator = _evaluator(parts[0])
    environment = evaluator.start()
    outcomes = [_searches(own, evaluator, plan, environment) for own in parts]
    for outcome in outcomes:
        outcome.environment = environment
    evaluator.close()
    return outcomes


def _evaluator(parts: Parts) -> Evaluator[Any]:
    node, device = parts.config["evaluator"], parts.config["device"]
    evaluator: Evaluator[Any] = build(node, "evaluator", parts.allowed, job=parts.job, context=Nowhere(), device=device)
    return evaluator


def _searches(parts: Parts, evaluator: Evaluator[Any], plan: Plan, environment: Mapping[str, Json]) -> Outcome:
    outcome, budget = Outcome(), Budget(**parts.config["budget"])
    metric, direction = compared_metric(parts, plan.metric)
    began, keys = time.perf_counter(), parts.keys(environment)
    of = subject(metric, parts.metrics.get(metric), environment)
    for seed in plan.seeds:
        track = Track(metric, direction, plan.report, budget.cost, of=of)

        def keep(candidate: Candidate[Any], result: Result, track: Track = track) -> None:
            shown = is_outcome(candidate, result, parts.objectives, parts.told)
            if plan.report is not None and shown and plan.report not in result.metrics:
                known = ", ".join(sorted(result.metrics))
                raise UsageError(f"--report {plan.report}: the job gives no such metric (it gives {known})")
            spared = result.cached is not None or candidate.proposal.job != ""
            track.add(result.status == "ok", result.metrics, result.seconds, spared, shown)
            outcome.evaluations += 1

        fold = parts.fold(seed)
        cache = Cache(keys, parts.spent)
        search(fold, evaluator, Memory(keep), cache=cache, gate=parts.gate(environment), reward=parts.reward)
        track.ended = fold.finished or fold.repeating
        outcome.tracks[seed] = track
    outcome.seconds = time.perf_counter() - began
    return outcome


def spread(plan: Plan, jobs: int) -> list[Outcome]:
    """Deals the seeds to so many processes; the tracks do not depend on their number. Raises EnvironmentFailure for a
    process that dies."""
    if jobs == 1:
        return play(plan)
    spawn = spawning()
    shares = [Plan(plan.configs, plan.seeds[k::jobs], plan.allowed, plan.metric, plan.report) for k in range(jobs)]
    outcomes = [Outcome() for _ in plan.configs]
    workers = []
    try:
        for share in shares:
            ours, theirs = spawn.Pipe(duplex=False)
            worker = spawn.Process(target=_work, args=(share, theirs), daemon=True)
            worker.start()
            theirs.close()
            workers.append((worker, ours))
        for _, ours in workers:
            found = _receive(ours)
            for outcome, other in zip(outcomes, found, strict=True):
                outcome.take(other)
    finally:
        for worker, ours in workers:
            worker.terminate()
            worker.join()
            ours.close()
    return outcomes


def _receive(ours: Connection) -> list[Outcome]:
    try:
        found = ours.recv()
    except EOFError:
        raise EnvironmentFailure("a worker process died; run again with fewer --jobs") from None
    if isinstance(found, Exception):
        raise found
    outcomes: list[Outcome] = found
    return outcomes


def _work(plan: Plan, out: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        found: list[Outcome] | Exception = play(plan)
    except Exception as error:
        found = error
    out.send(found)
    out.close()
