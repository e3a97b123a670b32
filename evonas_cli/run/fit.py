"""Whether space, strategy and job of a configuration fit together."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas_cli.config.build import target
from evonas_cli.config.compose import Config
from evonas_cli.config.settings import nearest
from evonas_cli.core.capability import lack
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Job
from evonas_cli.core.protocols import Rising, Staged
from evonas_cli.core.types import Objective
from evonas_cli.genomes.capabilities import Tuning
from evonas_cli.run.serving import remedy


def check_continues(config: Config, allowed: Sequence[str]) -> None:
    if "trainer" not in inspect.signature(target(config["job"], "job", allowed)).parameters:
        raise UsageError("this strategy hands trained weights on, which only a job that trains has; use job=train, or "
                         "settings of the strategy that hand on none")  # fmt: skip
    if config["window"] > 1:
        raise UsageError("this strategy hands trained weights on from step to step; set window=1")
    if not config["trainer"]["save_state"]:
        raise UsageError("this strategy hands trained weights on; set trainer.save_state=true so that they are kept")


def check_stages(config: Config, strategy: Any, space: Any) -> None:
    tuned = space.tuned if isinstance(space, Tuning) else {}
    epochs = min(tuned.get("epochs") or [config["trainer"].get("epochs", math.inf)])
    if isinstance(strategy, Staged) and strategy.stages > epochs:
        raise UsageError(
            f"this strategy divides a training into {strategy.stages} stages, of which some would train nothing: there "
            f"are {epochs} epochs; set trainer.epochs to at least {strategy.stages}, or fewer strategy.generations"
        )
    if isinstance(strategy, Rising) and epochs < math.inf:
        rungs = [max(1, round(epochs * fidelity)) for fidelity in strategy.fidelities]
        if len(set(rungs)) < len(rungs):
            raise UsageError(
                f"of {epochs} epochs the rungs of this strategy, which continue each other, have "
                f"{', '.join(map(str, rungs))}, so that some train nothing; raise trainer.epochs"
            )


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
    name = str(node["_target_"]).rpartition(".")[2]
    raise UsageError(
        f"{group} {name} needs a space that is {lacking[0].__name__}, which {type(space).__name__} is not; "
        f"{remedy(group, node, needs, space, allowed, folders)} ({type(space).__name__}: {lack(space, lacking[0])})"
    )
