"""The card of an exported model, README.md: what it is, where it comes from, how good it is, and how it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.core.display import visible
from evonas_cli.export.checking import TOLERANCE, Checked
from evonas_cli.export.forms import FORMS
from evonas_cli.export.outgoing import Outgoing
from evonas_cli.export.scoring import names_of
from evonas_cli.network.metrics import meaning
from evonas_cli.network.signature import Signature
from evonas_cli.report.reading import Reading
from evonas_cli.report.retrained import Retrained, retrained

SHOWN = 20
"""Names that the card lists before it stops."""


def card(reading: Reading, id: int, outgoing: Outgoing, forms: Sequence[str], checked: Checked) -> str:
    """The text of README.md, in Markdown; without paths of this machine."""
    plan, metadata = outgoing.plan, reading.run.metadata()
    versions = {"evonas": metadata["evonas"], **metadata["versions"]}
    del versions["platform"]
    parts = [
        f"# {visible(outgoing.title)}",
        answers(outgoing.signature),
        f"{plan.parameters:,} parameters, {plan.multiply_adds:,} multiply-adds for one input, depth {plan.depth}.",
        "## Inputs\n\n" + inputs(outgoing.signature),
        "## Metrics\n\n" + _metrics(reading, id),
        "## Files\n\n" + "\n".join(f"- `{FORMS[form].file}`: {FORMS[form].use}." for form in forms),
        f"Each form was loaded without evonas and computed {_examples(checked)}; "
        f"its outputs differ from those of the trained network by less than {TOLERANCE:g}.",
        "## Origin\n\n" + "\n".join(
            [
                f"- run `{visible(reading.run.root.name)}`, candidate {id}, made {metadata['created']}",
                f"- {_source(outgoing.signature, metadata['environment'])}",
                f"- versions: {', '.join(f'{name} {version}' for name, version in versions.items())}",
            ]
        ),
    ]  # fmt: skip
    if "pt2" in forms:
        parts.insert(-1, "`model.pt2` is for this torch version: " + str(_torch()) + ".")
    return "\n\n".join(parts) + "\n"


def _examples(checked: Checked) -> str:
    if checked.what == "observation":
        return f"the {checked.examples} observations of the policy's {checked.part}"
    return f"the {checked.examples} examples of the {checked.part} part"


def _source(signature: Signature, environment: Mapping[str, Any]) -> str:
    """Where the run's examples are from: the digest of data, or the environment of a policy."""
    if signature.task.kind == "actions":
        name = visible(str(signature.preparation["environment"]))
        return f"environment: {name}, gymnasium {environment.get('gymnasium')}"
    return f"data: SHA-256 {environment.get('data')}"


def _torch() -> str:
    import torch

    return str(torch.__version__)


def answers(signature: Signature) -> str:
    """What a network says, in a sentence."""
    names = [visible(name) for name in names_of(signature)]
    more = f", ... ({len(names)} in all)" if len(names) > SHOWN else ""
    what = {
        "classes": "one of the classes",
        "labels": "which of the labels",
        "numbers": "the numbers",
        "actions": "which action to take: the one with the largest score, of equal ones the first, of the actions",
        "boxes": "where in an image, in pixels of it as the network sees it, are boxes of the classes",
    }
    return f"It says {what.get(signature.task.kind, 'the outputs')} {', '.join(names[:SHOWN])}{more}."


def inputs(signature: Signature) -> str:
    """What a network takes, in a sentence."""
    said, task = signature.preparation, signature.task
    if said["form"] == "pictures":
        size = f", resized to {said['size']}x{said['size']} pixels" if said["size"] else ""
        return f"Image files{size}; the network takes {task.examples}, RGB of 0 to 255, and normalises them itself."
    if said["form"] == "table":
        names = [visible(str(column["name"])) for column in said["columns"]]
        more = ", ..." if len(names) > SHOWN else ""
        columns = f"{', '.join(names[:SHOWN])}{more}"
        return f"Rows of a table with the columns {columns}; the network takes {task.inputs[0]} features."
    if said["form"] == "text":
        known = f"{task.inputs[0]} ids of {said['tokens']}, of which it knows {len(said['known'])}"
        return f"Texts in the column {visible(said['column'])}; the network takes {known}."
    if said.get("environment"):
        return f"Observations of {visible(said['environment'])} (gymnasium), {task.inputs[0]} numbers each."
    scale = "bytes of 0 to 255" if said["bytes"] else "on the scale of the data set"
    return f"{task.examples[0].upper()}{task.examples[1:]}, {scale}; the network normalises them itself."


def _metrics(reading: Reading, id: int) -> str:
    """A table: the candidate's own values, and mean and interval over the seeds where it is one of several."""
    own = reading.journal.read(id)["metrics"]
    group = _seeds(reading, id)
    shown = [name for name in own if name.startswith(("valid_", "test_"))] or list(own)
    rows = ["| metric | value | mean over seeds [95 % interval] | meaning |", "| --- | --- | --- | --- |"]
    for name in shown:
        measured = None if group is None else group.metrics.get(name)
        spread = ""
        if measured is not None and measured.interval is not None:
            low, high = measured.interval
            spread = f"{measured.mean:.4g} [{low:.4g}, {high:.4g}]"
        valid = meaning(name.replace("test_", "valid_", 1)).partition(" Tables:")[0]
        known = valid.replace("valid_", "test_").replace("validation part", "test part") if "test_" in name else valid
        rows.append(f"| {name} | {own[name]:.4g} | {spread} | {known} |")
    said = "" if group is None else f"\n\nThis network is one of {group.succeeded} trained with different seeds."
    return "\n".join(rows) + said


def _seeds(reading: Reading, id: int) -> Retrained | None:
    """The trainings of the same genome, where the run is a retraining with several seeds."""
    found = retrained(reading.run, reading.parts, reading.journal) or []
    groups = [group for group in found if id in group.candidates and group.succeeded > 1]
    return groups[0] if groups else None
