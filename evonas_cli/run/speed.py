"""Settings of speed as a run's status shows them: what `auto` and null stand for on its device."""

from __future__ import annotations

from collections.abc import Mapping

from evonas_cli.config.compose import Config
from evonas_cli.core.types import Json

BF16 = "bf16, and fp32 in single networks without convolutions"
"""What `trainer.precision=auto` is on CPUs that are faster in bf16, for images."""


def engine_settings(config: Config, device: str, precision: Json) -> dict[str, Json]:
    """The train job's settings of speed on a type of device, `auto` and null as what they stand for there.

    `precision` is what `trainer.precision=auto` stands for. Other jobs have no such settings.
    """
    if "in_flight" not in config["job"]:
        return {}
    cuda = device == "cuda"
    meant: dict[str, Json] = {
        "layout": "channels_last",
        "precision": precision if cuda or precision != "bf16" else BF16,
        "graph": cuda,
        "stack": "by the size of the networks",
    }
    given = {key: config["trainer"].get(key) for key in meant}
    found = {f"trainer.{key}": meant[key] if value in (None, "auto") else value for key, value in given.items()}
    return {**found, "job.in_flight": config["job"]["in_flight"] if cuda else 1}


def chosen(config: Config, environment: Mapping[str, Json]) -> dict[str, Json]:
    """Threads of a worker and settings of the engine, as a run's status shows them."""
    threads = {"evaluator.threads": config["evaluator"].get("threads", 1)}
    precision = environment.get("precision", "auto")  # which runs of older versions do not say
    return {**threads, **engine_settings(config, str(environment.get("device", "cpu")), precision)}
