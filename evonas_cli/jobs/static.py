"""What is known of a candidate's network before anything is trained, from its plan alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas_cli.core.types import Metric
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.network.plan import Plan
from evonas_cli.network.task import Task

METRICS: Mapping[str, Metric] = {name: Metric("min") for name in ("parameters", "multiply_adds", "depth")}
"""Trainable numbers, multiply-adds of one sample, layers with weights on the longest path."""


def measured(plan: Plan) -> dict[str, float]:
    """The metrics of a plan."""
    return {name: getattr(plan, name) for name in METRICS}


def metrics(genome: Any, space: Buildable[Any], task: Task) -> dict[str, float] | None:
    """The metrics of the genome's network; None where it has none."""
    try:
        return measured(space.decode(genome, task).plan)
    except Exception:  # whatever it is, evaluating the candidate meets it again and records it
        return None
