"""What a run was begun with, compared with what continues the run: the data, the machine, the versions, the code."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from evonas_cli import RESULTS
from evonas_cli.core.errors import RunError
from evonas_cli.core.types import Json
from evonas_cli.store.directory import RunDirectory

_log = logging.getLogger(__name__)

CODE = "results"
"""The key of run.json under which a run records by which code its results come about: the number RESULTS."""


def check_environment(run: RunDirectory, now: Mapping[str, Json]) -> None:
    """Raises RunError when the data changed; warns when exactness is no longer promised."""
    recorded = run.metadata()
    before, now = {**recorded["environment"], CODE: recorded.get(CODE)}, {**now, CODE: RESULTS}
    for key, what in (("data", "data set"), ("latency_table", "table of latencies")):
        if before.get(key) != now.get(key):
            raise RunError(f"{run.root}: the {what} is not the one the run began with (its digest differs); restore it")
    changed = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
    if changed:
        shown = "; ".join(f"{key}: {before.get(key)} -> {now.get(key)}" for key in changed)
        _log.warning("results from here on may differ in their last bits from an uninterrupted run (%s)", shown)
