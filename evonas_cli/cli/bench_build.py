"""`evonas bench build`: all networks of a small space trained once, as a table for job=table."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evonas_cli.cli.common import (
    AllowModules,
    ConfigDirs,
    Devices,
    Quiet,
    Workers,
    machine_overrides,
    remark,
    say,
    several,
)
from evonas_cli.core.files import path_of

if TYPE_CHECKING:
    from evonas_cli.bench.enumeration import Enumeration
    from evonas_cli.config.compose import Composed
    from evonas_cli.store.directory import RunDirectory

ENDINGS = (".csv.gz", ".csv")
OWN = ("space", "budget.evaluations", "budget.cost")
OWN_GROUPS = ("strategy", "job", "jobs", "dedupe", "constraints", "scalarize", "reference")
"""Keys that the build sets itself, and groups of such keys."""


def build(
    space: Annotated[str, typer.Argument(metavar="SPACE", help="A space of few networks, e.g. nasbench201.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Settings, e.g. space.channels=4 trainer.epochs=10."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", parser=path_of, metavar="PATH", help="The table, a .csv.gz or .csv file."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="How often each network is trained.")] = 2,
    limit: Annotated[int, typer.Option("--limit", help="Largest number of distinct networks.")] = 5000,
    run_dir: Annotated[
        Path | None,
        typer.Option(
            "--run-dir", parser=path_of, metavar="PATH", help="Folder of the run (default: the table's name and -run)."
        ),
    ] = None,
    workers: Workers = None,
    devices: Devices = None,
    config_dir: ConfigDirs = None,
    allow_module: AllowModules = None,
    quiet: Quiet = False,
) -> int:
    """Train each distinct network of a small space and write a table for job=table.

    The trainings are an ordinary run. The same command goes on with a build that was interrupted, and `evonas resume`
    goes on with its trainings. Genomes of one network have equal rows, so that the table has every genome of the space.
    """
    from evonas_cli.bench.enumeration import enumerate_space
    from evonas_cli.bench.ground_truth import building
    from evonas_cli.config.compose import Composed, compose
    from evonas_cli.run.assembly import resolved
    from evonas_cli.store.directory import RunDirectory

    words, folders, allowed = overrides or [], config_dir or [], allow_module or []
    table = _checked(output, words, seeds, limit)
    composed = compose([f"space={space}", *words, *machine_overrides(workers, devices)], folders)
    config = resolved(composed.config, allowed)
    found = enumerate_space(config, limit, allowed, folders)
    built = Composed(building(config, found, seeds, allowed), {**composed.choices, "strategy": "listed"})
    run = RunDirectory(run_dir or table.with_name(f"{table.name.partition('.csv')[0]}-run"))
    code = _trained(built, run, allowed, folders, quiet)
    if not _complete(found, seeds, run) or code:
        return 1
    return _written(found, seeds, run, table, [f"space={space}", *words])


def _checked(output: Path | None, words: Sequence[str], seeds: int, limit: int) -> Path:
    """The path of the table. Raises UsageError for options that allow none."""
    from evonas_cli.core.errors import UsageError

    if output is None:
        raise UsageError("-o is not given; name the table, -o table.csv.gz")
    if not output.name.endswith(ENDINGS):
        raise UsageError(f"-o {output}: a table ends in {' or '.join(ENDINGS)}")
    if output.exists():
        raise UsageError(f"-o {output} exists; remove it or name another file")
    if not output.parent.is_dir():
        raise UsageError(f"-o {output}: its folder is not there; make it or name another file")
    for name, value in (("--seeds", seeds), ("--limit", limit)):
        if value < 1:
            raise UsageError(f"{name} is {value}; it must be 1 or more")
    for word in words:
        key = word.partition("=")[0]
        if key in OWN or key.partition(".")[0] in OWN_GROUPS:
            raise UsageError(f"{word}: the build sets this itself; leave it out")
    return output


def _trained(built: Composed, run: RunDirectory, allowed: Sequence[str], folders: Sequence[Path], quiet: bool) -> int:
    """Makes the run, or goes on with it. Returns the exit code: 1 when no training has succeeded."""
    from evonas_cli.cli.running import carry_out, narrator
    from evonas_cli.run.assembly import assemble
    from evonas_cli.run.identity import check_identity
    from evonas_cli.run.session import create, reopen

    parts = assemble(built.config, allowed, folders)
    voice = narrator(parts, quiet)
    if run.exists():
        check_identity(run, parts.config)
        return carry_out(lambda: reopen(run, parts, voice.result), run, voice, False)
    run.check_free()
    return carry_out(lambda: create(run, parts, built.choices, voice.result, sys.argv[1:]), run, voice, False)


def _complete(found: Enumeration, seeds: int, run: RunDirectory) -> bool:
    """Whether the run has all its trainings; a line says how many are missing."""
    from evonas_cli.bench.ground_truth import missing
    from evonas_cli.store.journal import Journal

    left = missing(found, seeds, Journal(run.journal, write=False))
    if left:
        remark(f"evonas: {several(left, 'training')} missing, so there is no table yet; the same command goes on")
    return not left


def _written(found: Enumeration, seeds: int, run: RunDirectory, table: Path, words: Sequence[str]) -> int:
    """Writes the table of a run that is done; returns the exit code."""
    from evonas_cli.bench.ground_truth import READS, rows, write
    from evonas_cli.store.journal import Journal

    made = rows(found, seeds, Journal(run.journal, write=False))
    write(table, made)
    failed = Counter(str(row["failure"]) for row in made if row["failure"])
    lost = f"; {', '.join(f'{count:,} {kind}' for kind, count in sorted(failed.items()))}" if failed else ""
    networks = f"{len(found.networks):,} distinct networks, {several(seeds, 'training')} each"
    say(f"{table}: {len(made):,} genomes, {networks}{lost}")
    own = [word for word in words if word.partition(".")[0].partition("=")[0] == "space"]
    settings = [f"job.{key}={value}" for key, value in READS.items()]
    say(shlex.join(["evonas", "search", *own, "job=table", f"job.path={table}", *settings]))
    return 0
