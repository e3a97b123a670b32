"""What is known of a candidate's network before anything is trained, from its plan alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.core.errors import EvonasError
from evonas_cli.core.types import Metric
from evonas_cli.network.plan import Plan
from evonas_cli.network.task import Task
from evonas_cli.training.measuring.plan import Measuring

METRICS: Mapping[str, Metric] = {name: Metric("min") for name in ("parameters", "multiply_adds", "depth")}
"""Trainable numbers, multiply-adds of one sample, layers with weights on the longest path."""


def names(measuring: Measuring) -> tuple[str, ...]:
    """What is known before training: METRICS, and what of the rest is asked for."""
    return tuple(dict.fromkeys([*METRICS, *measuring.static]))


def measured(plan: Plan, names: Sequence[str] = tuple(METRICS)) -> dict[str, float]:
    """The metrics of a plan."""
    return {name: getattr(plan, name) for name in names}


def metrics(genome: Any, space: Any, task: Task, measuring: Measuring) -> dict[str, float] | None:
    """The metrics of the genome's network; None where it has none, or where the table of latencies lacks the genome."""
    wanted, table = names(measuring), measuring.latencies
    try:
        latency = None if table is None else table.of(genome, space)
        counted = measured(space.decode(genome, task).plan, [name for name in wanted if name != "latency_ms"])
    except EvonasError:
        raise
    except Exception:  # whatever it is, evaluating the candidate meets it again and records it
        return None
    if table is None:
        return counted
    return None if latency is None else {**counted, "latency_ms": latency}
