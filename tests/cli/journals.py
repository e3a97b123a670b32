"""What a run has recorded, as the tests of verbs read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def entries(root: Path) -> list[dict[str, Any]]:
    """The lines of the journal, by id."""
    found = [json.loads(line) for line in (root / "journal.jsonl").read_text().splitlines()]
    return sorted(found, key=lambda entry: int(entry["id"]))


def best(root: Path) -> dict[str, Any]:
    """The entry with the lowest error, of equals that of the smallest network."""
    able = [entry for entry in entries(root) if entry["status"] == "ok"]
    return min(able, key=lambda entry: (entry["metrics"]["valid_error"], entry["metrics"]["parameters"]))
