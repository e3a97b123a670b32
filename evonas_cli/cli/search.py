"""`evonas search`: compose, build, run, report."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from evonas_cli.cli.common import (
    AllowModules,
    AsJson,
    ConfigDirs,
    Devices,
    Grace,
    Overrides,
    Quiet,
    Workers,
    machine_overrides,
    remark,
    say,
)
from evonas_cli.cli.stopping import GRACE, ignore_hangups
from evonas_cli.core.files import path_of

if TYPE_CHECKING:
    from evonas_cli.cli.running import More
    from evonas_cli.config.compose import Composed
    from evonas_cli.run.assembly import Parts
    from evonas_cli.store.directory import RunDirectory

Resume = Literal["never", "auto", "must"]
Cfg = Annotated[Literal["job", "all"] | None, typer.Option("--cfg", help="Print the configuration and stop.")]


def search(
    overrides: Overrides = None,
    run_dir: Annotated[
        Path | None,
        typer.Option(
            "--run-dir",
            parser=path_of,
            metavar="PATH",
            help="Folder of the run (default: outputs/<date>/<time>-<name>).",
        ),
    ] = None,
    resume: Annotated[Resume, typer.Option("--resume", help="What to do when --run-dir holds a run.")] = "never",
    workers: Workers = None,
    devices: Devices = None,
    config_dir: ConfigDirs = None,
    allow_module: AllowModules = None,
    cfg: Cfg = None,
    tune: Annotated[
        bool, typer.Option("--tune", help="First try which settings of the engine are fastest; set them.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, start nothing.")] = False,
    grace: Grace = GRACE,
    json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Search for architectures.

    Prints the Pareto front and, as the last line, the run's path.
    """
    from evonas_cli.cli.config import print_config
    from evonas_cli.run.session import new_run
    from evonas_cli.store.directory import RunDirectory, abandon

    ignore_hangups()
    words = [*(overrides or []), *machine_overrides(workers, devices)]
    line = _Line(words, config_dir or [], allow_module or [])
    composed, parts = line.assembled()
    if cfg is not None:
        return print_config(replace(composed, config=parts.config), cfg)
    if tune and run_dir is not None and resume != "never" and RunDirectory(run_dir).exists():
        composed, parts = line.as_recorded(RunDirectory(run_dir))
    exists = holds_run(run_dir, resume, parts)
    if dry_run:
        return describe(parts)
    if tune and not exists:
        composed, parts = line.tuned(parts)
    opening = Opening(new_run(composed, run_dir, line.allowed), composed.choices, exists, resume)
    try:
        return opening.carry_out(parts, quiet, json, grace=grace)
    finally:
        if run_dir is None:
            abandon(opening.run.root)


@dataclass(frozen=True)
class _Line:
    """What a command line configures: overrides, further folders of configuration, and modules that are allowed."""

    words: Sequence[str]
    folders: Sequence[Path]
    allowed: Sequence[str]

    def assembled(self, more: Sequence[str] = ()) -> tuple[Composed, Parts]:
        """The configuration and its parts, with `more` overrides after those of the line."""
        from evonas_cli.config.compose import compose
        from evonas_cli.run.assembly import assemble

        composed = compose([*self.words, *more], self.folders)
        return composed, assemble(composed.config, self.allowed, self.folders)

    def as_recorded(self, run: RunDirectory) -> tuple[Composed, Parts]:
        """The same with the settings to which an existing run was tuned."""
        from evonas_cli.cli.tune import recorded

        return self.assembled(_new(recorded(run), self.words))

    def tuned(self, parts: Parts) -> tuple[Composed, Parts]:
        """The same with the settings that are fastest here, which are tried now and said."""
        from evonas_cli.cli.tune import measured, names

        found = _new(measured(parts, names(self.words), 1.0).overrides, self.words)
        remark(f"evonas: tuned to {shlex.join(found)}")
        return self.assembled(found)


@dataclass(frozen=True)
class Opening:
    """A run to be made, or to be reopened where it `exists`; `choices` has the chosen option of each group."""

    run: RunDirectory
    choices: Mapping[str, str]
    exists: bool
    resume: Resume

    def carry_out(self, parts: Parts, quiet: bool, json: bool, more: More | None = None, grace: float = GRACE) -> int:
        """Opens the run and works it off. A run that another process has made meanwhile is reopened if --resume says
        so. `more` and `grace` are as in `running.carry_out`."""
        from evonas_cli.cli.running import carry_out, narrator
        from evonas_cli.core.errors import UsageError
        from evonas_cli.run.session import create, reopen

        run, voice = self.run, narrator(parts, quiet)
        again = lambda: reopen(run, parts, voice.result)  # noqa: E731
        begin = lambda: create(run, parts, self.choices, voice.result, sys.argv[1:])  # noqa: E731
        if self.exists:
            return carry_out(again, run, voice, json, more, grace)
        try:
            return carry_out(begin, run, voice, json, more, grace)
        except UsageError:
            if self.resume == "never" or not run.exists():
                raise
            return carry_out(again, run, voice, json, more, grace)


def _new(found: Sequence[str], overrides: Sequence[str]) -> list[str]:
    """The overrides that tuning found, without keys that the user has set."""
    given = {text.partition("=")[0] for text in overrides}
    return [text for text in found if text.partition("=")[0] not in given]


def holds_run(run_dir: Path | None, resume: Resume, parts: Parts) -> bool:
    """Whether the folder holds a run that --resume allows to go on with. Raises UsageError or RunError if not."""
    from evonas_cli.core.errors import RunError, UsageError
    from evonas_cli.run.identity import check_identity
    from evonas_cli.store.directory import RunDirectory

    if run_dir is None:
        if resume == "must":
            raise UsageError("--resume must needs --run-dir; or use `evonas resume RUN`")
        return False
    run = RunDirectory(run_dir)
    if not run.exists():
        if resume == "must":
            raise RunError(f"{run_dir} holds no run to resume")
        run.check_free()
        return False
    if resume == "never":
        raise UsageError(f"{run_dir} holds a run; pass --resume auto to go on with it or choose another --run-dir")
    run.metadata()
    check_identity(run, parts.config)
    return True


def describe(parts: Parts) -> int:
    """Checks what a start of the run would check first, and says what the run would be."""
    from evonas_cli.core.evaluating import advice
    from evonas_cli.core.rng import stream
    from evonas_cli.run.fit import check_data
    from evonas_cli.run.graphs import check_ahead
    from evonas_cli.run.tracking import tracker_of

    check_data(parts.job, parts.goals.asked)
    check_ahead(parts.space, parts.job, parts.config["seed"], parts.allowed)
    tracker_of(parts.config, parts.allowed)
    for line in advice(parts.job):
        remark(f"evonas: {line}")
    fold = parts.fold()
    first = parts.space.sample(stream(parts.config["seed"], "dry-run"))
    goals = ", ".join(f"{o.name} ({o.direction})" for o in fold.objectives)
    say(f"strategy    {type(parts.strategy).__name__}, window {fold.window}")
    say(f"space       {type(parts.space).__name__}, for example {parts.space.to_json(first)}")
    if (begun := parts.config["start_from"]) is not None:
        say(f"start       {len(begun['genomes'])} given genomes ({begun['run']})")
    say(f"objectives  {goals}")
    if parts.reward is not None:
        say(f"reward      {parts.reward}")
    if parts.constraints:
        say(f"constraints {', '.join(map(str, parts.constraints))}")
    say(f"budget      {', '.join(f'{k} {v}' for k, v in parts.config['budget'].items() if v is not None)}")
    return 0
