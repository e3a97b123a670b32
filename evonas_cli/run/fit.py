"""Whether space, strategy and job of a configuration fit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from evonas_cli.config.compose import Config
from evonas_cli.config.settings import nearest
from evonas_cli.core.capability import lack
from evonas_cli.core.demands import Demands, Exacting, honours
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Describing, Job, Narrowing, Preferring, Testing
from evonas_cli.core.protocols import Confirming
from evonas_cli.core.sources import check_there
from evonas_cli.core.types import Json, Metric, Objective
from evonas_cli.run.serving import remedy

Asked: TypeAlias = Sequence[tuple[str, str]]
"""Names of metrics that a run needs, each after the root key that names it: `("objectives", "valid_error")`."""


def check_test(strategy: Any, job: Job[Any]) -> None:
    if isinstance(job, Testing) and job.tests and not isinstance(strategy, Confirming):
        raise UsageError("job.test=true measures candidates on the test part, which no search may see; "
                         "set job.test=false, and after the search use `evonas retrain RUN`")  # fmt: skip


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
    deaf = [name for name in demands.continued if not {"continues", "options"} <= honours(others[name])]
    if deaf:
        raise UsageError(
            f"{who}: candidates of the job {deaf[0]} continue each other, which {type(others[deaf[0]]).__name__} does "
            f"not honour; leave jobs as the strategy sets it"
        )
    _check_honoured(who, demands, job)
    if demands.window is not None and config["window"] > demands.window:
        raise UsageError(
            f"{who} asks at most {demands.window} step{'s' * (demands.window != 1)} ahead of what it was told; "
            f"set window={demands.window}"
        )
    if demands.descriptor and not (isinstance(job, Describing) and job.descriptor):
        cure = "set job.descriptor" if isinstance(job, Describing) else "use job=train, neurons, control or landscape"
        raise UsageError(f"{who} chooses by behaviour, and the job {job_name} describes none; {cure}")
    if isinstance(job, Exacting):
        job.check_demands(demands)


def _check_honoured(who: str, demands: Demands, job: Job[Any]) -> None:
    """Raises UsageError where proposals of the strategy set what the job does not honour."""
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
            f"{who} {asks[name]}, which the job {type(job).__name__} does not honour; use job=train, or settings of "
            f"the strategy that {cure}"
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


def check_data(job: Job[Any], asked: Asked) -> None:
    """Raises UsageError for data that is not there, and for metrics that are asked for and do not exist on it.

    Nothing is read in full.
    """
    check_there(job)
    if isinstance(job, Narrowing):
        _check_measured(asked, job.foreseen())


def check_measured(job: Job[Any], asked: Asked, environment: Mapping[str, Json]) -> None:
    """Raises UsageError for an objective or a constraint on what the job does not measure on the data it has found."""
    if isinstance(job, Narrowing):
        _check_measured(asked, job.measured_on(environment))


def _check_measured(asked: Asked, metrics: Mapping[str, Metric]) -> None:
    there = sorted(metrics)
    for key, name in asked:
        if name not in there:
            raise UsageError(
                f"{key}: the job measures no {name} on this data{nearest(name, there)} (known: {', '.join(there)})"
            )


def objective(name: str, metrics: Mapping[str, Metric], deterministic: bool, offered: Sequence[str] = ()) -> Objective:
    """The objective of that name. `metrics` are those of results, `offered` what a job could measure if asked.

    Raises UsageError for a metric that is none, or of the test part, or measured in a deterministic run.
    """
    if name not in metrics:
        known = sorted({*metrics, *offered})
        raise UsageError(f"objectives: the job measures no {name}{nearest(name, known)} (known: {', '.join(known)})")
    if metrics[name].test:
        raise UsageError(f"objectives: {name} is measured on the test part, which no search may see; "
                         f"name one of the validation part")  # fmt: skip
    if metrics[name].measured and deterministic:
        raise UsageError(f"objectives: {name} is measured, so the run could not resume exactly; "
                         "set deterministic=false to accept that")  # fmt: skip
    return Objective(name, metrics[name].direction)


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


def stated_reference(stated: Mapping[str, Any] | None, objectives: Sequence[Objective]) -> tuple[float, ...] | None:
    """The root key `reference`, the reference point of hypervolumes, as losses in the order of the objectives.

    Raises UsageError for a run of one objective, for other names than those of the objectives, and for what is no
    number.
    """
    if stated is None:
        return None
    names = [one.name for one in objectives]
    if len(names) < 2:
        raise UsageError(f"reference: a run of one objective ({names[0]}) has no hypervolume; leave reference null")
    if sorted(map(str, stated)) != sorted(names):
        form = ", ".join(f"{name}: ..." for name in names)
        raise UsageError(f"reference is {dict(stated)}; state one number for each objective: reference={{{form}}}")
    wrong = next((name for name in names if type(stated[name]) not in (int, float)), None)
    if wrong is not None:
        raise UsageError(f"reference.{wrong} is {stated[wrong]!r}; it must be a number in the unit of the metric")
    return tuple([objective.loss(stated) for objective in objectives])
