"""All metrics: those of each kind of task, and those of each job, built with its defaults to ask it for them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evonas_cli.config.build import target
from evonas_cli.config.compose import compose
from evonas_cli.config.folders import conf_root, file_of
from evonas_cli.config.meanings import leaf
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Offering
from evonas_cli.core.scalarize import REWARD
from evonas_cli.core.types import Metric
from evonas_cli.network.metrics import METRICS, meaning, metrics_of
from evonas_cli.run.assembly import job_of

UNSET = "???"


@dataclass(frozen=True)
class Measure:
    """A metric: whether less is better (min) or more (max), whether a repetition may change it, the kinds of tasks and
    the jobs that have it, and what it is ("": unknown)."""

    metric: Metric
    kinds: tuple[str, ...]
    jobs: tuple[str, ...]
    meaning: str


def measures(
    jobs: Iterable[str], folders: Sequence[Path] = (), allowed: Sequence[str] = ()
) -> tuple[dict[str, Measure], list[str]]:
    """The metrics of these jobs by name, those that a job measures only when asked among them, and the reward. A job
    with a trainer has those of every kind that a network classifies or predicts, of the training part as well.

    A metric that one job measures and another one knows exactly is shown as measured.

    The second value says what is wrong with each of the user's own jobs that cannot be built.
    """
    found: dict[str, tuple[Metric, list[str], list[str]]] = {}
    for kind in METRICS:
        for name, metric in metrics_of(kind, 2).items():
            found.setdefault(name, (metric, [], []))[1].append(kind)
    wrong = []
    for job in jobs:
        path = file_of("job", job, folders)
        try:
            own, trains = _own(job, path, folders, allowed)
        except UsageError as error:
            if path.is_relative_to(conf_root()):
                raise
            wrong.append(f"{path}: {error}")
            continue
        if trains:
            own |= {name: metric for name, (metric, kinds, _) in found.items() if set(kinds) - {"tokens"}}
            named = {name: metric for name, metric in own.items() if name.startswith("valid_")}
            own |= {name.replace("valid", "train_eval", 1): metric for name, metric in named.items()}
        for name, metric in own.items():
            known, kinds, who = found.get(name, (metric, [], []))
            found[name] = (metric if metric.measured else known, kinds, [*who, job])
    found[REWARD] = (Metric("max"), [], list(dict.fromkeys(job for _, _, who in found.values() for job in who)))
    rows = {name: Measure(m, tuple(kinds), tuple(who), meaning(name)) for name, (m, kinds, who) in found.items()}
    return rows, wrong


def _own(job: str, path: Path, folders: Sequence[Path], allowed: Sequence[str]) -> tuple[dict[str, Metric], bool]:
    """The metrics of a job that is built, with any name for a file that must be given, and whether it has a trainer."""
    given = [f"job.{setting.key}=FILE" for setting in leaf(path).settings if setting.value == UNSET]
    config = compose([f"job={job}", *given], folders).config
    trains = "trainer" in inspect.signature(target(config["job"], "job", allowed)).parameters
    built = job_of(config, allowed)
    return {**built.metrics, **(built.offered if isinstance(built, Offering) else {})}, trains
