"""The interfaces of evaluation: what a job plans, what its bench does, what both may say in addition, where it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from evonas_cli.core.capability import Capability, lack
from evonas_cli.core.errors import UsageError
from evonas_cli.core.halting import NEVER, Deadline, Ended, Halt
from evonas_cli.core.types import Candidate, Json, Metric, Result, Training, Unit

G = TypeVar("G")
C = TypeVar("C", contravariant=True)


WEIGHTS = "state.pt"
"""The file in a candidate's folder that holds its trained weights."""

CHECKPOINT = "checkpoint.pt"
"""The file in a candidate's folder from which a training goes on that was interrupted."""


class Context(Protocol):
    """Where a job may keep files, and whom it may tell how its trainings go."""

    def folder(self, id: int) -> Path | None:
        """The candidate's own folder, which the writer of a file makes first; None when the run keeps no files."""

    def report(self, training: Training) -> None:
        """Shows people how far a training is: `context.report(Training((3,), 2, 8, values={"train_loss": 0.61}))`.

        Nothing that is recorded depends on a report, and a report may be dropped. Any thread may report.
        """


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bench is opened.

    `device` takes the place of the configured device (`cuda:1`; None: the configured one stays). `file` is the
    descriptor of a file, empty at first, that all benches of a pool hold: the first bench writes large inputs there,
    the others map them (`data/shared.py`). None: the bench has no other beside it. `halt` is to be asked between two
    epochs, so that a run can keep to its time.
    """

    device: str | None = None
    file: int | None = None
    halt: Halt = NEVER


@runtime_checkable
class Bench(Protocol[G], metaclass=Capability):
    """What evaluates the candidates of a job. It is opened once a worker, and serves for the whole run.

    What is wrong with the candidate (a network that cannot be built, divergence) is a failed result. What is wrong with
    the machine (disk full, data gone, a broken device) is raised as EnvironmentFailure and never becomes a result.
    """

    def environment(self) -> dict[str, Json]:
        """What results depend on beside the configuration: device type, library versions, a digest of the data."""

    def evaluate(self, unit: Unit[G], context: Context) -> Iterator[Result]:
        """One result for each candidate of the unit, in any order: `bench.evaluate(Unit((candidate,)), context)`.

        At width 1 each candidate is a program of its own; several of them may share the device (`Concurrent`). A unit
        of a greater width is one program (`Stacking`), whose results are a function of width and place, not of the
        neighbours.
        """


@runtime_checkable
class Job(Protocol[G], metaclass=Capability):
    """What "evaluate" means: says what is measured, and opens the bench that measures it.

    A job is a planner. It holds settings, is pickled to be sent to workers, and imports no torch. All that is costly
    (devices, torch, large data) belongs to the bench. A simple job is its own bench: `open` returns self.
    """

    @property
    def needs(self) -> tuple[type, ...]:
        """The capability protocols that the space must conform to."""

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """All metrics that a successful result carries, by name: `{"valid_error": Metric("min")}`."""

    def open(self, place: Place) -> Bench[G]:
        """A bench there: `job.open(Place(device="cuda:1"))`. Called once in each worker, before the first candidate.

        Data may wait until the bench is asked for its environment.
        """


@runtime_checkable
class Keyed(Protocol[C], metaclass=Capability):
    """What a job may have in addition: it knows which genomes are one function to it, so that one is evaluated."""

    @property
    def key_needs(self) -> tuple[type, ...]:
        """The capability protocols that the space must conform to, beside those that the job needs."""

    def function_key(self, genome: C, environment: Mapping[str, Json]) -> str | None:
        """Equal for genomes of one function; None for one that has to be evaluated by itself.

        `environment` is that of the job's bench, as the run recorded it: nothing has to be loaded.
        """


@runtime_checkable
class Static(Protocol[C], metaclass=Capability):
    """What a job may have in addition: it knows some metrics of a genome before anything is trained."""

    @property
    def static_names(self) -> Sequence[str]:
        """The names of these metrics; a constraint on one of them is checked before training."""

    def static_metrics(self, genome: C, environment: Mapping[str, Json]) -> Mapping[str, float] | None:
        """A value for each of the names; None for a genome without a network. No torch.

        `environment` is that of the job's bench, as the run recorded it: nothing has to be loaded.
        """


@runtime_checkable
class Offering(Protocol, metaclass=Capability):
    """What a job may have in addition: it measures some metrics only when the run asks for them."""

    @property
    def offered(self) -> Mapping[str, Metric]:
        """All of these metrics, asked for or not: `{"latency_ms": Metric("min", measured=True)}`.

        `metrics` has those that objectives, constraints, `scalarize` or the job's own settings name.
        """


@runtime_checkable
class Describing(Protocol, metaclass=Capability):
    """What a job may have in addition: its results say how candidates behave, for strategies that look for new
    behaviour."""

    @property
    def descriptor(self) -> Sequence[str]:
        """Names of the numbers of each successful result's descriptor: ("x", "y"); none where none is measured.

        A name stands for several numbers where only the data or an environment tells how many there are.
        A descriptor is a function of what decides the other metrics, never of a clock.
        """


@runtime_checkable
class Foretelling(Protocol, metaclass=Capability):
    """What a job may have in addition: it knows its task before a bench is opened, without reading data."""

    def task_ahead(self) -> Json:
        """The task as the environment of the bench has it (`Task.to_json`). Raises UsageError where there is none."""


@runtime_checkable
class Beside(Protocol, metaclass=Capability):
    """What a further job of a run may have in addition: it needs to know the environment of the run's own job."""

    def beside(self, environment: Mapping[str, Json]) -> Job[Any]:
        """The same job with what it takes from that environment, such as the task: `size.beside(environment)`.

        Called before the job opens a bench. Raises UsageError where the environment lacks what the job needs.
        """


@runtime_checkable
class Stacking(Protocol[G], metaclass=Capability):
    """Capability of a job: it trains several candidates of one ask as one program."""

    def units(self, asked: Sequence[Candidate[G]], environment: Mapping[str, Json]) -> list[Unit[G]]:
        """A partition of an ask: a function of the ask, the configuration and the environment, never of idle workers.

        The job's bench evaluates a unit whose width is above 1 as one program.
        """


@runtime_checkable
class Testing(Protocol, metaclass=Capability):
    """What a job may have in addition: it can measure trained candidates on the test part of the data set."""

    @property
    def tests(self) -> bool:
        """Whether it does. A search must not: only a strategy that is `Confirming` goes with such a job."""


@runtime_checkable
class Probing(Protocol[C], metaclass=Capability):
    """Capability of a bench: it tries out how it evaluates fastest."""

    def probe(self, genomes: Sequence[C], seconds: float) -> list[dict[str, Json]]:
        """Ways to evaluate, the fastest first: `overrides` (a list), `samples_per_second`, `trusted`, and why not."""


@runtime_checkable
class Foreseeing(Protocol[G], metaclass=Capability):
    """What a job may have in addition: it knows how much there is to do before it is done."""

    def work(self, unit: Unit[G], environment: Mapping[str, Json]) -> float | None:
        """An amount of at least 0 that grows with the time that the unit takes; None for a unit that takes none."""


@runtime_checkable
class Stoppable(Protocol[G], metaclass=Capability):
    """What a job may have in addition: its bench heeds `Place.halt` after each of a number of equal epochs."""

    def epochs(self, unit: Unit[G], environment: Mapping[str, Json]) -> int | None:
        """That number for the unit, at least 1; None where it is unknown."""


@runtime_checkable
class Advising(Protocol, metaclass=Capability):
    """What a job may have in addition: it tells people of settings that leave candidates little chance."""

    def advice(self) -> Sequence[str]:
        """A line for each such setting, as far as a look at the data tells; no error. No torch.

        For example `["each training makes only 8 updates of the weights (8 epochs x 1 batch of 50 examples)"]`.
        """


@runtime_checkable
class Preferring(Protocol, metaclass=Capability):
    """What a job may have in addition: it says what a search optimises whose `objectives` are null."""

    @property
    def objectives(self) -> Sequence[str]:
        """Names of metrics, the most important first: `("valid_loss", "parameters")`."""


@runtime_checkable
class Narrowing(Protocol, metaclass=Capability):
    """What a job may have in addition: some of its metrics exist for some data only."""

    def measured_on(self, environment: Mapping[str, Json]) -> Mapping[str, Metric]:
        """The metrics that a successful result carries in this environment, all of them among `metrics`."""

    def foreseen(self) -> Mapping[str, Metric]:
        """The same as far as it can be told without reading all data; those of `metrics` where it cannot. No torch."""


@runtime_checkable
class Concurrent(Protocol, metaclass=Capability):
    """What a job may have in addition: candidates that are not one program share a device at the same time."""

    def abreast(self, environment: Mapping[str, Json]) -> int:
        """How many candidates it wants at once, at most; each has the result that it has alone."""


def opened(job: Job[G], place: Place) -> Bench[G]:
    """The bench that the job opens at the place. Raises UsageError for a bench without what each bench has."""
    bench = job.open(place)
    lacking = lack(bench, Bench)
    if lacking is not None:
        raise UsageError(f"{type(job).__name__}.open gave {type(bench).__name__}, which is no bench: {lacking}")
    return bench


def advice(job: object) -> Sequence[str]:
    """What a job says of its settings; nothing where the job is not Advising."""
    return job.advice() if isinstance(job, Advising) else ()


@runtime_checkable
class Evaluator(Protocol[G], metaclass=Capability):
    """Where the benches of a job run. The order in which results come back never influences a run.

    One whose constructor takes a `stop_request` (`halting.StopRequest`) has its deadline count from the moment that
    somebody asks, though `collect` is waiting; of others the search is told at their next result.
    """

    @property
    def slots(self) -> int:
        """How many candidates are evaluated at once."""

    def start(self) -> dict[str, Json]:
        """Opens benches and returns their environment. Raises EnvironmentFailure."""

    def units(self, asked: Sequence[Candidate[G]]) -> list[Unit[G]]:
        """What of a whole ask of several candidates is evaluated together; only after `start`."""

    def submit(self, units: Sequence[Unit[G]]) -> None:
        """Takes units, or what is left of them; returns without waiting for results."""

    def collect(self, deadline: Deadline | None = None) -> list[Result]:
        """Waits for at least one result of what was submitted; each id comes back exactly once.

        With a deadline nothing is begun that could not end an epoch in time, and the list is empty when none comes.
        """

    def stop(self) -> Ended:
        """Stops what is under way as the last deadline says, drops the rest; only `close` may follow."""

    def close(self) -> None:
        """Stops at once; what is in flight is dropped."""
