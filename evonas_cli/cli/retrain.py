"""`evonas retrain`: train candidates of a run again, with several seeds, and measure them on the test part."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas_cli.cli.common import (
    OUTPUTS,
    AllowModules,
    AsJson,
    Devices,
    Grace,
    Outputs,
    Quiet,
    Run,
    Workers,
    machine_overrides,
    print_columns,
    readable,
    say,
    several,
)
from evonas_cli.cli.stopping import GRACE, ignore_hangups
from evonas_cli.core.files import path_of
from evonas_cli.core.types import Json

if TYPE_CHECKING:
    from evonas_cli.config.compose import Composed
    from evonas_cli.report.reading import Reading
    from evonas_cli.report.retrained import Measured, Retrained
    from evonas_cli.run.assembly import Parts


def retrain(
    run: Run,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID|best|knee|front]... [KEY=VALUE]...",
            help="Candidates (default: best), and settings such as trainer.epochs=50.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="How often each candidate is trained.")] = 3,
    full: Annotated[
        bool, typer.Option("--full", help="Train on the validation part, too, and measure the test part alone.")
    ] = False,
    run_dir: Annotated[
        Path | None,
        typer.Option("--run-dir", parser=path_of, metavar="PATH", help="Folder of the new run."),
    ] = None,
    workers: Workers = None,
    devices: Devices = None,
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
    grace: Grace = GRACE,
    json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Train candidates of a run again and measure them on the test part.

    Makes an ordinary run, which keeps the weights and can be resumed. Prints mean and 95 % interval over the seeds.
    """
    from evonas_cli.cli.running import carry_out, narrator
    from evonas_cli.core.errors import UsageError
    from evonas_cli.report.choosing import chosen
    from evonas_cli.report.reading import read_run
    from evonas_cli.run.session import create, new_run
    from evonas_cli.store.directory import abandon

    ignore_hangups()
    if seeds < 1:
        raise UsageError(f"--seeds is {seeds}; it must be 1 or more")
    allowed = allow_module or []
    names = [word for word in words or [] if "=" not in word]
    overrides = [word for word in words or [] if "=" in word] + machine_overrides(workers, devices)
    reading = read_run(run, outputs, allowed)
    ids = chosen(reading, names or ["best"])
    composed, parts = _confirmation(reading, ids, seeds, overrides, allowed, full)
    made = new_run(composed, run_dir, allowed)
    source: dict[str, Json] = {"run": str(reading.run.root.absolute()), "ids": ids}
    voice = narrator(parts, quiet)
    try:
        made.check_free()
        start = lambda: create(made, parts, composed.choices, voice.result, sys.argv[1:], source)  # noqa: E731
        return carry_out(start, made, voice, json, grace=grace)
    finally:
        if run_dir is None:
            abandon(made.root)


def _confirmation(
    reading: Reading, ids: Sequence[int], seeds: int, overrides: Sequence[str], allowed: Sequence[str], full: bool
) -> tuple[Composed, Parts]:
    """The run that trains candidates of another one again. Raises UsageError where they make no networks."""
    from evonas_cli.config.compose import Composed
    from evonas_cli.run.assembly import assemble
    from evonas_cli.run.confirming import check_networks, confirming
    from evonas_cli.run.stored import stored_config

    genomes = {id: reading.journal.read(id)["genome"] for id in ids}
    metadata = reading.run.metadata()
    config = confirming(stored_config(reading.run), list(genomes.values()), seeds, overrides, allowed, full)
    check_networks(config, genomes, metadata["environment"].get("task"), allowed)
    return Composed(config, {**metadata["choices"], "strategy": "listed"}), assemble(config, allowed)


def print_retrained(found: Sequence[Retrained], opened: int, where: Path) -> None:
    """A row for each candidate, then how often the test part was read."""
    names = list(dict.fromkeys(name for one in found for name in one.metrics))
    rows = [["id", "seeds", *names]]
    for one in found:
        seeds = f"{one.succeeded}" if one.succeeded == one.seeds else f"{one.succeeded} of {one.seeds}"
        rows.append([str(one.id), seeds, *(_in_words(one.metrics.get(name)) for name in names)])
    print_columns(rows)
    if any(measured.interval for one in found for measured in one.metrics.values()):
        say("[low, high]: 95 % CI of the mean over the seeds (Student's t)")
    if opened:
        near = where.relative_to(Path.cwd()) if where.is_relative_to(Path.cwd()) else where
        say(f"test opened {several(opened, 'time')} ({near})")


def document(found: Sequence[Retrained], opened: int) -> dict[str, Any]:
    """The same as JSON."""
    return {"retrained": [asdict(one) for one in found], "test_openings": opened}


def _in_words(measured: Measured | None) -> str:
    if measured is None:
        return "failed"
    if measured.interval is None:
        return readable(measured.mean)
    low, high = measured.interval
    return f"{readable(measured.mean)} [{readable(low)}, {readable(high)}]"
