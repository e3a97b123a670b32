"""`evonas tune-strategy`: search for settings of a strategy, and check them on seeds and tasks that were not used."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from evonas_cli.cli.common import (
    AllowModules,
    AsJson,
    ConfigDirs,
    Overrides,
    Quiet,
    Workers,
    machine_overrides,
    print_columns,
    readable,
    remark,
    say,
    several,
)
from evonas_cli.cli.genes import PREFIX, genes_of
from evonas_cli.cli.search import Opening, Resume, describe, holds_run
from evonas_cli.core.files import path_of
from evonas_cli.core.searches import inner_seeds
from evonas_cli.core.types import Json, Objective

if TYPE_CHECKING:
    from evonas_cli.config.compose import Composed
    from evonas_cli.genomes.capabilities import Configuring
    from evonas_cli.report.tuned import Checked
    from evonas_cli.run.assembly import Parts
    from evonas_cli.run.inner import Inner
    from evonas_cli.store.directory import RunDirectory

OUTER = ("space=settings", "job=search", "strategy=bayesian")
"""The search for settings, where --outer says nothing else: few candidates, of which each costs whole searches."""


def tune_strategy(
    overrides: Overrides = None,
    gene: Annotated[
        list[str] | None,
        typer.Option(
            "--gene",
            metavar="strategy.KEY=RANGE",
            help="A setting to tune: LOW..HIGH, LOW..HIGH:log or A,B,C; may be given again.",
        ),
    ] = None,
    inner: Annotated[
        int | None, typer.Option("--inner", help="Evaluations of an inner search (its budget.evaluations).")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Inner searches of each setting.")] = 3,
    searches: Annotated[int, typer.Option("--searches", help="How many settings are tried, at least 10.")] = 40,
    metric: Annotated[
        str | None, typer.Option("--metric", help="What of the best candidate counts (default: the first objective).")
    ] = None,
    finalists: Annotated[
        int, typer.Option("--finalists", help="The best settings among which new seeds choose; 1: the best at once.")
    ] = 5,
    check_seeds: Annotated[int, typer.Option("--check-seeds", help="Seeds of that choice, and of the check.")] = 10,
    second_task: Annotated[
        str | None, typer.Option("--second-task", help="Overrides of another task for the check, in quotes.")
    ] = None,
    outer: Annotated[
        list[str] | None,
        typer.Option("--outer", metavar="KEY=VALUE", help="A setting of the search for settings; may be given again."),
    ] = None,
    run_dir: Annotated[
        Path | None, typer.Option("--run-dir", parser=path_of, metavar="PATH", help="Folder of the run.")
    ] = None,
    resume: Annotated[Resume, typer.Option("--resume", help="What to do when --run-dir holds a run.")] = "never",
    workers: Workers = None,
    config_dir: ConfigDirs = None,
    allow_module: AllowModules = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, start nothing.")] = False,
    json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Search for settings of a strategy.

    The overrides are those of the search whose strategy is tuned. Makes an ordinary run in which each candidate is
    several whole searches, chooses among the best settings with new seeds, and compares the chosen ones with the
    configured ones on unseen seeds. Prints the overrides to use as the last line.
    """
    from evonas_cli.run.session import new_run
    from evonas_cli.store.directory import abandon

    _check_counts(searches, seeds, finalists, check_seeds)
    words = [*(overrides or []), *([] if inner is None else [f"budget.evaluations={inner}"])]
    line = _Line(words, genes_of(gene or []), config_dir or [], allow_module or [], metric)
    tasks = line.tasks(second_task)
    more = [f"budget.evaluations={searches}", *machine_overrides(workers, None), *(outer or [])]
    composed, parts = line.outer(tasks, replaced(OUTER, more), seeds)
    exists = holds_run(run_dir, resume, parts)
    if dry_run:
        return describe(parts)
    opening = Opening(new_run(composed, run_dir, line.allowed), composed.choices, exists, resume)
    check = _Check(opening.run, parts, tasks, (finalists, check_seeds), metric)
    try:
        code = opening.carry_out(parts, quiet, json, check)
    finally:
        if run_dir is None:
            abandon(opening.run.root)
    if not json:
        check.say()
    return code


@dataclass(frozen=True)
class _Line:
    """What a command line configures: the inner search's overrides, the genes, further folders of configuration,
    allowed modules, and the metric that counts."""

    words: Sequence[str]
    genes: Mapping[str, Mapping[str, Json]]
    folders: Sequence[Path]
    allowed: Sequence[str]
    metric: str | None

    def tasks(self, second: str | None) -> dict[str, Inner]:
        """The inner searches by task, the one to tune on first. Raises UsageError."""
        from evonas_cli.config.nested import naming
        from evonas_cli.run.inner import Inner, resolved

        found = {"task": Inner(resolved(self.words, self.allowed, self.folders), self.allowed, self.folders)}
        if second is not None:
            with naming("--second-task"):
                config = resolved(replaced(self.words, shlex.split(second)), self.allowed, self.folders)
                found["second task"] = Inner(config, self.allowed, self.folders)
        return found

    def outer(self, tasks: Mapping[str, Inner], words: Sequence[str], seeds: int) -> tuple[Composed, Parts]:
        """The search for settings, which begins with the configured ones where they lie in the ranges. Raises
        UsageError, also for settings with which a search on one of the tasks cannot begin."""
        from evonas_cli.config.compose import compose
        from evonas_cli.config.nested import naming
        from evonas_cli.run.assembly import assemble

        first, *others = tasks.values()
        default = first.settings(self.genes)
        composed = compose(words, self.folders)
        config = {**composed.config, "space": {**composed.config["space"], "genes": self.genes}}
        config["job"] = {**config["job"], "inner": first.config, "seeds": seeds, "metric": self.metric}
        if inside := _inside(config["space"], default):
            config["start_from"] = {"run": "configured", "genomes": [default]}
        parts = assemble(config, self.allowed, self.folders)
        for other in others:
            with naming("--second-task"):
                other.check(cast("Configuring[Any]", parts.space).extremes, self.metric)
        if not inside:
            remark("evonas: the configured settings lie outside of the ranges, so that no candidate has them")
        return replace(composed, config=parts.config), parts


class _Check:
    """Chooses among the best settings of a run, and compares them with the configured ones on each task.

    The finalists are compared with seeds that no candidate had, and the check has others again.
    """

    def __init__(
        self, run: RunDirectory, parts: Parts, tasks: Mapping[str, Inner], counts: tuple[int, int], metric: str | None
    ) -> None:
        self._run, self._parts, self._tasks, self._metric = run, parts, tasks, metric
        self._finalists, count = counts
        seed = parts.config["seed"]
        self._choosing, self._unseen = inner_seeds(seed, "finalists", count), inner_seeds(seed, "check", count)
        self._rows: list[Checked] = []
        self._overrides: list[str] = []

    def __call__(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the check found, once the run is over."""
        from evonas_cli.report.tuned import checked, finalists, winner
        from evonas_cli.store.journal import Journal

        best = finalists(Journal(self._run.journal, write=False), self._parts.constraints, self._finalists)
        chosen = winner(self._tasks["task"], best, self._choosing, self._metric)
        self._overrides = [f"{PREFIX}{name}={_written(value)}" for name, value in chosen.items()]
        self._rows = [checked(task, inner, chosen, self._unseen, self._metric) for task, inner in self._tasks.items()]
        return {"overrides": self._overrides, "check": [row.document() for row in self._rows]}

    def say(self) -> None:
        """A table with a row for each task, and the overrides; nothing where the run found no settings."""
        if not self._rows:
            return
        inner = self._tasks["task"]
        counted = inner.objective(self._metric)
        say(f"checked on {several(len(self._unseen), 'unseen seed')}, {inner.evaluations} evaluations each: "
            f"{counted.name} ({counted.direction}) of the best candidate, and Student's 95 % interval")  # fmt: skip
        rows = [["", "default", "sd", "tuned", "sd", "tuned - default", "tuned is"]]
        print_columns([*rows, *[_row(row, counted) for row in self._rows]], {0})
        say(shlex.join(self._overrides))


def _row(row: Checked, counted: Objective) -> list[str]:
    """The task with what it came to, in the metric's own direction."""
    if row.failure is not None:
        return [row.task, "", "", "", "", "", f"unknown: {row.failure}"]
    sign = counted.metric(1.0)
    cells = [text for own in (row.default, row.tuned) for text in (readable(sign * fmean(own)), readable(stdev(own)))]
    low, high = sorted(sign * end for end in row.interval)
    apart = f"{readable(sign * fmean(row.differences))} [{readable(low)}, {readable(high)}]"
    return [row.task, *cells, apart, row.verdict]


def replaced(words: Sequence[str], others: Sequence[str]) -> list[str]:
    """Overrides after which others were given: a later one takes the place of an earlier one with its key, and another
    option of a group that of all keys in the group."""
    keys = {word.partition("=")[0] for word in others}
    kept = [word for word in words if (key := word.partition("=")[0]) not in keys and key.partition(".")[0] not in keys]
    return [*kept, *others]


def _inside(space: Mapping[str, Any], settings: Mapping[str, Json]) -> bool:
    """Whether the settings are a genome."""
    from evonas_cli.config.build import build

    try:
        build(space, "space").from_json(settings)
    except ValueError:
        return False
    return True


def _written(value: Json) -> str:
    """A value as an override has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_counts(searches: int, seeds: int, finalists: int, check_seeds: int) -> None:
    from evonas_cli.core.errors import UsageError
    from evonas_cli.run.inner import LEAST_CANDIDATES

    for name, value, least in (("--seeds", seeds, 1), ("--finalists", finalists, 1), ("--check-seeds", check_seeds, 2)):
        if value < least:
            raise UsageError(f"{name} is {value}; it must be {least} or more")
    if searches < LEAST_CANDIDATES:
        raise UsageError(
            f"--searches is {searches}: the inner searches of one setting would take more than a tenth of all; "
            f"it must be {LEAST_CANDIDATES} or more"
        )
