"""What a run asks of its job beside the metrics that the job always has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """Names of metrics. `metrics` are named by objectives and by `scalarize`, `bounded` by constraints.

    A constraint on what a job knows before training is checked then, and needs no metric of results. A job that
    measures some metrics only when asked takes this value as the collaborator `wanted`.
    """

    metrics: tuple[str, ...] = ()
    bounded: tuple[str, ...] = ()


NOTHING = Wanted()
"""What a job is asked for that has no run around it."""
