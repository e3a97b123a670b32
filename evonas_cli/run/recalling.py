"""Results of other runs: a candidate that was evaluated before, with all that decides about bits equal, is recalled.

Equal means equal bits, so that a search with a cache is the search without one. The candidate's seed is therefore part
of the key, and so is its place in the program that trains it. `core/cache.py` copies within a run, by other rules.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import platform
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas_cli import RESULTS, __version__
from evonas_cli.config.build import target
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Evaluator, Keyed
from evonas_cli.core.failures import MICRO_BATCHES
from evonas_cli.core.files import expanded
from evonas_cli.core.guard import guard
from evonas_cli.core.halting import Deadline, Ended
from evonas_cli.core.types import Candidate, Json, Result, Unit
from evonas_cli.run.identity import identity
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.records import SOURCE
from evonas_cli.store.results import Results

if TYPE_CHECKING:
    from evonas_cli.run.assembly import Parts

FILE = "cache.sqlite"
"""The name, in `run.outputs`, of the file that `cache=on` means."""
_SETTINGS = ("seed", "deterministic", "evaluator.threads", "space", "dataset", "trainer", "job")
"""Keys, with all below them, that decide about an evaluation; the others decide about which candidates there are."""
_OWN = "strategy_"
"""How the members of a run's environment begin that only the strategy's bits depend on."""


@dataclass(frozen=True)
class ResultKeys:
    """Keys of evaluations: canonical hash of the network, genome, seed, fidelity and place of the candidate, settings
    of space, data, trainer and job, digest of the data, device and versions."""

    parts: Parts
    environment: Mapping[str, Json]

    def __call__(self, candidate: Candidate[Any], width: int, place: int) -> str | None:
        """The key of a candidate at this place of a program that wide; None for one whose result depends on more."""
        asked = candidate.proposal
        if asked.continues is not None or asked.options is not None or asked.job or asked.again:
            return None
        own = (candidate.seed, asked.fidelity, width, place, self.parts.space.to_json(asked.genome))
        text = json.dumps([*own, self._function(asked.genome), self._common], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()

    @cached_property
    def _common(self) -> dict[str, Json]:
        """What all candidates' keys have in common."""
        flat = identity(self.parts.config)
        settings = {key: value for key, value in flat.items() if key in _SETTINGS or key.partition(".")[0] in _SETTINGS}
        measured = {key: value for key, value in self.environment.items() if not key.startswith(_OWN)}
        versions: list[Json] = [__version__, RESULTS, platform.python_version()]
        names: list[Json] = [*sorted(self.parts.job.metrics)]
        return {"settings": settings, "environment": measured, "versions": versions, "metrics": names}

    def _function(self, genome: Any) -> str | None:
        """What the job takes for the function, so that a genome which another code reads otherwise is no hit."""
        job = self.parts.job
        if not isinstance(job, Keyed) or not all(isinstance(self.parts.space, need) for need in job.key_needs):
            return None
        return job.function_key(genome, self.environment)


class Recalling:
    """An evaluator around another one: candidates whose results are kept are not given to it, and new results are kept.

    Of a program only the others are evaluated, at their places. Failures are never kept. `source` names the run in what
    is kept, `spent` the measured metrics that tell of the evaluation, which are 0 in what is recalled.
    """

    def __init__(
        self, evaluator: Evaluator[Any], results: Results, keys: ResultKeys, source: str, spent: Container[str]
    ) -> None:
        self._evaluator, self._results, self._keys = evaluator, results, keys
        self._source, self._spent = source, spent
        self._recalled: list[Result] = []
        self._asked: dict[int, tuple[str, str | None]] = {}

    @property
    def slots(self) -> int:
        """How many candidates are evaluated at once."""
        return self._evaluator.slots

    def start(self) -> dict[str, Json]:
        """Passes on; the keys are those of this environment."""
        environment = self._evaluator.start()
        self._keys = replace(self._keys, environment=environment)
        return environment

    def units(self, asked: Sequence[Candidate[Any]]) -> list[Unit[Any]]:
        """Passes on."""
        return self._evaluator.units(asked)

    def submit(self, units: Sequence[Unit[Any]]) -> None:
        """Recalls what is kept, and passes the others on."""
        left = [unit.among(self._unknown(unit)) for unit in units]
        wanted = [unit for unit in left if unit.candidates]
        if wanted:
            self._evaluator.submit(wanted)

    def _unknown(self, unit: Unit[Any]) -> set[int]:
        """The ids of candidates that must be evaluated."""
        unknown = set()
        for candidate, place in zip(unit.candidates, unit.places, strict=True):
            key = self._keys(candidate, unit.width, place)
            kept = None if key is None else self._results.get(key)
            if kept is not None:
                self._recalled.append(_recalled(candidate.id, kept, self._spent))
                continue
            unknown.add(candidate.id)
            if key is not None:
                self._asked[candidate.id] = key, f"{place}/{unit.width}" if unit.width > 1 else None
        return unknown

    def collect(self, deadline: Deadline | None = None) -> list[Result]:
        """What was recalled; else what comes, which is kept."""
        if self._recalled:
            found, self._recalled = self._recalled, []
            return found
        results = self._evaluator.collect(deadline)
        self._keep(results)
        return results

    def stop(self) -> Ended:
        """Passes on."""
        ended = self._evaluator.stop()
        self._keep(ended.results)
        found, self._recalled = self._recalled, []
        return replace(ended, results=[*found, *ended.results])

    def close(self) -> None:
        """Passes on, and closes the file."""
        try:
            self._evaluator.close()
        finally:
            self._results.close()

    def _keep(self, results: Sequence[Result]) -> None:
        """Keeps what succeeded, unless its program has another width than was asked, or took batches in parts: other
        bits then."""
        for result in results:
            key, stack = self._asked.pop(result.id, (None, None))
            found = guard(result)
            if key is None or found.status != "ok" or MICRO_BATCHES in found.labels:
                continue
            if found.labels.get("stack") == stack:
                self._results.put(key, _document(found, f"{self._source}, candidate {result.id}"))


def _document(result: Result, source: str) -> dict[str, Any]:
    return {
        "metrics": dict(result.metrics),
        "payload": result.payload,
        "labels": dict(result.labels),
        "curves": dict(result.curves),
        "descriptor": list(result.descriptor),
        "source": source,
    }


def _recalled(id: int, kept: Mapping[str, Any], spent: Container[str]) -> Result:
    """The result as it was, but for what the evaluation took; `cost` stays, since a budget of cost counts it."""
    metrics = {name: 0.0 if name in spent else value for name, value in kept["metrics"].items()}
    labels = {**kept["labels"], SOURCE: kept["source"]}
    more = None, kept["curves"], tuple(kept["descriptor"])
    return Result(id, "ok", metrics, kept["payload"], None, 0.0, labels, *more)


def recalling(evaluator: Evaluator[Any], parts: Parts, run: RunDirectory) -> Evaluator[Any]:
    """The evaluator around which `cache` of the configuration puts other runs' results. Raises EnvironmentFailure."""
    if parts.config["cache"] == "off":
        return evaluator
    metadata = run.metadata()
    keys = ResultKeys(parts, metadata["environment"])
    spent = parts.spent - {"cost"}
    return Recalling(evaluator, Results(place(parts)), keys, f"{run.root.name} ({run.mark()[:12]})", spent)


def place(parts: Parts) -> Path:
    """The file that `cache` means. Raises UsageError."""
    config = parts.config
    if config["cache"] == "on":
        return expanded(config["run"]["outputs"], "run.outputs") / FILE
    return expanded(config["cache"], "cache")


def check_cache(parts: Parts) -> None:
    """Raises UsageError where a recalled result could differ from an evaluated one, or more than a result is wanted."""
    config, cache = parts.config, parts.config["cache"]
    if cache == "off":
        return
    if not cache:
        raise UsageError("cache is empty; it may be off, on, or the path of a file")
    reason = None
    if parts.strategy.demands.hands_on:
        reason = "this strategy hands trained weights on, which a recalled result does not have"
    elif config["trainer"].get("save_state") and _trains(parts):
        reason = "trainer.save_state=true keeps weights, which a recalled result does not have"
    elif config["job"].get("test"):
        reason = "job.test=true reads the test part, and each reading is noted"
    foreign = [key for key in ("space", "dataset", "trainer", "job") if not _is_own(config[key]["_target_"])]
    if foreign:
        reason = f"{foreign[0]} is no part of evonas, and no key tells when its code changes"
    wanted = [f"{key} ({name})" for key, name in parts.goals.asked if parts.metrics[name].measured]
    if wanted:
        reason = f"{wanted[0]} is measured anew each time"
    if reason is not None:
        raise UsageError(f"cache={cache}: {reason}; set cache=off")
    place(parts)


def _trains(parts: Parts) -> bool:
    """Whether the job is made with a trainer."""
    return "trainer" in inspect.signature(target(parts.config["job"], "job", parts.allowed)).parameters


def _is_own(target: str) -> bool:
    return target.startswith("evonas_cli.")
