"""Carries out rows, one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from evonas_cli.core.errors import EvonasError
from evonas_cli.torture.ground import Ground
from evonas_cli.torture.row import Differs, Outcome, Row, Unable, Verdict

IN_PROCESS = 1.0
"""Seconds that a row takes at most, about, whose searches are answered in this process."""


def foreseen(ground: Ground, rows: Sequence[Row]) -> float:
    """About how many seconds the rows take, by what the undisturbed search took."""
    seconds = 0.0
    for row in rows:
        times = ground.kills if row.kills else 1
        seconds += times * (row.searches * ground.forked + row.cold * ground.seconds) + IN_PROCESS
    return seconds


def outcomes(ground: Ground, rows: Sequence[Row]) -> Iterator[Outcome]:
    """Each row with what was observed. What evonas itself raises in a row is a difference."""
    for row in rows:
        began = time.monotonic()
        verdict, observed = _observed(ground, row)
        yield Outcome(row, verdict, observed, time.monotonic() - began)


def _observed(ground: Ground, row: Row) -> tuple[Verdict, str]:
    try:
        return "ok", row.act(ground)
    except Unable as reason:
        return "skipped", str(reason)
    except (Differs, EvonasError) as difference:
        return "DIFFERS", str(difference)
    except Exception as error:
        return "DIFFERS", f"{type(error).__name__}: {error}"
