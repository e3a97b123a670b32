"""The card of a compressed model, README.md."""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli import __version__
from evonas_cli.compression.compressing import Compressed
from evonas_cli.compression.measuring import METRIC
from evonas_cli.compression.subject import Subject
from evonas_cli.core.display import visible
from evonas_cli.export.card import answers, inputs
from evonas_cli.export.checking import Checked
from evonas_cli.export.forms import FORMS

HEAD = ("network", "bytes", "parameters", "multiply-adds", "latency (ms)")


def table(found: Compressed) -> list[list[str]]:
    """The rows in words, the head first."""
    metric = METRIC[found.outgoing.signature.task.kind]
    tested = found.rows[0].test is not None
    rows = [[*HEAD, f"valid {metric}", *([f"test {metric}"] if tested else [])]]
    for row in found.rows:
        numbers = [f"{number:,}" for number in (row.bytes, row.parameters, row.multiply_adds)]
        test = [] if row.test is None else [f"{row.test:.4f}"]
        rows.append([row.name, *numbers, f"{row.latency_ms:.3f}", f"{row.valid:.4f}", *test])
    return rows


def card(subject: Subject, found: Compressed, forms: Sequence[str], done: str, checked: Checked) -> str:
    """The text, in Markdown; `done` says what was done. It has no paths of this machine."""
    signature, rows = found.outgoing.signature, table(found)
    marks = ["---"] * len(rows[0])
    lines = [f"| {' | '.join(row)} |" for row in (rows[0], marks, *rows[1:])]
    metadata = subject.reading.run.metadata()
    parts = [
        f"# {visible(subject.outgoing.title)}, compressed",
        answers(signature),
        "## Inputs\n\n" + inputs(signature),
        "## What was done\n\n" + "\n".join(f"- {visible(one)}" for one in (done, *found.notes)),
        "\n".join(lines),
        "Bytes are those of the weights; the latency is the median pass of one example on the CPU. Units removed "
        "by Shapley values were chosen on the validation part, which therefore judges the network too well.",
        "## Files\n\n" + "\n".join(f"- `{FORMS[form].file}`: {FORMS[form].use}." for form in forms),
        f"Each form was loaded without evonas and computed the {checked.examples} examples of the {checked.part} part; "
        f"its outputs differ by at most {max(checked.differences.values()):.1g}.",
        "## Origin\n\n"
        f"- {visible(subject.origin)}\n"
        f"- data: SHA-256 {metadata['environment'].get('data')}\n"
        f"- versions: evonas {__version__}, torch {_torch()}",
    ]
    return "\n\n".join(parts) + "\n"


def _torch() -> str:
    import torch

    return str(torch.__version__)
