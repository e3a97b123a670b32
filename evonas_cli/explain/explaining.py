"""From a trained candidate to its explanation, one document for programs and pages; the test part is never opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonas_cli import __version__
from evonas_cli.explain.ablation import Ablating, ablation
from evonas_cli.explain.calibration import calibration, softmax
from evonas_cli.explain.confusion import confusion, worst
from evonas_cli.explain.gene_importance import gene_importance
from evonas_cli.explain.images import overlaid, picture
from evonas_cli.explain.labels import labels
from evonas_cli.explain.parts import Parts
from evonas_cli.explain.residuals import residuals
from evonas_cli.explain.sensitivity import deletion, occlusion, saliency, squares
from evonas_cli.explain.spending import spending
from evonas_cli.explain.subject import Subject
from evonas_cli.export.scoring import metrics_of
from evonas_cli.report.explained import FILE, SCHEMA, sealed
from evonas_cli.report.reading import Reading
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.files import write_json

WORST = 12
"""Worst examples that are shown."""
MAPS = 8
"""Images with a map of what their answer depends on: right and wrong ones."""
TESTED = 32
"""Images on which the maps are tested by deletion."""

Tell = Callable[[str], None]


def explain(
    subject: Subject, search: Reading, parts: Parts | None, how: Ablating, tell: Tell = lambda text: None
) -> dict[str, Any]:
    """The document: a member for each thing that is explained. A thing that the data does not have, or that was left
    out (`parts` None: the ablation), says so in a line, `said`. `search` is the run whose genes are weighed."""
    run, valid = subject.reading.run, subject.valid
    tell(f"answers of candidate {subject.id} to {len(valid.x):,} validation examples")
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "evonas": __version__,
        "run": run.mark(),
        "candidate": subject.id,
        "kind": subject.task.kind,
        "inputs": subject.task.examples,
        "names": list(subject.names),
        "examples": len(valid.x),
        "trained_in": subject.trained_in,
        "precision": subject.precision,
        "metrics": _metrics(subject),
        **_answers(subject),
    }
    found["sensitivity"] = _sensitivity(subject)
    found["ablation"] = {"said": "left out (--no-ablation)"} if parts is None else ablation(subject, parts, how)
    found["genes"] = gene_importance(search)
    found["spending"] = spending(subject, search)
    return found


def keep(document: dict[str, Any], run: RunDirectory) -> Path:
    """Writes the document into the candidate's folder of the run, where `evonas report` finds it."""
    path = run.folder(document["candidate"]) / FILE
    write_json(path, sealed(document), indent=None)
    return path


def _metrics(subject: Subject) -> dict[str, float]:
    """The metrics of the validation part, by their names in training."""
    import torch

    found = metrics_of(torch.from_numpy(subject.outputs), subject.valid.y, subject.outgoing.signature)
    return {f"valid_{name}": value for name, value in found.items()}


def _answers(subject: Subject) -> dict[str, Any]:
    """What the kind of task has of calibration, confusion, residuals and worst examples."""
    outputs, y = subject.outputs, subject.valid.y
    if subject.task.kind == "classes":
        probabilities = softmax(outputs)
        right = probabilities.argmax(axis=1) == y
        mistakes = worst(probabilities, y, WORST)
        return {
            "calibration": calibration(probabilities.max(axis=1), right),
            "confusion": confusion(probabilities, y),
            "worst": [{**one, "picture": _picture(subject, one["place"])} for one in mistakes],
        }
    if subject.task.kind == "labels":
        found = labels(outputs, y.astype(float))
        return {"calibration": found["calibration"], "labels": found["counts"], "confusion": _none("classes")}
    if subject.task.kind == "boxes":
        return {
            "calibration": {"said": "calibration is of classes and labels, and these are boxes"},
            "confusion": _none("classes"),
        }
    return {
        "calibration": {"said": "numbers have no probabilities, so there is nothing to calibrate"},
        "confusion": _none("classes"),
        "residuals": residuals(outputs, y.astype(float), WORST),
    }


def _none(what: str) -> dict[str, str]:
    return {"said": f"a confusion matrix is of {what}, which this task has not"}


def _span(subject: Subject) -> tuple[float, float]:
    """What is black and what is white: 0 and 255 for bytes, else the ends of the validation part."""
    x = subject.valid.x
    return (0.0, 255.0) if x.dtype == np.uint8 else (float(x.min()), float(x.max()))


def _picture(subject: Subject, place: int) -> str | None:
    """The example as a picture; None for what is no image."""
    return picture(subject.valid.x[place], _span(subject)) if len(subject.task.inputs) == 3 else None


def _sensitivity(subject: Subject) -> dict[str, Any]:
    """Maps for some images, by occlusion and by gradient, and the test of both."""
    if len(subject.task.inputs) != 3 or subject.task.kind != "classes":
        return {"said": f"sensitivity maps are of images in classes, and these are {subject.task.examples} with "
                        f"{subject.task.kind}"}  # fmt: skip
    model, raw = subject.model, subject.valid.x
    probabilities = softmax(subject.outputs)
    answers = probabilities.argmax(axis=1)
    mean = np.array(subject.outgoing.signature.mean, dtype=np.float32).reshape(-1, 1, 1)
    cells = squares(*raw.shape[2:])
    tested = np.unique(np.linspace(0, len(raw) - 1, min(TESTED, len(raw))).round().astype(int))
    chosen = sorted({*_shown(subject), *tested.tolist()})
    x = {n: raw[n].astype(np.float32) for n in chosen}
    falls = {int(n): occlusion(model, x[n], int(answers[n]), mean, cells) for n in chosen}
    slopes = {n: saliency(model, x[n], int(answers[n])) for n in falls}
    by_square = {n: np.bincount(cells.ravel(), weights=slopes[n].ravel()) for n in slopes}
    given = (model, np.stack([x[int(n)] for n in tested]), answers[tested], mean)
    return {
        "square": int(np.unique(cells[0], return_counts=True)[1][0]),
        "maps": [_map(subject, n, falls[n], slopes[n], cells) for n in _shown(subject)],
        "deletion": {
            "occlusion": deletion(*given, [falls[int(n)] for n in tested]),
            "saliency": deletion(*given, [by_square[int(n)] for n in tested]),
        },
    }


def _map(
    subject: Subject, n: int, falls: NDArray[np.float64], slopes: NDArray[np.float64], cells: NDArray[np.int64]
) -> dict[str, Any]:
    """Example n with its answer, the greatest fall of the answer's probability, and both maps as pictures."""
    probabilities, image, span = softmax(subject.outputs[n : n + 1])[0], subject.valid.x[n], _span(subject)
    answer = int(probabilities.argmax())
    return {
        "place": n,
        "true": int(subject.valid.y[n]),
        "answer": answer,
        "probability": float(probabilities[answer]),
        "greatest_fall": float(falls.max()),
        "picture": _picture(subject, n),
        "occlusion": overlaid(image, span, _unit(np.maximum(falls, 0))[cells]),
        "saliency": overlaid(image, span, _unit(slopes)),
    }


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of at least 0 as shares of the greatest."""
    return values / values.max() if values.max() > 0 else values


def _shown(subject: Subject) -> list[int]:
    """The images with maps: the first of the part that are answered rightly, of different classes, then the worst."""
    probabilities, y = softmax(subject.outputs), subject.valid.y
    answers, found, seen = probabilities.argmax(axis=1), list[int](), set[int]()
    for n in range(len(y)):
        if answers[n] == y[n] and int(y[n]) not in seen and len(found) < MAPS // 2:
            seen.add(int(y[n]))
            found.append(n)
    return [*found, *[one["place"] for one in worst(probabilities, y, MAPS - len(found))]]
