"""Searches within a job: what a setting of type `Searches` describes, checked, recorded and run in this process."""

from __future__ import annotations

import copy
import inspect
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas_cli.config.build import target
from evonas_cli.config.compose import Config, compose
from evonas_cli.config.nested import naming
from evonas_cli.config.settings import DIRECTIVE, EXPERIMENT, nearest
from evonas_cli.core import sources
from evonas_cli.core.cache import Cache
from evonas_cli.core.errors import UsageError
from evonas_cli.core.front import is_outcome
from evonas_cli.core.hints import hints_of
from evonas_cli.core.nowhere import Nowhere
from evonas_cli.core.protocols import Computing
from evonas_cli.core.searches import Searches
from evonas_cli.core.types import Candidate, Failure, Json, Objective, Result
from evonas_cli.evaluation.serial import Serial
from evonas_cli.run.search import search
from evonas_cli.run.serving import quiet
from evonas_cli.store.recorder import Memory

if typing.TYPE_CHECKING:
    from evonas_cli.run.assembly import Parts

KEPT = (
    *("space", "strategy", "job", "jobs", "window", "budget", "objectives", "constraints", "scalarize", "dedupe"),
    *("start_from", "start_best", "deterministic"),
)
"""Root keys that decide what an inner search finds, beside its seed."""
REST: Mapping[str, Any] = {
    "seed": 0,
    "reference": None,
    "cache": "off",
    "device": "cpu",
    "evaluator": {"_target_": f"{Serial.__module__}.{Serial.__name__}"},
    "run": {"name": None, "outputs": "outputs"},
}
"""The other keys that a search is assembled from."""
LEAST_CANDIDATES = 10
"""A candidate may take at most one part in so many of a run's budget."""


class Inner:
    """The searches that a resolved configuration describes: `Searches` of `KEPT` keys, one after the other.

    Raises UsageError where the configuration is none of a search with a limit of evaluations that trains nothing.
    """

    def __init__(self, config: Config, allowed: Sequence[str] = (), folders: Sequence[Path] = ()) -> None:
        _check_kind(config, allowed)
        self.config, self._allowed, self._folders = config, tuple(allowed), tuple(folders)
        self._job: Any = None

    def __reduce__(self) -> tuple[type[Inner], tuple[Any, ...]]:
        return Inner, (self.config, self._allowed, self._folders)  # a worker reads the tables of its job itself

    @property
    def evaluations(self) -> int:
        """`budget.evaluations`."""
        found: int = self.config["budget"]["evaluations"]
        return found

    def check(self, extremes: Mapping[str, Sequence[Json]], metric: str | None) -> None:
        """Raises UsageError as `Searches` says. An extreme value is tried beside the other settings as configured, then
        all at their first and all at their last extreme, then one of them at an extreme and the rest as configured."""
        self.objective(metric)
        for name, values in extremes.items():
            for value in values:
                self._check(name, value, {other: ends for other, ends in extremes.items() if other != name})

    def _check(self, name: str, value: Json, others: Mapping[str, Sequence[Json]]) -> None:
        first = None
        for beside in _beside(others):
            try:
                self.begun({**beside, name: value})
                return
            except UsageError as error:
                first = first or error
        raise UsageError(f"gene {name}: no search can begin with {value!r}: {first}")

    def begun(self, settings: Mapping[str, Json]) -> Parts:
        """The parts of a search with these settings in the place of the configured ones. Raises UsageError."""
        from evonas_cli.run.assembly import assemble  # which imports this module

        strategy = _configured(self.config["strategy"], settings)
        with quiet():
            return assemble({**REST, **self.config, "strategy": strategy}, self._allowed, self._folders, trial=False)

    def settings(self, names: Iterable[str]) -> dict[str, Json]:
        """The configured values. Raises UsageError for a setting that the strategy does not have."""
        found = {}
        for name in names:
            place, last = _place(self.config["strategy"], name)
            found[name] = place[last]
        return found

    def objective(self, metric: str | None) -> Objective:
        """What counts of the best candidate. Raises UsageError for a metric that the inner job does not measure."""
        return _counted(self.begun({}), metric)

    def check_there(self) -> None:
        """Raises UsageError where files of the inner job are not there."""
        sources.check_there(self.begun({}).job)

    def environment(self) -> dict[str, Json]:
        """That of the inner job, with what the strategy says of its own."""
        parts = self.begun({})
        found = self._evaluator(parts).start()
        return {**found, **(parts.strategy.environment() if isinstance(parts.strategy, Computing) else {})}

    def losses(self, settings: Mapping[str, Json], seeds: Sequence[int], metric: str | None) -> list[float] | Failure:
        """As `Searches`. Raises UsageError for what is wrong whatever the settings are."""
        try:
            parts = self.begun(settings)
        except UsageError as error:
            return Failure("unbuildable", str(error))
        found = []
        for seed in seeds:
            loss = self._best(parts, seed, _counted(parts, metric))
            if loss is None:
                return Failure("error", f"no candidate of the inner search with seed={seed} succeeded")
            found.append(loss)
        return found

    def _best(self, parts: Parts, seed: int, counted: Objective) -> float | None:
        """The counted loss of the best candidate of one search; of equals the first."""
        best: tuple[float, float] | None = None

        def keep(candidate: Candidate[Any], result: Result) -> None:
            nonlocal best
            if is_outcome(candidate, result, parts.objectives, parts.told):
                loss = parts.objectives[0].loss(result.metrics)
                if best is None or loss < best[0]:
                    best = loss, counted.loss(result.metrics)

        evaluator = self._evaluator(parts)
        environment = evaluator.start()
        cache: Cache[Any] = Cache(parts.keys(environment), parts.spent)
        with quiet():
            search(
                *(parts.fold(seed), evaluator, Memory(keep)),
                cache=cache,
                gate=parts.gate(environment),
                reward=parts.reward,
            )
        return None if best is None else best[1]

    def _evaluator(self, parts: Parts) -> Serial[Any]:
        """A new one, so that nothing is queued in it; all share one job, which reads its files once."""
        self._job = self._job or parts.job
        return Serial(self._job, Nowhere())


def setting_of(constructor: Any) -> str | None:
    """The parameter of a job's constructor that takes inner searches; None: none does."""
    hints = hints_of(constructor)
    return next((name for name, hint in hints.items() if hint is Searches), None)


def recorded(config: Config, allowed: Sequence[str], folders: Sequence[Path]) -> Config:
    """The configuration with that of the inner searches in the place of the overrides for it. Raises UsageError."""
    name = setting_of(target(config["job"], "job", allowed))
    if name is None:
        return config
    with naming(f"job.{name}"):
        whole = resolved(config["job"][name], allowed, folders)
    return {**config, "job": {**config["job"], name: whole}}


def resolved(inner: Any, allowed: Sequence[str], folders: Sequence[Path]) -> Config:
    """The `KEPT` keys of a search that a list of overrides describes, or what was made of one. Raises UsageError."""
    from evonas_cli.run.assembly import assemble  # which imports this module

    if isinstance(inner, Mapping):
        return {str(key): value for key, value in inner.items()}
    if not isinstance(inner, list | tuple) or not all(isinstance(word, str) for word in inner):
        raise UsageError(f"it is {inner!r}; it must be a list of overrides, such as [space=bits, job=landscape]")
    for word in inner:
        key = word.partition("=")[0].partition(".")[0]
        if key not in (*KEPT, EXPERIMENT):
            raise UsageError(f"{word}: {key} is none of an inner search; set one of {', '.join(KEPT)}")
    config = compose(inner, folders).config
    _check_kind(config, allowed)
    with quiet():
        config = assemble({**config, **REST}, allowed, folders).config
    return {key: config[key] for key in KEPT}


def bound(config: Config, node: Mapping[str, Any], name: str, allowed: Sequence[str]) -> tuple[dict[str, Any], Inner]:
    """A job's node without its setting of inner searches, and these searches. Raises UsageError where one candidate
    takes more than a tenth of the run's budget: a search among fewer than ten settings is none."""
    with naming(f"job.{name}"):
        inner = Inner(resolved(node.get(name), allowed, ()), allowed)
    budget, each = config["budget"], inner.evaluations * int(node.get("seeds", 1))
    if budget["evaluations"] is not None and budget["evaluations"] < LEAST_CANDIDATES:
        raise UsageError(
            f"budget.evaluations={budget['evaluations']}: the inner searches of one candidate would take more than a "
            f"tenth of the budget; raise it to at least {LEAST_CANDIDATES} candidates"
        )
    if budget["cost"] is not None and budget["cost"] < LEAST_CANDIDATES * each:
        raise UsageError(
            f"budget.cost={budget['cost']:g}: the inner searches of one candidate take {each} evaluations, more than a "
            f"tenth of it; lower budget.evaluations of job.{name}, or raise budget.cost to {LEAST_CANDIDATES * each}"
        )
    return {key: value for key, value in node.items() if key != name}, inner


def _check_kind(config: Config, allowed: Sequence[str]) -> None:
    """Raises UsageError for a search that trains networks, that searches within itself, or that only time ends."""
    for where, node in (("job", config["job"]), *((f"jobs.{name}", node) for name, node in config["jobs"].items())):
        job = target(node, "job", allowed)
        if {"dataset", "trainer"} & set(inspect.signature(job).parameters) or setting_of(job) is not None:
            raise UsageError(
                f"{where} {job.__name__} is too slow for inner searches, which are many; use a job that trains "
                "nothing, such as job=landscape or job=table"
            )
    if config["budget"]["seconds"] is not None or config["budget"]["evaluations"] is None:
        raise UsageError("an inner search ends by budget.evaluations, so that it repeats; set that, and not seconds")


def _configured(node: Mapping[str, Any], settings: Mapping[str, Json]) -> dict[str, Any]:
    """A strategy's node with these settings. Raises UsageError for one that it does not have."""
    found = copy.deepcopy(dict(node))
    for name, value in settings.items():
        place, last = _place(found, name)
        place[last] = value
    return found


def _place(node: dict[str, Any], name: str) -> tuple[Any, str]:
    """The mapping in the node that has the setting, and its key there. Raises UsageError."""
    *path, last = name.split(".")
    place: Any = node
    for part in path:
        place = _known(place, part, name)[part]
    return _known(place, last, name), last


def _known(place: Any, part: str, name: str) -> Any:
    """The mapping itself, if it has the part. Raises UsageError."""
    known = [key for key in place if not DIRECTIVE.fullmatch(key)] if isinstance(place, dict) else []
    if part not in known:
        raise UsageError(
            f"the strategy has no setting {name}{nearest(part, known)} (known: {', '.join(known) or 'none'})"
        )
    return place


def _beside(others: Mapping[str, Sequence[Json]]) -> Iterator[dict[str, Json]]:
    yield {}
    yield {name: ends[0] for name, ends in others.items()}
    yield {name: ends[-1] for name, ends in others.items()}
    for name, ends in others.items():
        yield from ({name: end} for end in ends)


def _counted(parts: Parts, metric: str | None) -> Objective:
    """What counts of the best candidate. Raises UsageError for a metric that results do not have."""
    if metric is None:
        return parts.objectives[0]
    if metric not in parts.metrics:
        known = ", ".join(sorted(parts.metrics))
        raise UsageError(
            f"job.metric: the inner job measures no {metric}{nearest(metric, parts.metrics)} (known: {known})"
        )
    return Objective(metric, parts.metrics[metric].direction)
