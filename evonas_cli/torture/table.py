"""The table of torture: every row of every family, in the order in which they are carried out."""

from __future__ import annotations

from evonas_cli.torture import (
    candidates,
    checkpoints,
    derived,
    disk,
    kills,
    lines,
    settings,
    signals,
    surroundings,
    versions,
)
from evonas_cli.torture.row import Row

FAMILIES = (lines, derived, versions, candidates, kills, signals, disk, checkpoints, settings, surroundings)
ROWS: tuple[Row, ...] = tuple(row for family in FAMILIES for row in family.ROWS)
