"""`evonas predict`: what an exported model answers to raw inputs."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Annotated, Any

import typer

from evonas_cli.cli.common import AsJson, print_json, remark, say, several
from evonas_cli.cli.evaluate import Model, Text
from evonas_cli.core.files import path_of


def predict(
    model: Model,
    inputs: Annotated[
        Path,
        typer.Argument(
            metavar="INPUTS", parser=path_of, help="An image, a folder of images, an .npz file with x, or a .csv file."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", parser=path_of, metavar="PATH", help="Write the table into this .csv file."),
    ] = None,
    text: Text = None,
    json: AsJson = False,
) -> int:
    """Let an exported model answer raw inputs.

    Writes a .csv table with one line for each input: the class and the probability of each class, the labels and their
    probabilities, numbers in the unit of the targets, or boxes in pixels of the images that the network sees.
    """
    from evonas_cli.core.errors import UsageError
    from evonas_cli.export.preprocessing import read_inputs
    from evonas_cli.export.reading import open_model
    from evonas_cli.export.scoring import answers, header, outputs_of

    if output is not None and (output.is_dir() or not output.parent.is_dir()):
        raise UsageError(
            f"-o {output}: {'it is a folder' if output.is_dir() else 'its folder is not there'}; name a file"
        )
    if output is not None and output.exists() and inputs.exists() and output.samefile(inputs):
        raise UsageError(f"-o {output} would replace the inputs; name another file")
    opened = open_model(model)
    found = read_inputs(inputs, opened.signature, text)
    names = header(opened.signature)
    rows = answers(outputs_of(opened.model, found.x), opened.signature)
    if output is not None:
        output.write_text(_table(names, found.names, rows), encoding="utf-8")
        remark(f"evonas: {several(len(rows), 'input')} answered in {output}")
    about: dict[str, Any] = {"schema": 1, "model": str(opened.path), "inputs": len(rows)}
    if json:
        written = {"path": str(output)} if output is not None else {}
        shown = {} if written else {"predictions": _documents(names, found.names, rows)}
        print_json({**about, **written, **shown})
    elif output is None:
        say(_table(names, found.names, rows), end="")
    return 0


def _table(names: list[str], inputs: tuple[str, ...], rows: list[list[str | float]]) -> str:
    """The answers as .csv."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["input", *names])
    writer.writerows([name, *row] for name, row in zip(inputs, rows, strict=True))
    return stream.getvalue()


def _documents(names: list[str], inputs: tuple[str, ...], rows: list[list[str | float]]) -> list[dict[str, Any]]:
    """The answers as JSON, by the names of the columns."""
    return [{"input": name, **dict(zip(names, row, strict=True))} for name, row in zip(inputs, rows, strict=True)]
