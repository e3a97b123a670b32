"""The explanation of a candidate that `evonas explain` keeps in the candidate's folder, as a report reads it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from evonas_cli.core.errors import RunError
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.reading import LARGE, Absent, read_json

FILE = "explanation.json"
SCHEMA = 1


def sealed(explanation: Mapping[str, Any]) -> dict[str, Any]:
    """What the file holds: the explanation, with the checksum by which a damaged one is known."""
    return {"format": SCHEMA, "crc": _crc(explanation), "explanation": explanation}


def explanation_of(run: RunDirectory, id: int) -> dict[str, Any] | None:
    """The explanation of candidate `id`; None where there is none.

    What is damaged, of another candidate, run or version has a member `problem` alone, which says so and what to do.
    """
    path = run.root / "candidates" / str(id) / FILE
    again = f"`evonas explain {run.root} {id}` writes it again"
    try:
        found = read_json(path, LARGE)
    except Absent:
        return None
    except RunError as error:
        return {"problem": f"{error}; {again}"}
    explanation = found.get("explanation")
    if found.get("format") != SCHEMA:
        return {"problem": f"{path} was written by another version of evonas; {again}"}
    if not isinstance(explanation, dict) or found.get("crc") != _crc(explanation):
        return {"problem": f"{path} is damaged; {again}"}
    if explanation.get("run") != run.mark() or explanation.get("candidate") != id:
        return {"problem": f"{path} is of another run or candidate; {again}"}
    return explanation


def _crc(explanation: Mapping[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(explanation, sort_keys=True, ensure_ascii=False).encode()):08x}"


def belief(correlation: float | None) -> str:
    """What a cross-validated rank correlation of predicted and measured losses says of importances."""
    if correlation is None or correlation < 0.3:
        return "do not believe these importances, the model cannot predict"
    return "read them as hints" if correlation < 0.6 else "the model predicts the order of candidates fairly well"
