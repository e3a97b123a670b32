"""`evonas list`, `show` and `pareto`: looking at runs, finished or not, without touching them."""

from __future__ import annotations

import json as jsonlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from evonas_cli.cli.common import (
    OUTPUTS,
    AllowModules,
    AsJson,
    Outputs,
    Run,
    pace,
    print_columns,
    print_json,
    readable,
    remark,
    say,
)

if TYPE_CHECKING:
    from evonas_cli.core.types import Json
    from evonas_cli.report.reading import Reading
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
    """A row of the list; `-` stands for what nobody knows of the run."""
    best = "-" if seen.best is None else f"{seen.best[0]} {readable(seen.best[1])}"
    limit = seen.budget.get("evaluations")
    done = f"{seen.evaluations:,}" + ("" if limit is None or seen.state == "done" else f"/{int(limit):,}")
    chosen = [seen.choices.get(group, "-") for group in ("space", "strategy", "dataset")]
    return [seen.state, done, best, *chosen, f"{seen.seconds:,.1f}", name]


def show(
    run: Run,
    candidate: Annotated[int | None, typer.Argument(help="A candidate's id.")] = None,
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
    json: AsJson = False,
) -> int:
    """Show a run, or one of its candidates."""
    from evonas_cli.core.errors import RunError
    from evonas_cli.report.reading import read_run

    reading = read_run(run, outputs, allow_module or [])
    if candidate is None:
        return _show_run(reading, json)
    if candidate not in reading.journal:
        raise RunError(f"{reading.run.root} has no candidate {candidate}; it has {len(reading.journal)}, from id 0 on")
    entry = reading.journal.read(candidate)
    if json:
        print_json({"schema": 1, "candidate": entry})
        return 0
    for key, value in entry.items():
        if key == "metrics":
            for name, number in value.items():
                say(f"{name:<15} {readable(number)}")
        elif key != "crc":
            say(f"{key:<15} {value if isinstance(value, str) else jsonlib.dumps(value, ensure_ascii=False)}")
    for line in reading.network(entry):
        say(line)
    return 0


def _show_run(reading: Reading, as_json: bool) -> int:
    from evonas_cli.cli.running import print_front
    from evonas_cli.report.failures import tally
    from evonas_cli.store.figures import read

    metadata = reading.run.metadata()
    logged = list(read(reading.run.figures))
    failures = tally(reading.journal)
    document: dict[str, Any] = {
        "schema": 1,
        "run": str(reading.run.root),
        "state": reading.run.state(),
        "evaluations": len(reading.journal),
        "cached": sum("cached" in entry for entry in reading.journal),
        "failed": failures.kinds(),
        "failures": [asdict(reason) for reason in failures.commonest()],
        "elapsed_seconds": reading.run.elapsed(),
        "throughput": reading.throughput(),
        "figures": logged[-1] if logged else None,
        **{key: metadata[key] for key in ("created", "evonas", "choices", "environment", "versions")},
    }
    if as_json:
        print_json({**document, **reading.front()})
        return 0
    for key, value in document.items():
        if key == "failures":
            for reason in failures.commonest():
                say(f"{'':<16}{reason.count} {reason}")
        elif key == "figures" and value is not None:
            say(f"{key:<15} {jsonlib.dumps(value)}")
        elif key == "throughput":
            say(f"{key:<15} {', '.join(pace(value)) or 'not measured'}")
        elif key not in ("schema", "versions", "figures"):
            pairs = value.items() if isinstance(value, dict) else ()
            text = ", ".join(f"{k} {v}" for k, v in pairs if k != "data") if isinstance(value, dict) else str(value)
            say(f"{key:<15} {text or 'none'}")
    say()
    print_front(reading.front())
    return 0


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
