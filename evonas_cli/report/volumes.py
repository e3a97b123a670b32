"""Runs of several objectives as samples of one number: the hypervolume of their fronts up to one common point.

Hypervolume (Zitzler and Thiele, 1998) is the one measure in common use that never calls a front better than one that
dominates it. Beside it stands the median attainment surface (Fonseca and Fleming, 1996): what half of the runs reach.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from evonas_cli.core.errors import RunError, UsageError
from evonas_cli.core.hypervolume import hypervolume, reference_point
from evonas_cli.core.pareto import Front
from evonas_cli.core.types import Objective
from evonas_cli.report.curves import Track
from evonas_cli.report.groups import Group, Sample

By: TypeAlias = Literal["hypervolume", "first"]
METRIC = "hypervolume"
SURFACES = (2, 3)
"""The numbers of objectives for which attainment surfaces can be computed."""


def measured_by(samples: Sequence[Sample], by: By | None) -> By:
    """What the runs are compared by. Raises UsageError where the hypervolume is asked for and they have none in common.

    None: the hypervolume if all runs have the same objectives, two or more, and their strategies choose by all of them
    or choose nothing, and not all choose nothing; else the first objective.
    """
    named = list(dict.fromkeys(sample.objectives for sample in samples))
    if by == "hypervolume":
        if len(named) > 1:
            shown = " and ".join(", ".join(one.name for one in objectives) or "none" for objectives in named)
            raise UsageError(f"the runs' objectives differ ({shown}), so no hypervolume compares them; use --by first")
        if not named or len(named[0]) < 2:
            raise UsageError("runs of one objective have no hypervolume; leave --by hypervolume out")
    if by is not None:
        return by
    choices = {sample.chooses for sample in samples}
    several = len(named) == 1 and len(named[0]) > 1
    return "hypervolume" if several and "first" not in choices and "all" in choices else "first"


def common_reference(samples: Sequence[Sample]) -> tuple[float, ...]:
    """The reference point of all outcomes of all runs, as losses. Raises RunError where there is no outcome."""
    losses = [losses for sample in samples for losses in sample.track.losses if losses is not None]
    if not losses:
        raise RunError("no run has a successful evaluation to compare")
    return reference_point(losses)


def as_hypervolumes(sample: Sample, reference: Sequence[float]) -> Sample:
    """The run with the hypervolume of its front so far in the place of the compared metric."""
    front, volume, values = Front(), 0.0, array("d")
    for id, losses in enumerate(sample.track.losses):
        if losses is not None and front.add(id, losses):
            volume = hypervolume([member.losses for member in front.members], reference)
        values.append(math.nan if losses is None else volume)
    nothing = array("d", [math.nan]) * len(values)
    track = replace(sample.track, metric=METRIC, direction="max", report=None, values=values, reports=nothing, of="")
    return replace(sample, track=track)


def front_at(track: Track, count: int) -> list[tuple[float, ...]]:
    """The losses of the front of the first `count` evaluations, sorted."""
    front = Front()
    for id, losses in enumerate(track.losses[:count]):
        if losses is not None:
            front.add(id, losses)
    return [member.losses for member in front.members]


def attainment(group: Group, counts: Sequence[int], objectives: Sequence[Objective]) -> list[list[float]] | None:
    """The corners of the median attainment surface of a group, in the metrics' own units, the best of the first
    objective first.

    Each is attained, that is weakly dominated, by at least half of the runs' fronts at their `counts` of evaluations;
    None for other numbers of objectives than `SURFACES`.
    """
    if len(objectives) not in SURFACES:
        return None
    import moocore
    import numpy

    fronts = [front_at(run.track, count) for run, count in zip(group.runs, counts, strict=True)]
    points = numpy.array([point for front in fronts for point in front], dtype=float)
    sets = numpy.repeat(numpy.arange(1, len(fronts) + 1), [len(front) for front in fronts])
    corners = sorted(moocore.eaf(points, sets, percentiles=[50])[:, :-1].tolist())
    return [[one.metric(loss) for one, loss in zip(objectives, corner, strict=True)] for corner in corners]


def described(reference: Sequence[float], objectives: Sequence[Objective]) -> dict[str, Any]:
    """What a comparison's document says of its hypervolumes: directions, and the reference point in metrics' units."""
    point = {one.name: one.metric(loss) for one, loss in zip(objectives, reference, strict=True)}
    return {"objectives": {one.name: one.direction for one in objectives}, "reference": point}
