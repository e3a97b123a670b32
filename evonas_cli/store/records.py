"""Candidates and results as journal entries, and back."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from evonas_cli.core.curves import are_curves
from evonas_cli.core.errors import RunError
from evonas_cli.core.protocols import Space
from evonas_cli.core.strict_json import is_number
from evonas_cli.core.types import Candidate, Failure, Json, Origin, Proposal, Result
from evonas_cli.store.reading import is_amount, is_count

_OPTIONAL = {"job": "", "fidelity": 1.0, "continues": None, "options": None, "again": False}
_SHOWN = 80
SOURCE = "recalled"
"""The label of a result that was had from another run: which run's, and which candidate's."""
_USUAL = tuple(_OPTIONAL.values())


def entry(candidate: Candidate[Any], result: Result, space: Space[Any], elapsed: float) -> dict[str, Any]:
    """The journal entry of an evaluation; `elapsed` counts the seconds the run has been running, all sessions together.

    Members with their default value (own job, full fidelity, no labels, payload, curves, descriptor, error) are left
    out.
    `cached` stands in the line of a result that was copied, and names the candidate that was evaluated.
    """
    proposal = candidate.proposal
    data: dict[str, Any] = {
        "id": candidate.id,
        "step": candidate.step,
        "seed": candidate.seed,
        "genome": None if proposal.genome is None else space.to_json(proposal.genome),
        "operator": proposal.operator,
        "parents": proposal.parents,
    }
    asked = (proposal.job, proposal.fidelity, proposal.continues, proposal.options, proposal.again)
    if asked != _USUAL:
        data |= {name: value for (name, usual), value in zip(_OPTIONAL.items(), asked, strict=True) if value != usual}
    data["status"] = result.status
    data["metrics"] = dict(result.metrics)
    if result.cached is not None:
        data["cached"] = result.cached
    if result.labels:
        data["labels"] = dict(result.labels)
    if result.payload is not None:
        data["payload"] = result.payload
    if result.curves:
        data["curves"] = dict(result.curves)
    if result.descriptor:
        data["descriptor"] = result.descriptor
    if result.error is not None:
        data["error"] = {"kind": result.error.kind, "text": result.error.text}
    data["seconds"] = round(result.seconds, 6)
    data["elapsed"] = round(elapsed, 3)
    return data


def is_entry(data: Mapping[str, Any]) -> bool:
    """Whether the members are those of a journal entry, each of its type: whatever reads one relies on it."""
    try:
        members = [data[name] for name in _MEMBERS]
    except KeyError:
        return False
    return all([fits(value) for fits, value in zip(_MEMBERS.values(), members, strict=True)]) and all(
        [fits(data[name]) for name, fits in _SELDOM.items() if name in data]
    )


def _are_ids(value: object) -> bool:
    return isinstance(value, list) and all([is_count(id) for id in value])


def _are_metrics(value: object) -> bool:
    return isinstance(value, dict) and all([is_number(number) for number in value.values()])


def _are_labels(value: object) -> bool:
    return isinstance(value, dict) and all([isinstance(text, str) for text in value.values()])


def _is_error(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("kind"), str) and isinstance(value.get("text"), str)


def _is_word(value: object) -> bool:
    return isinstance(value, str)


_MEMBERS: Mapping[str, Callable[[Any], bool]] = {
    "id": is_count,
    "step": is_count,
    "seed": is_count,
    "genome": lambda value: True,
    "operator": _is_word,
    "parents": _are_ids,
    "status": ("ok", "failed").__contains__,
    "metrics": _are_metrics,
    "seconds": is_amount,
    "elapsed": is_amount,
}
_SELDOM: Mapping[str, Callable[[Any], bool]] = {
    "job": _is_word,
    "fidelity": is_number,
    "continues": is_count,
    "again": lambda value: isinstance(value, bool),
    "cached": is_count,
    "labels": _are_labels,
    "curves": are_curves,
    "descriptor": lambda value: isinstance(value, list) and all([is_number(number) for number in value]),
    "error": _is_error,
}


def result_of(data: Mapping[str, Any]) -> Result:
    """The result that an entry records."""
    error = Failure(data["error"]["kind"], data["error"]["text"]) if "error" in data else None
    payload, labels = data.get("payload"), data.get("labels", {})
    more = data.get("cached"), data.get("curves", {}), tuple(map(float, data.get("descriptor", ())))
    return Result(data["id"], data["status"], data["metrics"], payload, error, data["seconds"], labels, *more)


def spared(data: Mapping[str, Any]) -> bool:
    """Whether nothing was evaluated: the entry is a copy of another candidate's, or recalled from another run."""
    return "cached" in data or SOURCE in data.get("labels", ())


def stack_of(data: Mapping[str, Any]) -> tuple[int, int]:
    """The candidate's place in the program that trained it, and the program's width; alone where no label says so."""
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", data.get("labels", {}).get("stack", ""))
    place, width = (0, 1) if found is None else (int(found[1]), int(found[2]))
    return (place, width) if place < width else (0, 1)


def origin_of(data: Mapping[str, Any]) -> Origin:
    """What the entry tells candidates that continue the candidate."""
    return Origin(data["seed"], data["metrics"].get("epochs"), data.get("labels", {}).get("state"))


def candidate_in(data: Mapping[str, Any], genome: Any = None) -> Candidate[Any]:
    """The candidate that an entry is about, with the genome given."""
    given = {name: data[name] for name in (*_OPTIONAL, "operator") if name in data}
    proposal = Proposal(genome, parents=tuple(data["parents"]), **given)
    return Candidate(data["id"], data["step"], data["seed"], proposal)


def candidate_of(data: Mapping[str, Any], space: Space[Any]) -> Candidate[Any]:
    """The candidate that an entry is about. Raises RunError for what is no genome of the space."""
    if data["genome"] is None and data.get("job"):
        return candidate_in(data)
    try:
        genome = space.from_json(data["genome"])
    except Exception as error:  # what a space raises for JSON of another shape is its own affair
        raise RunError(
            f"candidate {data['id']}: {error}; resume with the version that wrote the run (see run.json)"
        ) from error
    return candidate_in(data, genome)


def check_same(candidate: Candidate[Any], data: Mapping[str, Any], space: Space[Any]) -> None:
    """Raises RunError when the entry is not about this candidate: the strategy or its code has changed."""
    expected = entry(candidate, result_of(data), space, 0.0)
    for name in ("step", "seed", "genome", "parents", "operator", *_OPTIONAL):
        ours, theirs = expected.get(name), data.get(name)
        here, there = json.dumps(ours, ensure_ascii=False), json.dumps(theirs, ensure_ascii=False)
        if here != there:
            here, there = _first_difference(here, there)
            raise RunError(
                f"candidate {candidate.id}: the journal has {name}={there}, this evonas proposes {here}; "
                "resume with the version that wrote the run (see run.json)"
            )


def _first_difference(*texts: str) -> list[str]:
    """Both texts, long ones as a window of `_SHOWN` characters around the first that differs."""
    equal = len(os.path.commonprefix(texts))
    start = max(0, equal - _SHOWN // 2) if max(map(len, texts)) > _SHOWN else 0
    parts = [text[start : start + _SHOWN] for text in texts]
    return [
        ("..." if start else "") + part + ("..." if start + len(part) < len(text) else "")
        for part, text in zip(parts, texts, strict=True)
    ]


def digest(
    entries: Iterable[Mapping[str, Any]], population: Sequence[int], front: Sequence[int], measured: Container[str]
) -> str:
    """SHA-256 over every candidate's id, genome, status and unmeasured metrics, the final population and the front.

    `measured` holds the names of the metrics that may differ when an evaluation is repeated.
    """
    total = hashlib.sha256()
    for data in sorted(entries, key=lambda e: int(e["id"])):
        metrics = {k: v for k, v in sorted(data["metrics"].items()) if k not in measured}
        total.update(_canonical([data["id"], data["genome"], data["status"], metrics]))
    total.update(_canonical([list(population), list(front)]))
    return total.hexdigest()


def _canonical(data: Json) -> bytes:
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
