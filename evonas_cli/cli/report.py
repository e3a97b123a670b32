"""`evonas report`: one self-contained page about runs, or the numbers behind its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from evonas_cli.cli.common import OUTPUTS, AllowModules, Outputs, print_json, reference_of, say, several
from evonas_cli.core.files import path_of

Format = Annotated[
    Literal["html", "json"],
    typer.Option("--format", help="html: the page. json: the numbers behind its figures, on stdout without -o."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", parser=path_of, metavar="PATH", help="The file to write (default: report.html)."),
]
DEFAULT = Path("report.html")


def report(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN", help="Runs, each by its path, the beginning of its name, or `latest`."),
    ],
    out: Out = None,
    format: Format = "html",
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
) -> int:
    """Write one page about a run, or about several runs overlaid.

    The page is one HTML file that loads nothing. The same runs give the same bytes.
    """
    from evonas_cli.core.display import json_line
    from evonas_cli.report.page.document import document
    from evonas_cli.report.reading import read_run

    check_out(out or DEFAULT)
    found = document([read_run(reference_of(name), outputs, allow_module or []) for name in runs])
    if format == "json" and out is None:
        print_json(found)
        return 0
    if format == "json":
        text = json_line(found) + "\n"
    else:
        from evonas_cli.report.page.render import page

        text = page(found)
    path = out or DEFAULT
    data = text.encode("utf-8", "backslashreplace")
    path.write_bytes(data)
    candidates = sum(run["evaluations"] for run in found["runs"])
    say(f"{path}: {several(candidates, 'candidate')} of {several(len(runs), 'run')}, {len(data) / 1024:,.0f} KiB")
    return 0


def check_out(path: Path) -> None:
    """Raises UsageError when the file has no folder to go to, before any work is done."""
    from evonas_cli.core.errors import UsageError

    if not path.parent.is_dir():
        raise UsageError(f"-o {path}: there is no folder {path.parent}; make it first")
    if path.is_dir():
        raise UsageError(f"-o {path} is a folder; name a file, e.g. {path / DEFAULT}")
