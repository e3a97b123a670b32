"""`evonas evaluate`: how good an exported model is on other data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from evonas_cli.cli.common import AsJson, print_columns, print_json, readable, remark, several
from evonas_cli.core.files import path_of

Model = Annotated[
    Path,
    typer.Argument(metavar="MODEL", parser=path_of, help="What `evonas export` wrote: a folder or a file."),
]
Text = Annotated[
    str | None, typer.Option("--text", metavar="COLUMN", help="Column of the texts (default: as in training).")
]


def evaluate(
    model: Model,
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", parser=path_of, help="A folder of class folders, an .npz file with x and y, or a .csv file."
        ),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="COLUMN", help="Column of the targets (default: as in training); repeatable."),
    ] = None,
    text: Text = None,
    timed: Annotated[
        bool,
        typer.Option("--latency", help="Time passes of single examples on one CPU thread: median and spread."),
    ] = False,
    json: AsJson = False,
) -> int:
    """Measure an exported model on other data.

    Prints the metrics of its kind of task. Classes are matched by name.
    """
    from evonas_cli.export.examples import read_examples
    from evonas_cli.export.reading import open_model
    from evonas_cli.export.scoring import metrics_of, outputs_of

    opened = open_model(model)
    examples = read_examples(data, opened.signature, target or (), text)
    metrics = metrics_of(outputs_of(opened.model, examples.x), examples.y, opened.signature)
    if timed:
        metrics |= _latency(opened.model, examples.x)
    if json:
        about: dict[str, Any] = {
            "model": str(opened.path),
            "format": opened.form,
            "data": str(data),
            "examples": len(examples.x),
        }
        print_json({"schema": 1, **about, "metrics": metrics})
        return 0
    remark(f"evonas: {opened.path} on {several(len(examples.x), 'example')} of {data}")
    print_columns([[name, readable(value)] for name, value in metrics.items()])
    return 0


def _latency(model: Any, x: Any) -> dict[str, float]:
    """Median and interquartile range in milliseconds. An .onnx file has the threads that onnxruntime gives it."""
    import torch

    from evonas_cli.export.scoring import tensor_of
    from evonas_cli.training.measuring.latency import passes_of
    from evonas_cli.training.measuring.plan import Timing

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        median, spread = passes_of(model, tensor_of(x[:1]), Timing())
    finally:
        torch.set_num_threads(threads)
    return {"latency_ms": median, "latency_spread_ms": spread}
