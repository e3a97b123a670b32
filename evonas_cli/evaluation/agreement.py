"""Whether the workers of a pool see the same: the same data, devices of one type, the same versions."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.types import Json

_log = logging.getLogger(__name__)


def compare(first: Mapping[str, Json], other: Mapping[str, Json]) -> None:
    """Compares a worker's environment with that of the first one.

    Raises EnvironmentFailure for other data, warns of any other difference.
    """
    changed = [key for key in sorted({*first, *other}) if first.get(key) != other.get(key)]
    if "data" in changed:
        raise EnvironmentFailure("the data set changed while the run was starting; put it back and resume")
    if changed:
        shown = "; ".join(f"{key}: {first.get(key)} and {other.get(key)}" for key in changed)
        _log.warning("workers differ, so results depend on who gets which candidate (%s)", shown)
