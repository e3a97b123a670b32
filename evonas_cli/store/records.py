"""Candidates and results as journal entries, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evonas_cli.core.errors import RunError
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Candidate, Failure, Json, Proposal, Result

_OPTIONAL = {"job": "", "fidelity": 1.0, "continues": None, "options": None, "again": False}
_USUAL = tuple(_OPTIONAL.values())


def entry(candidate: Candidate[Any], result: Result, space: Space[Any], elapsed: float) -> dict[str, Any]:
    """The journal entry of an evaluation; `elapsed` counts the seconds the run has been running, all sessions together.

    Members with their default value (own job, full fidelity, no labels, no payload, no error) are left out. `cached`
    stands in the line of a result that was copied, and names the candidate that was evaluated.
    """
    proposal = candidate.proposal
    data: dict[str, Any] = {
        "id": candidate.id,
        "step": candidate.step,
        "seed": candidate.seed,
        "genome": space.to_json(proposal.genome),
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
    if result.error is not None:
        data["error"] = {"kind": result.error.kind, "text": result.error.text}
    data["seconds"] = round(result.seconds, 6)
    data["elapsed"] = round(elapsed, 3)
    return data


def result_of(data: Mapping[str, Any]) -> Result:
    """The result that an entry records."""
    error = Failure(data["error"]["kind"], data["error"]["text"]) if "error" in data else None
    payload, labels = data.get("payload"), data.get("labels", {})
    cached = data.get("cached")
    return Result(data["id"], data["status"], data["metrics"], payload, error, data["seconds"], labels, cached)


def stack_of(data: Mapping[str, Any]) -> tuple[int, int]:
    """The candidate's place in the program that trained it, and the program's width."""
    place, _, width = data.get("labels", {}).get("stack", "0/1").partition("/")
    return int(place), int(width)


def candidate_of(data: Mapping[str, Any], space: Space[Any]) -> Candidate[Any]:
    """The candidate that an entry is about. Raises RunError for what is no genome of the space."""
    given = {name: data[name] for name in (*_OPTIONAL, "operator") if name in data}
    try:
        genome = space.from_json(data["genome"])
    except ValueError as error:
        raise RunError(
            f"candidate {data['id']}: {error}; resume with the version that wrote the run (see run.json)"
        ) from error
    proposal = Proposal(genome, parents=tuple(data["parents"]), **given)
    return Candidate(data["id"], data["step"], data["seed"], proposal)


def check_same(candidate: Candidate[Any], data: Mapping[str, Any], space: Space[Any]) -> None:
    """Raises RunError when the entry is not about this candidate: the strategy or its code has changed."""
    expected = entry(candidate, result_of(data), space, 0.0)
    for name in ("step", "seed", "genome", "parents", "operator", *_OPTIONAL):
        ours, theirs = expected.get(name), data.get(name)
        if json.dumps(ours) != json.dumps(theirs):
            raise RunError(
                f"candidate {candidate.id}: the journal has {name}={theirs}, this evonas proposes {ours}; "
                "resume with the version that wrote the run (see run.json)"
            )


def digest(entries: Iterable[Mapping[str, Any]], population: Sequence[int], front: Sequence[int]) -> str:
    """SHA-256 over every candidate's id, genome, status and unmeasured metrics, the final population and the front."""
    total = hashlib.sha256()
    for data in sorted(entries, key=lambda e: int(e["id"])):
        metrics = {k: v for k, v in sorted(data["metrics"].items()) if not k.endswith("_seconds")}
        total.update(_canonical([data["id"], data["genome"], data["status"], metrics]))
    total.update(_canonical([list(population), list(front)]))
    return total.hexdigest()


def _canonical(data: Json) -> bytes:
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
