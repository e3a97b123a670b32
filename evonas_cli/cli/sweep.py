"""`evonas sweep`: many searches from one line, one after another or several at once."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evonas_cli.cli.common import (
    OUTPUTS,
    AllowModules,
    AsJson,
    ConfigDirs,
    Devices,
    Grace,
    Outputs,
    Quiet,
    Workers,
    machine_overrides,
    print_columns,
    print_json,
    readable,
    reference_of,
    remark,
    say,
    several,
)
from evonas_cli.cli.stopping import GRACE, ignore_hangups

if TYPE_CHECKING:
    from evonas_cli.sweep.children import Child
    from evonas_cli.sweep.folder import Manifest, Standing, SweepFolder
    from evonas_cli.sweep.running import Outcome

STATES = ("done", "failed", "interrupted", "running", "waiting", "skipped", "damaged", "foreign")
_SILENCE = 5.0


@dataclass(frozen=True)
class Start:
    """What a new sweep is asked to be."""

    overrides: Sequence[str]
    folders: Sequence[Path]
    allowed: Sequence[str]
    outputs: Path
    name: str | None
    keep_going: bool


@dataclass
class Voice:
    """Timed lines on stderr, or with `quiet` none; and how long trainings of a search that is stopped may go on."""

    quiet: bool
    grace: float = GRACE
    last: float = field(default_factory=time.monotonic)

    def line(self, text: str) -> None:
        """One timed line."""
        self.last = time.monotonic()
        if not self.quiet:
            remark(f"[{time.strftime('%H:%M:%S')}] {text}")


def sweep(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="OVERRIDES|status NAME|resume NAME",
            help="Settings in Hydra's sweep syntax, e.g. strategy=random,genetic seed='range(0,5)'; or `status` or "
            "`resume` and a sweep's name, its folder, or `latest`.",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Searches that run at once.")] = 1,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of a new sweep: outputs/sweep-NAME (default: date and time).")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and print all searches, start none.")] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Skip searches that cannot run; go on after one that fails.")
    ] = False,
    workers: Workers = None,
    devices: Devices = None,
    config_dir: ConfigDirs = None,
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
    grace: Grace = GRACE,
    json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Run one search for each combination of settings, look at such a sweep, or go on with it.

    Checks all of them before the first one starts. Prints a table and, as the last line, the sweep's folder.
    """
    from evonas_cli.core.errors import UsageError

    ignore_hangups()
    texts, voice = words or [], Voice(quiet, grace)
    if texts and texts[0] in ("status", "resume"):
        foreign: dict[str, object] = {"--name": name, "--dry-run": dry_run, "--workers": workers, "--devices": devices}
        foreign["--config-dir"] = config_dir
        if texts[0] == "status":
            foreign |= {"--keep-going": keep_going, "--jobs": jobs != 1}
        found = _existing(texts, [option for option, value in foreign.items() if value], outputs)
        if texts[0] == "status":
            return _status(found, json)
        return _resume(found, allow_module or [], jobs, keep_going, voice, json)
    if not texts:
        raise UsageError("there is nothing to sweep; write settings, e.g. strategy=random,genetic 'seed=range(0,5)'")
    overrides = [*texts, *machine_overrides(workers, devices)]
    start = Start(overrides, config_dir or [], allow_module or [], outputs, name, keep_going)
    return _dry_run(start, voice, json) if dry_run else _begin(start, jobs, voice, json)


def _existing(words: Sequence[str], foreign: Sequence[str], outputs: Path) -> SweepFolder:
    """The sweep that `status NAME` or `resume NAME` means. Raises UsageError for words and options beside it."""
    from evonas_cli.core.errors import UsageError
    from evonas_cli.sweep.folder import find

    if len(words) != 2:
        raise UsageError(f"`evonas sweep {words[0]}` takes a sweep's name and nothing else, e.g. {words[0]} latest")
    if foreign:
        raise UsageError(f"{foreign[0]} does not go with `evonas sweep {words[0]}`; leave it out")
    return find(reference_of(words[1]), outputs)


def _planned(start: Start, voice: Voice) -> tuple[SweepFolder, list[Child]]:
    """The folder to be and the checked children. Raises UsageError."""
    from evonas_cli.sweep.children import check, children
    from evonas_cli.sweep.folder import new_folder

    folder = new_folder(start.outputs, start.name, datetime.now())
    found = children(start.overrides, start.folders)

    def tell(n: int, child: Child) -> None:
        if time.monotonic() - voice.last >= _SILENCE:
            voice.line(f"checked {n} of {len(found)} children")

    checked = check(found, start.folders, start.allowed, start.keep_going, tell)
    for child in checked:
        if child.refused is not None:
            words = " ".join(child.overrides)
            remark(f"evonas: child {child.name} ({words}) is skipped: {child.refused}")
    return folder, checked


def _dry_run(start: Start, voice: Voice, as_json: bool) -> int:
    import shlex

    _, children = _planned(start, voice)
    if as_json:
        listed = [{"name": c.name, "overrides": list(c.overrides), "refused": c.refused} for c in children]
        print_json({"schema": 1, "children": listed})
        return 0
    for child in children:
        if child.refused is None:
            say("  ".join([child.name, *([shlex.join(child.overrides)] if child.overrides else [])]))
    n_skipped = sum(child.refused is not None for child in children)
    say(f"{len(children) - n_skipped} children" + (f", {n_skipped} skipped" if n_skipped else ""))
    return 0


def _begin(start: Start, jobs: int, voice: Voice, as_json: bool) -> int:
    from evonas_cli.sweep.folder import Manifest, stamp

    folder, children = _planned(start, voice)
    folders = tuple(str(path.resolve()) for path in start.folders)
    manifest = Manifest(stamp(), tuple(sys.argv[1:]), folders, tuple(start.allowed), tuple(children))
    folder.create(manifest)
    return _carry_out(folder, manifest, jobs, start.keep_going, voice, as_json)


def _status(folder: SweepFolder, as_json: bool) -> int:
    manifest = folder.manifest()
    for wrong in filter(None, map(folder.foreign, manifest.children)):
        remark(f"evonas: {wrong}")
    return _show(folder, manifest, as_json)


def _resume(
    folder: SweepFolder, allowed: Sequence[str], jobs: int, keep_going: bool, voice: Voice, as_json: bool
) -> int:
    from evonas_cli.core.errors import RunError, UsageError

    manifest = folder.manifest()
    wrong = next(filter(None, map(folder.foreign, manifest.children)), None)
    if wrong is not None:
        raise RunError(wrong)
    for module in manifest.allowed_modules:
        if module not in allowed:
            raise UsageError(f"{folder.root} uses module {module}; pass --allow-module {module} if you trust it")
    return _carry_out(folder, manifest, jobs, keep_going, voice, as_json)


def _carry_out(
    folder: SweepFolder, manifest: Manifest, jobs: int, keep_going: bool, voice: Voice, as_json: bool
) -> int:
    """Runs what is left of the sweep and prints its table. Returns the exit code."""
    lock = folder.acquire()
    try:
        outcome = _run(folder, manifest, jobs, keep_going, voice)
    except BaseException:
        remark(f"evonas: `evonas sweep resume {folder.name}` goes on with the sweep")
        raise
    finally:
        lock.release()
    if outcome.n_unstarted:
        text = f"{outcome.n_unstarted} children were not started; `evonas sweep resume {folder.name}` starts them"
        remark(f"evonas: {text}")
    _show(folder, manifest, as_json)
    ever = any(folder.standing(child).state == "failed" for child in manifest.children)
    return outcome.exit_code or int(ever)


def _run(folder: SweepFolder, manifest: Manifest, jobs: int, keep_going: bool, voice: Voice) -> Outcome:
    """Runs what is left of the sweep, and says how it gets on."""
    from evonas_cli.cli.sweep_progress import following
    from evonas_cli.sweep.running import OVER, run_children

    def waiting(count: int) -> None:
        searches = several(count, "search", "searches")
        remark(f"evonas: at most {voice.grace:g} s for {searches} to stop at an epoch's end; once more stops now")

    places = {child: n for n, child in enumerate(manifest.children, 1)}
    run = partial(run_children, folder, manifest, jobs, keep_going, grace=voice.grace, waiting=waiting)
    if voice.quiet:
        return run(_watch(folder, places, voice, lambda child, state: None))
    states = {child: folder.standing(child).state for child in manifest.children}
    over = {child: state for child, state in states.items() if state in OVER and child.refused is None}
    with following(folder, manifest.children, over, voice.line) as (follow, ended):
        return run(_watch(folder, places, voice, ended), follow)


def _watch(
    folder: SweepFolder, places: Mapping[Child, int], voice: Voice, ended: Callable[[Child, str], None]
) -> Callable[[Child, int | None], None]:
    """What says that a child starts, and how it has ended."""

    def watch(child: Child, code: int | None) -> None:
        if code is None:
            voice.line(f"{child.name} starts ({places[child]} of {len(places)})")
            return
        now = folder.standing(child)
        ended(child, now.state)
        voice.line(f"{child.name} {now.state}  {_best(now)}  {now.seconds:.1f} s")
        if code:
            remark(f"evonas: child {child.name} ended with code {code}: {folder.last_words(child)}")

    return watch


def _best(standing: Standing) -> str:
    return "-" if standing.best is None else f"{standing.objective} {readable(standing.best)}"


def _show(folder: SweepFolder, manifest: Manifest, as_json: bool) -> int:
    """Prints the table of children, the counts, and as the last line the folder."""
    standings = [folder.standing(child) for child in manifest.children]
    document = folder.document(standings)
    if as_json:
        print_json(document)
        return 0
    rows = [["state", "evaluations", "best", "seconds", "child"]]
    for one in standings:
        rows.append([one.state, str(one.evaluations), _best(one), f"{one.seconds:.1f}", one.child.name])
    print_columns(rows)
    counts = Counter(one.state for one in standings)
    states = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    say(f"{len(standings)} children: {states}; {sum(one.evaluations for one in standings)} evaluations")
    say(folder.root)
    return 0
