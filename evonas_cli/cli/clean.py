"""`evonas clean`: files that no run needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from evonas_cli.cli.common import (
    OUTPUTS,
    AllowModules,
    AsJson,
    Outputs,
    print_columns,
    print_json,
    reference_of,
    remark,
    several,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from evonas_cli.core.types import Json
    from evonas_cli.store.cleaning import Needless
    from evonas_cli.store.directory import RunDirectory


def clean(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]...", parser=reference_of, help="Runs (default: all below --outputs)."),
    ] = None,
    weights: Annotated[
        bool, typer.Option("--weights", help="Also weights of a finished search's candidates off its front.")
    ] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Remove what is listed.")] = False,
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
    json: AsJson = False,
) -> int:
    """List files that no run needs any more; remove them with --delete.

    Empty folders of candidates, checkpoints of recorded ones, drafts of searches that were killed as they began. Runs
    that a process works on are passed over. Nothing that goes changes a result: weights that a longer search needs are
    trained again.
    """
    from evonas_cli.store import cleaning
    from evonas_cli.store.directory import find
    from evonas_cli.store.directory import runs as below

    chosen = [find(run, outputs) for run in runs] if runs else below(outputs)
    found = [(run, _left_over(run, weights, outputs, allow_module or [])) for run in chosen]
    abandoned = [] if runs else list(cleaning.drafts(outputs))
    if delete:
        for run, needless in found:
            if needless:
                cleaning.remove(run, needless)
        cleaning.remove_drafts(abandoned)
    _tell([*[one for _, needless in found for one in needless], *abandoned], delete, json)
    return 0


def _left_over(run: RunDirectory, weights: bool, outputs: Path, allowed: list[str]) -> list[Needless]:
    """Nothing of a run that a process works on, or that is damaged."""
    from evonas_cli.report.reading import read_run
    from evonas_cli.store.cleaning import left_over

    state = run.state()
    if state in ("running", "damaged"):
        remark(f"evonas: {run.root} is {state} and left alone")
        return []
    kept: set[int] | None = None
    if weights and state == "done" and "source" not in run.metadata():
        kept = {member["id"] for member in read_run(str(run.root), outputs, allowed).front()["front"]}
    return left_over(run, kept)


def _tell(found: Sequence[Needless], deleted: bool, as_json: bool) -> None:
    size = sum(one.bytes for one in found)
    if as_json:
        rows: list[Json] = [{"path": str(one.path), "bytes": one.bytes, "what": one.what} for one in found]
        print_json({"schema": 1, "deleted": deleted, "bytes": size, "files": rows})
        return
    if found:
        print_columns(
            [["bytes", "what", "path"], *[[f"{one.bytes:,}", one.what, str(one.path)] for one in found]], (1,)
        )
    what = f"{several(len(found), 'needless file')}, {several(size, 'byte')}"
    remark(f"evonas: removed {what}" if deleted else f"evonas: {what}" + ("; --delete removes them" if found else ""))
