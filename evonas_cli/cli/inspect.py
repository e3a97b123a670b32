"""`evonas list` and `pareto`: looking at runs, finished or not, without touching them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from evonas_cli.cli.common import (
    OUTPUTS,
    AllowModules,
    AsJson,
    Outputs,
    Run,
    print_columns,
    print_json,
    readable,
    remark,
    say,
)

if TYPE_CHECKING:
    from evonas_cli.core.types import Json
    from evonas_cli.store.glance import Glance


def list_runs(outputs: Outputs = OUTPUTS, json: AsJson = False) -> int:
    """List the runs under outputs/, oldest first."""
    from evonas_cli.store.directory import name_of, runs
    from evonas_cli.store.glance import glance

    found = [(run, glance(run)) for run in runs(outputs)]
    if json:
        rows: list[Json] = [
            {"run": name_of(run, outputs), "path": str(run.root), **seen.document()} for run, seen in found
        ]
        print_json({"schema": 1, "runs": rows})
    elif found:
        head = ["state", "evaluations", "best", "space", "strategy", "data", "seconds", "run"]
        lines = [_listed(seen, name_of(run, outputs)) for run, seen in found]
        print_columns([head, *lines], words=(0, 2, 3, 4, 5))
    return 0


def _listed(seen: Glance, name: str) -> list[str]:
    """A row of the list; `-` stands for what the run does not say."""
    best = "-" if seen.best is None else f"{seen.best[0]} {readable(seen.best[1])}"
    limit = seen.budget.get("evaluations")
    done = f"{seen.evaluations:,}" + ("" if limit is None or seen.state == "done" else f"/{int(limit):,}")
    chosen = [seen.choices.get(group, "-") for group in ("space", "strategy", "dataset")]
    return [seen.state, done, best, *chosen, f"{seen.seconds:,.1f}", name]


def pareto(
    run: Run,
    format: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to print.")] = "table",
    json: AsJson = False,
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
) -> int:
    """Print a run's Pareto front."""
    from evonas_cli.cli.running import print_front
    from evonas_cli.report.reading import read_run
    from evonas_cli.store.derived import pareto_csv

    reading = read_run(run, outputs, allow_module or [])
    front = reading.front()
    if not front["front"]:
        remark(f"evonas: {reading.run.root} has no front yet; `evonas show {reading.run.root}` says what has failed")
    if json or format == "json":
        print_json(front)
    elif format == "csv":
        say(pareto_csv(front), end="")
    else:
        print_front(front)
    return 0
