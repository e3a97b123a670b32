"""What a metric is of where its name does not say so."""

from __future__ import annotations

from collections.abc import Mapping

from evonas_cli.core.types import Json, Metric


def subject(metric: Metric | None, environment: Mapping[str, Json]) -> str:
    """What the job says of the metric, or the run's device for what a device has measured of networks; else ""."""
    if metric is None or metric.of:
        return "" if metric is None else metric.of
    return str(environment.get("device", "")) if metric.measured and metric.lasting else ""
