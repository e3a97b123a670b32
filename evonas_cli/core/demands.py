"""What a strategy asks of space, jobs and run, as one value, and what a job honours of a proposal."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Proposal

HONOURED = ("fidelity", "continues", "options")
"""Members of a proposal that a job may honour: how far to train, whose weights to start from, settings of its own."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What a strategy needs of the other parts of its run.

    `space` and `job` are the capability protocols that the space and the run's own job must conform to; `jobs` names
    further jobs of the configuration. `fidelities`, in ascending order, are all that proposals may have. `continues`
    says that proposals start from the weights of earlier candidates; a full training then has so many `stages`, each of
    which must train something. `options` says that proposals carry options. `window` is the largest number of steps
    that may be asked ahead (None: any). With `violations` the strategy itself ranks candidates that violate
    constraints; without, such a candidate is told as a failure. `objectives` says by which of the run's objectives the
    strategy chooses: the first, all of them, or none, since it chooses nothing; runs are compared accordingly.
    `descriptor` says that the strategy chooses by behaviour: results must have a descriptor. `continued` names those of
    `jobs` whose candidates continue each other and carry options, such as the epochs of a supernet.
    `curve` is the number of rows that the learning curve of a candidate at the lowest fidelity must have.
    """

    space: tuple[type, ...] = ()
    job: tuple[type, ...] = ()
    jobs: tuple[str, ...] = ()
    fidelities: tuple[float, ...] = (1.0,)
    continues: bool = False
    options: bool = False
    stages: int = 1
    window: int | None = None
    violations: bool = False
    objectives: Literal["none", "first", "all"] = "first"
    descriptor: bool = False
    continued: tuple[str, ...] = ()
    curve: int = 0

    @property
    def hands_on(self) -> bool:
        """Whether candidates of any job start from the weights of earlier ones."""
        return self.continues or bool(self.continued)

    @property
    def honoured(self) -> tuple[str, ...]:
        """What of its proposals the run's own job must honour."""
        asked = {
            "fidelity": self.fidelities != (1.0,) or self.stages > 1,
            "continues": self.continues,
            "options": self.options,
        }
        return tuple([name for name in HONOURED if asked[name]])


@runtime_checkable
class Honouring(Protocol, metaclass=Capability):
    """What a job may have in addition: it does what a proposal asks for beside its genome."""

    @property
    def honours(self) -> AbstractSet[str]:
        """Names among `HONOURED`: {"fidelity"} for a job that trains only so far. Proposals that ask for more are
        refused."""


@runtime_checkable
class Exacting(Protocol, metaclass=Capability):
    """What a job may have in addition: it knows which demands of a strategy its settings cannot meet."""

    def check_demands(self, demands: Demands) -> None:
        """Raises UsageError, such as for a fidelity of which a table has no columns."""


def honours(job: object) -> frozenset[str]:
    """What a job honours of a proposal; nothing where it does not say."""
    return frozenset(job.honours) if isinstance(job, Honouring) else frozenset()


def check_proposal(proposal: Proposal[Any], id: int, jobs: dict[str, frozenset[str]]) -> None:
    """Raises UsageError for a proposal of a job that the run does not have, or that asks for what its job ignores.

    `jobs` says by name what each job honours; the run's own job has the name "".
    """
    if proposal.job not in jobs:
        known = ", ".join(sorted(name for name in jobs if name)) or "none"
        raise UsageError(
            f"candidate {id} is for the job {proposal.job!r}, which this run does not have (jobs: {known}); "
            f"add it: jobs={{{proposal.job}: {{_target_: ...}}}}"
        )
    if proposal.genome is None and not proposal.job:
        raise UsageError(f"candidate {id} has no genome, which only a candidate of one of the further jobs may lack")
    if proposal.fidelity == 1.0 and proposal.continues is None and proposal.options is None:
        return
    asked = {
        "fidelity": proposal.fidelity != 1.0,
        "continues": proposal.continues is not None,
        "options": proposal.options is not None,
    }
    ignored = [name for name in HONOURED if asked[name] and name not in jobs[proposal.job]]
    if ignored:
        where = f"the job {proposal.job}" if proposal.job else "the run's job"
        raise UsageError(
            f"candidate {id} asks for {' and '.join(ignored)}, which {where} does not honour; use another job, or "
            "settings of the strategy that do without"
        )
