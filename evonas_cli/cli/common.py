"""Options and small steps that several verbs share."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from evonas_cli.cli.stopping import GRACE
from evonas_cli.core.display import json_line, visible, visible_lines
from evonas_cli.core.display import readable as readable
from evonas_cli.core.files import path_of
from evonas_cli.core.types import Json

OUTPUTS = Path("outputs")


def reference_of(text: str) -> str:
    """What names a run; `~` begins a path below a home folder."""
    return str(path_of(text)) if text.startswith("~") else text


Outputs = Annotated[
    Path, typer.Option("--outputs", parser=path_of, metavar="PATH", help="Folder in which runs are looked for.")
]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="Settings as key=value, e.g. strategy=random budget.evaluations=100.")
]
ConfigDirs = Annotated[
    list[Path] | None,
    typer.Option(
        "--config-dir", parser=path_of, metavar="PATH", help="Folder with more YAML files; may be given again."
    ),
]
AllowModules = Annotated[
    list[str] | None, typer.Option("--allow-module", help="Module outside evonas that configurations may name.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results only.")]
Workers = Annotated[int | None, typer.Option("--workers", help="Worker processes (evaluator.workers).")]
Devices = Annotated[str | None, typer.Option("--devices", help="CUDA devices, e.g. 0,1 (evaluator.devices).")]
LONGEST_GRACE = 86_400.0


def grace_of(text: str) -> float:
    """Seconds of --grace. Raises typer.BadParameter."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds <= LONGEST_GRACE:
        raise typer.BadParameter(f"{text!r} is no number of seconds from 0 to {LONGEST_GRACE:.0f}")
    return seconds


Grace = Annotated[
    float,
    typer.Option(
        "--grace",
        parser=grace_of,
        metavar="SECONDS",
        help=f"How long trainings may go on to an epoch's end after Ctrl-C or SIGTERM (default {GRACE:.0f}).",
        show_default=False,
    ),
]
Run = Annotated[
    str,
    typer.Argument(metavar="RUN", parser=reference_of, help="A run's path, the beginning of its name, or `latest`."),
]


def say(text: object = "", end: str = "\n", flush: bool = False) -> None:
    """Lines on stdout, of which each is `visible`. Raises OSError where they cannot be written."""
    print(visible_lines(str(text)), end=end, flush=flush)


def remark(text: str) -> None:
    """A line on stderr. Once stderr is closed or full, this and later remarks are lost, and the work goes on."""
    if sys.stderr is None:
        return
    try:
        start = "\r" if sys.stderr.isatty() else ""  # over the `^C` that a terminal shows
        print(f"{start}{visible(text)}", file=sys.stderr, flush=True)
    except OSError:
        forget(sys.stderr)


def help_without_verb(context: typer.Context) -> None:
    """Prints the help of a command that has verbs and was called without one."""
    if context.invoked_subcommand is None:
        say(context.get_help())


def forget(stream: TextIO) -> None:
    """What is written there from now on, and what is still buffered, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def print_json(document: Json) -> None:
    """One document on one line."""
    print(json_line(document, getattr(sys.stdout, "encoding", None) or "utf-8"))


def machine_overrides(workers: int | None, devices: str | None) -> list[str]:
    """The overrides that --workers and --devices stand for."""
    found = [] if workers is None else [f"evaluator.workers={workers}"]
    return found + ([] if devices is None else [f"evaluator.devices=[{devices}]"])


def several(number: int, noun: str, plural: str = "") -> str:
    """`1 worker`, `2 workers`; `plural` where it is no mere `s`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def pace(throughput: Mapping[str, float | None]) -> list[str]:
    """The figures of throughput in words, as far as they were measured."""
    rate, each = throughput["candidates_per_hour"], throughput["device_seconds_per_candidate"]
    training, idle = throughput["share_training"], throughput["idle_share"]
    words = [
        None if rate is None else f"{readable(rate)} candidates an hour",
        None if each is None else f"{readable(each)} s each",
        None if training is None else f"{training:.0%} of it training",
        None if idle is None else f"workers idle {idle:.0%}",
    ]
    return [text for text in words if text is not None]


def print_columns(rows: Sequence[Sequence[str]], words: Collection[int] = ()) -> None:
    """Rows in aligned columns: numbers to the right, columns of `words` to the left, the last column as it is."""
    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [max(len(row[k]) for row in shown) for k in range(len(rows[0]) - 1)]
    for row in shown:
        cells = [
            cell.ljust(width) if place in words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        print("  ".join([*cells, row[-1]]))


def shorten(genome: Any, limit: int = 100) -> str:
    """A genome on one line."""
    text = visible(genome if isinstance(genome, str) else json.dumps(genome, ensure_ascii=False))
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
