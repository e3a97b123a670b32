"""`evonas compress`: a trained network made smaller, and what that costs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evonas_cli.cli.common import (
    OUTPUTS,
    AllowModules,
    AsJson,
    Outputs,
    Quiet,
    print_columns,
    print_json,
    reference_of,
    remark,
    say,
    several,
)
from evonas_cli.core.files import path_of

if TYPE_CHECKING:
    from evonas_cli.compression.compressing import Compressed, Steps
    from evonas_cli.compression.distil import Teacher
    from evonas_cli.compression.subject import Subject
    from evonas_cli.store.directory import RunDirectory


def compress(
    what: Annotated[
        str,
        typer.Argument(metavar="RUN|MODEL", parser=reference_of, help="A run, or a folder with an export as dir."),
    ],
    word: Annotated[
        str | None, typer.Argument(metavar="[ID|best|knee]", help="Candidate of the run (default: best).")
    ] = None,
    prune: Annotated[str | None, typer.Option("--prune", help="shapley, magnitude or random.")] = None,
    sparsity: Annotated[float, typer.Option("--sparsity", help="Share of each layer's units that goes.")] = 0.5,
    permutations: Annotated[int, typer.Option("--permutations", help="Orders drawn for each Shapley value.")] = 30,
    examples: Annotated[int, typer.Option("--examples", help="Most validation examples of a payoff.")] = 500,
    distil: Annotated[
        str | None, typer.Option("--distil", metavar="TEACHER", help="Train on with a model's, or an ID's, answers.")
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", help="Epochs of --distil.")] = 10,
    temperature: Annotated[float, typer.Option("--temperature", help="Temperature of --distil.")] = 4.0,
    quantize: Annotated[str | None, typer.Option("--quantize", help="int8: linear layers and convolutions.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Also measure other ways at the same size.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", parser=path_of, metavar="PATH", help="Folder to write into.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="As of export, several with commas.")] = "dir",
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export in the folder.")] = False,
    data: Annotated[
        str | None, typer.Option("--data", metavar="RUN", help="The run on whose data a MODEL was trained.")
    ] = None,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Measure the test part, and note that.")] = True,
    seed: Annotated[int, typer.Option("--seed", help="Seed of what is drawn.")] = 0,
    device: Annotated[str, typer.Option("--device", help="Where to prune and train: auto, cpu or cuda.")] = "auto",
    allow_module: AllowModules = None,
    outputs: Outputs = OUTPUTS,
    json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Make a trained network smaller: prune units, distil, quantise, in this order.

    Each step is measured before and after: bytes, parameters, multiply-adds, latency on the CPU, and accuracy. Units
    are chosen on the validation part. Writes what `evonas export` writes. A retrained run (`evonas retrain`) and a
    search with trainer.save_state=true have weights.
    """
    from evonas_cli.compression.card import card
    from evonas_cli.compression.compressing import check
    from evonas_cli.compression.compressing import compress as compressed
    from evonas_cli.core.errors import UsageError
    from evonas_cli.export.exporting import check_free, write
    from evonas_cli.export.forms import forms_named
    from evonas_cli.run.openings import note

    if output is None:
        raise UsageError("name the folder to write into: -o PATH")
    forms = forms_named(form)
    steps = _steps(
        prune, (sparsity, permutations, examples), distil is not None, (epochs, temperature), quantize, compare, seed
    )
    check_free(output, force)
    subject = _subject(what, word, data, device, allow_module or [], outputs)
    check(subject, steps)
    teacher = None if distil is None else _teacher(distil, subject, may_be_id=data is None)
    if test:
        note(subject.reading.run, sys.argv[1:], steps.networks)
    tell = (lambda text: None) if quiet else (lambda text: remark(f"evonas: {text}"))
    found = compressed(subject, steps, teacher, subject.test() if test else None, tell)
    about = partial(card, subject, found, forms, _done(steps))
    files, _ = write(found.outgoing, forms, output, subject.valid, about)
    _print(found, subject.reading.run, output, files, test, json)
    return 0


def _steps(
    method: str | None,
    pruning: tuple[float, int, int],
    distils: bool,
    lesson: tuple[int, float],
    quantize: str | None,
    compare: bool,
    seed: int,
) -> Steps:
    """What is to be done. Raises UsageError for values out of range."""
    from evonas_cli.compression.compressing import Steps
    from evonas_cli.compression.distil import Lesson
    from evonas_cli.compression.pruning import Pruning
    from evonas_cli.core.errors import UsageError

    if quantize not in (None, "int8"):
        raise UsageError(f"--quantize is {quantize!r}; it can be int8")
    own = None if method is None else Pruning(method, *pruning, seed=seed)
    return Steps(own, Lesson(*lesson, seed=seed) if distils else None, quantize is not None, compare)


def _subject(what: str, word: str | None, data: str | None, device: str, allowed: list[str], outputs: Path) -> Subject:
    """The network that is made smaller."""
    from evonas_cli.compression.subject import is_model, of_model, of_run
    from evonas_cli.core.errors import UsageError
    from evonas_cli.report.choosing import chosen
    from evonas_cli.report.reading import read_run

    if is_model(what):
        if data is None:
            raise UsageError(f"{what} is a model without data; name the run on whose data it was trained by --data RUN")
        if word is not None:
            raise UsageError(f"{what} is a model, which has no candidate {word}; leave it out")
        return of_model(Path(what), read_run(data, outputs, allowed), device, allowed)
    if data is not None:
        raise UsageError(f"--data is for a model, and {what} is none: a run has its own data, and of the forms of an "
                         "export only dir can be compressed")  # fmt: skip
    if word == "front":
        raise UsageError("front names several candidates; one is made smaller at a time, so name an id, best or knee")
    reading = read_run(what, outputs, allowed)
    return of_run(reading, chosen(reading, [word or "best"])[0], device, allowed)


def _teacher(name: str, subject: Subject, may_be_id: bool) -> Teacher:
    """The teacher: a candidate of the same run by its id or word, or else an exported model."""
    from evonas_cli.compression.distil import check_teacher, teacher_of
    from evonas_cli.export.exporting import outgoing_of
    from evonas_cli.export.reading import open_model
    from evonas_cli.report.choosing import chosen

    own = subject.outgoing.signature
    if may_be_id and (name.isdecimal() or name in ("best", "knee")):
        outgoing = outgoing_of(subject.reading, chosen(subject.reading, [name])[0])
        return teacher_of(outgoing.deployed, own, subject.data)
    opened = open_model(path_of(name))
    check_teacher(opened.signature, own, name)
    return teacher_of(opened.model, own, subject.data)


def _done(steps: Steps) -> str:
    """What was done, in words."""
    said = []
    if steps.pruning is not None:
        said.append(f"pruned by {steps.pruning.method} to a sparsity of {steps.pruning.sparsity:g} in each layer")
    if steps.lesson is not None:
        said.append(f"distilled for {steps.lesson.epochs} epochs at temperature {steps.lesson.temperature:g}")
    return "; ".join([*said, *(["quantised to int8"] if steps.int8 else [])])


def _print(
    found: Compressed, run: RunDirectory, output: Path, files: Sequence[str], tested: bool, as_json: bool
) -> None:
    from evonas_cli.compression.card import table
    from evonas_cli.run.openings import count, owner

    openings = count(run) if tested else None
    if as_json:
        about = {"run": str(run.root), "path": str(output), "files": list(files), "notes": list(found.notes)}
        networks = [row.to_json() for row in found.rows]
        print_json({"schema": 1, **about, "networks": networks, "test_openings": openings})
        return
    print_columns([[*row[1:], row[0]] for row in table(found)])
    for line in found.notes:
        say(line)
    if openings is not None:
        say(f"test opened {several(openings, 'time')} ({owner(run).root})")
    say(output)
