"""`evonas auto`: from data to a tuned and exported network within a budget of time."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evonas_cli.cli.common import AsJson, Quiet, Workers, machine_overrides, print_columns, print_json, remark, say
from evonas_cli.core.files import path_of
from evonas_cli.core.silence import silenced
from evonas_cli.core.types import Json

if TYPE_CHECKING:
    from evonas_cli.auto.request import Request
    from evonas_cli.auto.state import State
    from evonas_cli.auto.steps import Carry, Worked
    from evonas_cli.run.assembly import Parts
    from evonas_cli.run.session import Session
    from evonas_cli.store.recorder import Watch

LARGEST = 60
"""Characters of an auto's name."""


def auto(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA", help="A folder of class folders of images, an .npz or .csv file, or a data set's name."
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings, e.g. space=mlp trainer.epochs=20.")
    ] = None,
    budget: Annotated[str, typer.Option("--budget", help="Time for everything: 90s, 30m or 2h.")] = "30m",
    target: Annotated[
        list[str] | None, typer.Option("--target", metavar="COLUMN", help="Column to predict; repeatable.")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", metavar="COLUMN", help="Column of the texts.")] = None,
    run_dir: Annotated[
        Path | None,
        typer.Option(
            "--run-dir", parser=path_of, metavar="PATH", help="Folder of the auto (default: outputs/auto/...)."
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", parser=path_of, metavar="PATH", help="Go on with the auto in this folder."),
    ] = None,
    workers: Workers = None,
    json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Search, tune and retrain a network for your data, beside a naive one.

    Prints a line each for the naive network and the evolved one, untuned and tuned, with validation and test figures.
    Leaves an exported model and a report. The last line is the folder, with which --resume goes on.
    """
    from evonas_cli.auto.steps import Steps
    from evonas_cli.cli.stopping import ignore_hangups

    began = time.monotonic()
    ignore_hangups()
    state = _state(data, overrides, budget, target, text, run_dir, resume, workers, quiet, began)
    worked = Steps(state, _carry(state.root, quiet), sys.argv[1:], began).work()
    return _concluded(state, worked, json)


def _state(
    data: str | None,
    overrides: list[str] | None,
    budget: str,
    target: list[str] | None,
    text: str | None,
    run_dir: Path | None,
    resume: Path | None,
    workers: int | None,
    quiet: bool,
    began: float,
) -> State:
    """The auto to work on: the one that is resumed, or a new one that has been planned and said."""
    from evonas_cli.auto.request import Request, seconds_of
    from evonas_cli.auto.state import read_state, there
    from evonas_cli.core.errors import UsageError

    if resume is not None:
        if data is not None or overrides or target or text is not None or run_dir is not None:
            raise UsageError("--resume goes on with what the folder says; leave DATA, settings and --run-dir out")
        return read_state(resume)
    if data is None:
        raise UsageError("name the data: evonas auto DATA; `evonas auto --help` shows what DATA may be")
    words = (*(overrides or []), *machine_overrides(workers, None))
    request = Request(data, seconds_of(budget), tuple(target or ()), text, words)
    if run_dir is not None and there(run_dir):
        state = read_state(run_dir)
        if state.request != request:
            raise UsageError(
                f"{run_dir} holds an auto that was asked for otherwise; go on with it by --resume {run_dir}"
            )
        return state
    return _begun(request, run_dir, quiet, began)


def _begun(request: Request, run_dir: Path | None, quiet: bool, began: float) -> State:
    from evonas_cli.auto.planning import planned
    from evonas_cli.auto.request import in_words
    from evonas_cli.auto.state import State
    from evonas_cli.store.directory import RunDirectory, new_root

    if run_dir is not None:
        RunDirectory(run_dir).check_free()
    prospect = planned(request, began)
    root = run_dir or new_root(prospect.outputs / "auto", _label(request.data), datetime.now())
    state = State(root, request, prospect.plan)
    state.write()
    ends = datetime.now() + timedelta(seconds=request.budget)
    whole = f"{in_words(request.budget)} in all, until {ends:%H:%M:%S}; after a stop: evonas auto --resume {root}"
    for line in [] if quiet else [*prospect.lines(), whole]:
        remark(f"evonas: {line}")
    return state


def _label(data: str) -> str:
    """The part of an auto's folder that says which data it is of."""
    stem = Path(data).name.partition(".")[0] or "data"
    return (
        "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in stem)[:LARGEST].strip("-")
        or "data"
    )


def _carry(root: Path, quiet: bool) -> Carry:
    """What works a step's session off, with a board or lines of it on stderr."""
    from evonas_cli.auto.shares import NAIVE
    from evonas_cli.cli.running import conducted, narrator
    from evonas_cli.cli.stopping import GRACE, Stopped, Terminated

    def carry(step: str, parts: Parts, opens: Callable[[Watch], Session]) -> None:
        voice = narrator(parts, quiet)
        if not quiet:
            remark(f"evonas: step {step}")
        try:
            spoken = nullcontext() if step == NAIVE else silenced(logging.INFO)  # naive tells of the data
            with spoken, voice.telling(lambda: opens(voice.result)) as session:
                conducted(session, voice, GRACE)
        except (KeyboardInterrupt, Terminated) as stop:
            raise Stopped(stop, root, "auto --resume") from stop

    return carry


def _concluded(state: State, worked: Worked, json: bool) -> int:
    """Writes model and report, prints the lines. Returns 1 where no final training has ended."""
    from evonas_cli.auto import table
    from evonas_cli.auto.leaving import leave

    if not any(line.tests for line in worked.lines):
        remark(f"evonas: the budget was used up before a final training ended; {state.root} has what was found")
        say(state.root)
        return 1
    left = leave(state, worked)
    if json:
        more: dict[str, Json] = {"exported": left.name, "model": str(left.model), "report": str(left.report)}
        more |= {"seconds": left.seconds, "tuning_kept": list(worked.kept)}
        print_json({"schema": 1, "auto": str(state.root), **table.document(worked.lines, left.examples), **more})
        return 0
    print_columns(table.rows(worked.lines, left.examples), words=(0, 2))
    for line in [*table.notes(worked.lines, left.examples), *map(table.untuned, worked.kept)]:
        say(line)
    say(table.verdict(worked.lines[0], worked.lines[-1], left.examples))
    say(f"model   {left.model} ({left.name}: the best on validation)")
    say(f"report  {left.report}")
    say(state.root)
    return 0
