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
from evonas_cli.core.evaluating import Job, Narrowing, Preferring, Testing, check_there
from evonas_cli.core.protocols import Confirming, Rising, Staged
from evonas_cli.core.types import Json, Metric, Objective
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


def check_test(strategy: Any, job: Job[Any]) -> None:
    if isinstance(job, Testing) and job.tests and not isinstance(strategy, Confirming):
        raise UsageError("job.test=true measures candidates on the test part, which no search may see; "
                         "set job.test=false, and after the search use `evonas retrain RUN`")  # fmt: skip


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


USUAL = ("valid_error", "parameters")
"""The objectives of a run whose job prefers none, as far as it measures them."""


def preferred(job: Job[Any]) -> list[str]:
    """The objectives of a run that names none. Raises UsageError for a job that measures nothing usual."""
    if isinstance(job, Preferring):
        return list(job.objectives)
    names = [name for name in USUAL if name in job.metrics]
    if not names:
        raise UsageError(
            f"objectives: {type(job).__name__} prefers none; name some of its metrics: {', '.join(sorted(job.metrics))}"
        )
    return names


def check_data(job: Job[Any], objectives: Sequence[Objective]) -> None:
    """Raises UsageError for data that is not there, and for objectives that it does not have; no full reading."""
    check_there(job)
    if isinstance(job, Narrowing):
        _check_measured(objectives, job.foreseen())


def check_measured(job: Job[Any], objectives: Sequence[Objective], environment: Mapping[str, Json]) -> None:
    """Raises UsageError for an objective that the job does not measure on the data it has found."""
    if isinstance(job, Narrowing):
        _check_measured(objectives, job.measured_on(environment))


def _check_measured(objectives: Sequence[Objective], metrics: Mapping[str, Metric]) -> None:
    there = sorted(metrics)
    for one in objectives:
        if one.name not in there:
            raise UsageError(
                f"objectives: the job measures no {one.name} on this data{nearest(one.name, there)} "
                f"(known: {', '.join(there)})"
            )


def objective(name: str, job: Job[Any], deterministic: bool) -> Objective:
    if name not in job.metrics:
        known = sorted(job.metrics)
        raise UsageError(f"objectives: the job measures no {name}{nearest(name, known)} (known: {', '.join(known)})")
    if job.metrics[name].test:
        raise UsageError(f"objectives: {name} is measured on the test part, which no search may see; "
                         f"name one of the validation part")  # fmt: skip
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
