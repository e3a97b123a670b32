"""The job that counts what a candidate's network is made of, without training it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Any, cast

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context, Place
from evonas_cli.core.types import Candidate, Failure, Json, Metric, Result, Unit
from evonas_cli.core.wanted import NOTHING, Wanted
from evonas_cli.data.dataset import Source
from evonas_cli.data.latencies import Latencies
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.jobs import static
from evonas_cli.jobs.several import task_beside
from evonas_cli.network.plan import Plan
from evonas_cli.network.task import Task
from evonas_cli.training.measuring.plan import Measuring, Timing


class Size:
    """Metrics: `parameters`, `multiply_adds` (of one sample) and `depth` (layers with weights) of the decoded network,
    and `model_bytes` and, from a table, `latency_ms` where `wanted` or `measure` name them.

    `dataset` says for which task. As a further job of a run (`jobs`) the job takes the task of the run's own job, and
    reads no data.
    """

    needs: tuple[type, ...] = (Buildable,)
    offered: Mapping[str, Metric] = {"model_bytes": Metric("min"), "latency_ms": Metric("min")}

    def __init__(
        self,
        space: Buildable[Any],
        dataset: Any,
        measure: Sequence[str] = (),
        latency_table: str | None = None,
        latency_key: str = "arch",
        latency_column: str | None = None,
        wanted: Wanted = NOTHING,
    ) -> None:
        self._space, self._dataset = space, dataset
        latencies = None if latency_table is None else Latencies(latency_table, latency_key, latency_column)
        self._measuring = Measuring(measure, wanted, tuple(static.METRICS), Timing(), latencies)
        self._measuring.check_offered(self.offered, "job=size")
        self.static_names: Sequence[str] = static.names(self._measuring)
        self.metrics: Mapping[str, Metric] = {**static.METRICS, **self._measuring.metrics}
        self._task: Task | None = None

    def beside(self, environment: Mapping[str, Json]) -> Size:
        """Counts for the task of the run's own job. Raises UsageError where that job has none."""
        found = copy(self)
        found._task = task_beside(environment, "Size")
        return found

    def check_there(self) -> None:
        """As the data set's, where the task comes from there."""
        if not isinstance(self._dataset, Source):
            name = type(self._dataset).__name__
            raise UsageError(f"job=size needs examples with targets, which the dataset {name} has not; "
                             "pass dataset=digits or another one")  # fmt: skip
        self._dataset.check_there()
        self._measuring.check_there("cpu")

    def open(self, place: Place) -> Size:
        """The job itself."""
        return self

    def environment(self) -> dict[str, Json]:
        """The task, and the digest of a table of latencies."""
        return {"task": self._of().to_json(), **self._measuring.environment()}

    def static_metrics(self, genome: Any, environment: Mapping[str, Json]) -> Mapping[str, float] | None:
        """All metrics; None where the genome has no network."""
        return static.metrics(genome, self._space, Task.from_json(environment["task"]), self._measuring)

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """One count each; a genome without a network fails as unbuildable, one that the table lacks as well."""
        for candidate in unit.candidates:
            try:
                plan = self._space.decode(candidate.proposal.genome, self._of()).plan
            except Exception as error:  # whatever the space raises is what is wrong with this genome
                failure = Failure("unbuildable", " ".join(f"{type(error).__name__}: {error}".split()))
                yield Result(candidate.id, "failed", error=failure)
            else:
                yield self._counted(candidate, plan)

    def _counted(self, candidate: Candidate[Any], plan: Plan) -> Result:
        table = self._measuring.latencies
        found = static.measured(plan, [name for name in self.metrics if name != "latency_ms"])
        if table is None:
            return Result(candidate.id, "ok", found)
        latency = table.of(candidate.proposal.genome, cast(Any, self._space))
        if latency is None:
            return Result(candidate.id, "failed", error=Failure("missing_metric", table.lack))
        return Result(candidate.id, "ok", {**found, "latency_ms": latency} if "latency_ms" in self.metrics else found)

    def _of(self) -> Task:
        if self._task is None:
            self.check_there()
            self._task = self._dataset.task()
        return self._task
