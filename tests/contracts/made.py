"""The configured evaluators, made for a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evonas_cli.config.build import build
from evonas_cli.config.folders import options, read
from evonas_cli.store.directory import RunDirectory
from evonas_cli.testing.doubling import Doubling

HERE = [name for name in options("evaluator") if name != "ray"]
"""The evaluators that need nothing but this machine; test_ray_pool.py tests the other one on a cluster."""


def make(name: str, tmp_path: Path, job: Any = None, **settings: Any) -> Any:
    """The evaluator, with two workers if it has any; the job is `Doubling` unless another one is given."""
    node = read(options("evaluator")[name])
    if "workers" in node:
        node["workers"] = 2
    made = Doubling() if job is None else job
    given: dict[str, Any] = {"job": made, "context": RunDirectory(tmp_path), "device": "cpu"}
    given["stop_request"] = settings.pop("stop_request", None)
    return build({**node, **settings}, "evaluator", **given)
