"""What a metric is of where its name does not say so."""

from __future__ import annotations

from collections.abc import Mapping

from evonas_cli.core.types import Json, Metric

LOSS = "valid_loss"
LOSSES = {
    "classes": "nats",
    "labels": "nats",
    "tokens": "nats",
    "captions": "nats",
    "numbers": "squared error, standardised",
    "samples": "squared error of the noise",
    "boxes": "focal and IoU losses",
}
"""By kind of task what the loss over the validation part is measured in. That of a training may be another one."""


def subject(name: str, metric: Metric | None, environment: Mapping[str, Json]) -> str:
    """What the job says of the metric, the unit of a loss, or the run's device for what a device has measured of
    networks; else ""."""
    if metric is None or metric.of:
        return "" if metric is None else metric.of
    if name == LOSS:
        task = environment.get("task")
        return LOSSES.get(str(task.get("kind")), "") if isinstance(task, Mapping) else ""
    return str(environment.get("device", "")) if metric.measured and metric.lasting else ""
