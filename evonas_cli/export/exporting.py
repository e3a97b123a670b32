"""From a candidate of a run to a folder of checked files: nothing is left of an export whose check fails."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from numpy.typing import NDArray

from evonas_cli.config.build import build
from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.core.silence import silenced
from evonas_cli.data.dataset import Source
from evonas_cli.data.splits import Splits
from evonas_cli.export.card import card
from evonas_cli.export.checking import Checked, Part, check
from evonas_cli.export.forms import CARD, FORMS
from evonas_cli.export.outgoing import Outgoing
from evonas_cli.network.deployment import Acting, Deploying
from evonas_cli.network.neurons import Neurons
from evonas_cli.network.signature import Signature
from evonas_cli.report.reading import Reading
from evonas_cli.run.artifacts import Artifact, read_artifact, recorded
from evonas_cli.run.stored import stored_config

OURS = (CARD, *dict.fromkeys(name for form in FORMS.values() for name in form.files))
"""The names of all files that an export may write."""


@dataclass(frozen=True)
class Exported:
    """A candidate that was exported: its id, the folder, the files in it, and what the check has found."""

    id: int
    folder: Path
    files: tuple[str, ...]
    checked: Checked


def outgoing_of(reading: Reading, id: int) -> Outgoing:
    """The candidate on its way out.

    Raises RunError, which names the command that trains the candidate again, where there are no weights or an older
    evonas has written them; and as `neurons_of`.
    """
    neurons = neurons_of(reading, id)
    if neurons is not None:
        job: Any = reading.parts.job  # a Deploying one, as `neurons_of` has found
        with silenced(logging.WARNING):
            found = job.deployment(neurons)
        weights = {name: torch.tensor(values) for name, values in found.weights.items()}
        return Outgoing(_title(reading, id, found.signature), found.plan, found.signature, weights)
    artifact = _answering_once(reading, id)
    if not artifact.signature.preparation:
        raise RunError(
            f"{artifact.path} does not say how raw inputs are prepared, as weights of an older evonas; "
            f"`evonas retrain {reading.run.root} {id}` trains the candidate again and says so"
        )
    artifact.network()
    return Outgoing(_title(reading, id, artifact.signature), artifact.plan, artifact.signature, artifact.weights)


def check_exportable(reading: Reading, id: int) -> None:
    """Raises as `outgoing_of` for a candidate that cannot be exported, without reading the data."""
    if neurons_of(reading, id) is None:
        _answering_once(reading, id)


def _answering_once(reading: Reading, id: int) -> Artifact:
    """The candidate's network. Raises RunError as `read_artifact`, and for one that has challengers; UsageError for one
    that answers no examples, and for a candidate that is several networks."""
    if not reading.answers_examples:
        root, job = reading.run.root, type(reading.parts.job).__name__
        raise UsageError(
            f"candidate {id} of {root} is a network of the job {job}, and the forms of export hold networks that "
            f"answer examples of data one by one, such as those of job=train; `evonas show {root} {id}` shows it"
        )
    folds = stored_config(reading.run)["job"].get("folds", 1)
    if folds > 1:
        raise UsageError(
            f"candidate {id} of {reading.run.root} is {folds} networks, one for each fold (job.folds), and its metrics "
            f"are their means, so there is no one network to export; `evonas retrain {reading.run.root} {id} --full` "
            "trains one on the examples of all folds: export that"
        )
    artifact = read_artifact(reading.run, id)
    if artifact.plan.shapes[artifact.plan.output] != (artifact.signature.task.outputs,):
        raise RunError(
            f"the network of candidate {id} answers twice, for the champions and the challengers of its tasks; export "
            "one without challengers, whose operator is settled: evonas show RUN --all names it"
        )
    return artifact


def neurons_of(reading: Reading, id: int) -> Neurons | None:
    """The candidate's graph of neurons with its weights, which the journal has; None for other networks.

    Raises RunError for a candidate that failed, UsageError for a graph that its job cannot let go.
    """
    entry = recorded(reading.run, id)
    neurons = reading.neurons(entry) if reading.evaluates_neurons else None
    if neurons is not None and not isinstance(reading.parts.job, Deploying):
        root, job = reading.run.root, type(reading.parts.job).__name__
        raise UsageError(
            f"candidate {id} of {root} is a graph of neurons of the job {job}, which does not say what its numbers "
            f"mean, so that it cannot be exported; `evonas show {root} {id}` writes its graph as text"
        )
    return neurons


def _title(reading: Reading, id: int, signature: Signature) -> str:
    task, run = signature.task, reading.run.root.name
    if task.kind == "actions":
        return f"A policy for {signature.preparation['environment']}, found by evonas: candidate {id} of {run}"
    words = {"classes": "classifier", "labels": "labeller", "numbers": "regression", "boxes": "detector"}
    return f"A {words.get(task.kind, 'model')} for {task.examples}, found by evonas: candidate {id} of {run}"


def parts_of(reading: Reading, ids: Sequence[int], allowed: Sequence[str]) -> Iterator[Part]:
    """For each candidate the examples on which its exports are checked: those of `part_of`, or for a policy the
    observations of its own episodes, which are played once more.

    Raises as `part_of`, or as the environment.
    """
    job = reading.parts.job
    if not isinstance(job, Acting):
        yield from repeat(part_of(reading, allowed), len(ids))
        return
    for id in ids:
        neurons = neurons_of(reading, id)
        assert neurons is not None, "a job whose graphs act evaluates graphs"
        yield Part("episodes", *job.answered(neurons), what="observation")


def part_of(reading: Reading, allowed: Sequence[str]) -> Part:
    """The examples on which exports of a run are checked: its validation part, or the test part that a retraining has
    opened already.

    Raises RunError where the data is not what the run was trained on, and as the data set does.
    """
    config = stored_config(reading.run)
    opened = bool(config["job"].get("test")) and any(
        name.startswith("test_") for entry in reading.journal for name in entry.get("metrics") or ()
    )
    dataset, splits = data_of(reading, allowed)
    return test_part(reading, dataset, splits) if opened else valid_part(splits)


def data_of(reading: Reading, allowed: Sequence[str]) -> tuple[Source, Splits]:
    """The data set of a run and its parts without the test. Raises RunError where the data is not what the run was
    trained on, and as the data set does."""
    config = stored_config(reading.run)
    dataset: Source = build(config["dataset"], "dataset", allowed)
    with silenced(logging.WARNING):  # the search has told the warnings already
        splits = dataset.prepare(config["seed"])
    if splits.fingerprint != reading.run.metadata()["environment"].get("data"):
        raise RunError(f"the data of {reading.run.root} has changed since its trainings; put back what it was")
    return dataset, splits


def valid_part(splits: Splits) -> Part:
    """The validation part, with numbers in their own unit."""
    return Part("validation", splits.x_valid, _in_own_unit(splits.y_valid, splits))


def test_part(reading: Reading, dataset: Source, splits: Splits) -> Part:
    """The test part of a run, with numbers in their own unit; who reads it for the first time notes that before."""
    with silenced(logging.WARNING):  # the search has told the warnings already
        x, y = dataset.test(stored_config(reading.run)["seed"])
    return Part("test", x, _in_own_unit(y, splits))


def _in_own_unit(y: NDArray[Any], splits: Splits) -> NDArray[Any]:
    return y.astype("float64") * splits.target_std + splits.target_mean if splits.task.kind == "numbers" else y


def check_free(folder: Path, force: bool) -> None:
    """Raises UsageError for a path where an export cannot lie: a file, or a folder that holds something."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; -o names a folder")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise UsageError(f"{folder} is not empty; pass --force to replace an export in it, or name another folder")


def export(reading: Reading, id: int, forms: Sequence[str], folder: Path, part: Part) -> Exported:
    """Writes the candidate in the given forms, checks them, and moves them into the folder.

    An earlier export in the folder is replaced, other files in it stay. Raises UsageError for a form that cannot hold
    the network, EvonasError for one that fails the check.
    """
    outgoing = outgoing_of(reading, id)
    files, checked = write(outgoing, forms, folder, part, lambda checked: card(reading, id, outgoing, forms, checked))
    return Exported(id, folder, files, checked)


def write(
    outgoing: Outgoing, forms: Sequence[str], folder: Path, part: Part, about: Callable[[Checked], str]
) -> tuple[tuple[str, ...], Checked]:
    """Writes a network as `export` does, with what `about` makes of the check as its card; the names of the files, and
    the check. Raises as `export`."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=".evonas-export-", dir=folder.parent))
    try:
        for form in forms:
            FORMS[form].write(outgoing, draft)
        checked = check(outgoing, draft, forms, part)
        (draft / CARD).write_text(about(checked), encoding="utf-8")
        files = tuple(sorted(path.name for path in draft.iterdir()))
        _move(draft, folder, files)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return files, checked


def _move(draft: Path, folder: Path, files: Sequence[str]) -> None:
    folder.mkdir(exist_ok=True)
    for name in OURS:
        (folder / name).unlink(missing_ok=True)
    for name in files:
        shutil.move(draft / name, folder / name)
