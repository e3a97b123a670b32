"""What run.json and status.json have to hold, and the mark by which one run is told from another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from evonas_cli.core.strict_json import is_number
from evonas_cli.store.reading import is_amount, is_count, misfit

FORMAT = 1
STATES = ("running", "done", "failed", "interrupted")
_ALWAYS = {"identity": dict, "environment": dict, "choices": dict, "allowed_modules": list, "created": str}
_OFTEN = {"evonas": str, "versions": dict, "command": list, "source": dict}


def wrong_metadata(data: Mapping[str, Any]) -> str | None:
    """What is wrong with the content of run.json; None when nothing is. A newer format may have any shape."""
    if not is_count(data.get("format")):
        return "its format is no number"
    if data["format"] > FORMAT:
        return None
    wrong = misfit(data, _ALWAYS | {name: kind for name, kind in _OFTEN.items() if name in data})
    if wrong is None and not all(isinstance(module, str) for module in data["allowed_modules"]):
        return "its allowed_modules are no names"
    return wrong


def wrong_status(data: Mapping[str, Any]) -> str | None:
    """What is wrong with the content of status.json; None when nothing is."""
    for name, fits in _STATUS.items():
        if name in data and not fits(data[name]):
            return f"its {name} is not what evonas writes"
    return None


def _is_best(value: object) -> bool:
    return value is None or (
        isinstance(value, dict) and isinstance(value.get("metric"), str) and is_number(value.get("value"))
    )


def _is_budget(value: object) -> bool:
    return isinstance(value, dict) and all(limit is None or is_number(limit) for limit in value.values())


def _are_units(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(unit, list) and all(map(is_count, unit)) for unit in value)


_STATUS = {
    "evaluations": is_count,
    "elapsed_seconds": is_amount,
    "state": STATES.__contains__,
    "best": _is_best,
    "budget": _is_budget,
    "in_flight": _are_units,
}


def mark(data: Mapping[str, Any]) -> str:
    """What tells the run of a run.json from every other one, a copy aside: a digest of what it is and when it was
    made."""
    text = json.dumps([data["identity"], data["created"]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
