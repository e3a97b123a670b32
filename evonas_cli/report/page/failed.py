"""What failed and why, and what each constraint refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from evonas_cli.core.failures import FAILURES
from evonas_cli.core.types import Constraint
from evonas_cli.report.page.rows import Rows

MOST = 5
"""Reasons shown of a kind."""
_NUMBER = re.compile(r"[+-]?\d[\d.,]*(e[+-]?\d+)?")


def failures(rows: Rows) -> list[dict[str, Any]]:
    """One entry for each kind, the commonest first: how many, who decided (candidate, machine or unknown), reasons.

    Reasons that differ in numbers alone are one, told by the text of the first and "(and other numbers)".
    """
    kinds: Counter[str] = Counter()
    reasons: dict[str, Counter[str]] = {}
    texts: dict[tuple[str, str], list[str]] = {}
    for row in rows.all:
        if row.failed:
            error = row.entry.get("error", {"kind": "error", "text": "no reason was recorded"})
            kind, text = error["kind"], error["text"]
            form = _NUMBER.sub("#", text)
            kinds[kind] += 1
            reasons.setdefault(kind, Counter())[form] += 1
            texts.setdefault((kind, form), []).append(text)
    return [
        {
            "kind": kind,
            "count": count,
            "owner": FAILURES.get(kind, "unknown"),
            "reasons": [
                {"text": _told(texts[kind, form]), "count": number}
                for form, number in sorted(reasons[kind].items(), key=lambda item: (-item[1], item[0]))[:MOST]
            ],
        }
        for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    ]


def _told(texts: Sequence[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else f"{texts[0]} (and other numbers)"


def refused(rows: Rows, constraints: Sequence[Constraint]) -> list[dict[str, Any]]:
    """For each constraint how many candidates violate it: those refused before training, and those that were evaluated.

    A candidate that violates two constraints counts for both.
    """
    found = []
    for constraint in constraints:
        before = after = 0
        for row in rows.all:
            if constraint.metric in row.metrics and constraint.excess(row.metrics) > 0:
                early = row.failed and row.entry.get("error", {}).get("kind") == "refused"
                before += early
                after += not early
        found.append({"constraint": str(constraint), "before_training": before, "after_evaluation": after})
    return found
