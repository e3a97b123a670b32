"""`evonas export`: trained networks of a run as files that need no evonas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas_cli.cli.common import (
    OUTPUTS,
    AllowModules,
    AsJson,
    Outputs,
    Run,
    print_json,
    remark,
    say,
    several,
)
from evonas_cli.core.files import path_of

if TYPE_CHECKING:
    from evonas_cli.export.exporting import Exported


def export(
    run: Run,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[ID|best|knee|front]...", help="Candidates (default: best).")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", parser=path_of, metavar="PATH", help="Folder to write into.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="dir, py, onnx and pt2, several with commas; the help says more.")
    ] = "dir",
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export in the folder.")] = False,
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
    json: AsJson = False,
) -> int:
    """Write trained networks of a run as files that need no evonas.

    dir: plan, weights and preprocessing as data. py: one plain PyTorch file. onnx: for ONNX Runtime. pt2: a torch
    program for this version of torch. Each is loaded without evonas and computed again before it is kept. A retrained
    run (`evonas retrain`) and a search with trainer.save_state=true have weights, and so has every run of job=neurons
    and job=control. Several candidates get a folder each.
    """
    from evonas_cli.core.errors import UsageError
    from evonas_cli.export.exporting import check_exportable, check_free, parts_of
    from evonas_cli.export.exporting import export as exported
    from evonas_cli.export.forms import forms_named
    from evonas_cli.report.choosing import chosen
    from evonas_cli.report.reading import read_run

    if output is None:
        raise UsageError("name the folder to write into: -o PATH")
    forms = forms_named(form)
    if "onnx" in forms:
        from evonas_cli.export.onnx import check_installed

        check_installed()
    reading = read_run(run, outputs, allow_module or [])
    ids = chosen(reading, words or ["best"])
    one = len(ids) == 1 and "front" not in (words or [])
    folders = {id: output if one else output / str(id) for id in ids}
    for id, folder in folders.items():
        check_free(folder, force)
        check_exportable(reading, id)
    if output.exists() and not one:
        check_free(output, force=True)
    parts = parts_of(reading, ids, allow_module or [])
    found = [exported(reading, id, forms, folders[id], part) for id, part in zip(ids, parts, strict=True)]
    if json:
        print_json({"schema": 1, "run": str(reading.run.root), "exported": [document(one) for one in found]})
        return 0
    for each in found:
        worst = max(each.checked.differences.values())
        checked = each.checked
        of = "" if checked.what == "observation" else f"{checked.part} "
        examples = several(checked.examples, f"{of}{checked.what}")
        right = "" if each.checked.right is None else f" ({each.checked.right:,} right)"
        said = f"without evonas the same answers to {examples}{right}, outputs within {worst:.1g}"
        remark(f"evonas: candidate {each.id}: {', '.join(forms)}; {said}")
        say(each.folder)
    if "pt2" in forms:
        remark("evonas: model.pt2 is for this version of torch; dir and py outlive it")
    return 0


def document(each: Exported) -> dict[str, Any]:
    """An export as JSON."""
    return {
        "candidate": each.id,
        "path": str(each.folder),
        "files": list(each.files),
        "checked_on": each.checked.part,
        "examples": each.checked.examples,
        "right": each.checked.right,
        "largest_difference": each.checked.differences,
    }
