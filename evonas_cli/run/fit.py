"""Whether space, strategy and job of a configuration fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas_cli.config.build import spaces
from evonas_cli.config.compose import Config
from evonas_cli.config.settings import nearest
from evonas_cli.core.capability import lack
from evonas_cli.core.demands import Demands, Exacting, honours
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Job
from evonas_cli.core.types import Objective


def check_demands(config: Config, strategy: Any, job: Job[Any], others: Mapping[str, Any]) -> None:
    """Raises UsageError where job, further jobs or window are not what the strategy demands."""
    demands: Demands = strategy.demands
    who, job_name = f"strategy {type(strategy).__name__}", type(job).__name__
    lacking = next((need for need in demands.job if not isinstance(job, need)), None)
    if lacking is not None:
        raise UsageError(
            f"{who} needs a job that is {lacking.__name__}, which {job_name} is not ({job_name}: {lack(job, lacking)})"
        )
    absent = [name for name in demands.jobs if name not in others]
    if absent:
        raise UsageError(
            f"{who} needs a further job named {absent[0]}; add it: jobs={{{absent[0]}: {{_target_: ...}}}}"
        )
    ignored = [name for name in demands.honoured if name not in honours(job)]
    if ignored:
        asks = {
            "fidelity": f"has candidates trained to the fidelities {', '.join(f'{f:.4g}' for f in demands.fidelities)}",
            "continues": "hands trained weights on",
            "options": "hands options on",
        }
        name = "continues" if "continues" in ignored else ignored[0]
        cure = "hand on none" if name == "continues" else "do without"
        raise UsageError(
            f"{who} {asks[name]}, which the job {job_name} does not honour; use job=train, or settings of the strategy "
            f"that {cure}"
        )
    if demands.window is not None and config["window"] > demands.window:
        raise UsageError(
            f"{who} asks at most {demands.window} step{'s' * (demands.window != 1)} ahead of what it was told; "
            f"set window={demands.window}"
        )
    if isinstance(job, Exacting):
        job.check_demands(demands)


def objective(name: str, job: Job[Any], deterministic: bool) -> Objective:
    if name not in job.metrics:
        known = sorted(job.metrics)
        raise UsageError(f"objectives: the job measures no {name}{nearest(name, known)} (known: {', '.join(known)})")
    if job.metrics[name].measured and deterministic:
        raise UsageError(f"objectives: {name} is measured, so the run could not resume exactly; "
                         "set deterministic=false to accept that")  # fmt: skip
    return Objective(name, job.metrics[name].direction)


def check_needs(
    group: str,
    node: Mapping[str, Any],
    needs: tuple[type, ...],
    space: Any,
    allowed: Sequence[str],
    folders: Sequence[Path],
) -> None:
    lacking = [need for need in needs if not isinstance(space, need)]
    if not lacking:
        return
    able = [name for name, other in spaces(allowed, folders).items() if all(isinstance(other, need) for need in needs)]
    name = str(node["_target_"]).rpartition(".")[2]
    raise UsageError(
        f"{group} {name} needs a space that is {lacking[0].__name__}, which {type(space).__name__} is not; "
        f"spaces that are: {', '.join(able) or 'none'} ({type(space).__name__}: {lack(space, lacking[0])})"
    )
