"""An MLflow run for each search: settings as parameters, the best so far and each candidate as metrics.

The store is a database, by default a file of SQLite, since MLflow gives up its store of plain files.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from evonas_cli.core.tracking import Described
from evonas_cli.core.types import Candidate, Json, Result
from evonas_cli.trackers.installed import need

if TYPE_CHECKING:
    from mlflow.entities import Metric

MARK = "evonas.mark"
"""The tag by which a later session finds the MLflow run of its search."""
STATUS = {"done": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
PAUSE = 1.0
"""Least seconds between two batches of metrics."""
MOST_PARAMETERS, MOST_METRICS, LONGEST = 100, 500, 6000
"""What MLflow takes in a batch, and characters of a parameter's value."""


class MLflow:
    """A run of MLflow in the store `uri`, with the search's settings and metrics.

    `sqlite:///mlflow.db` is a file in the current folder. The metrics of the search's run are `best/...` and
    `figures/...` by number of evaluations, and `candidate/...`, the objectives by the candidate's id. With `children`
    each candidate has a run below the run of the search, with genome, metrics and learning curve. A later session
    continues the run. Raises UsageError where the package mlflow is missing.
    """

    def __init__(self, uri: str, experiment: str, children: bool) -> None:
        need("mlflow", "mlflow")
        self._uri, self._experiment, self._children = uri, experiment, children
        self._waiting: list[Metric] = []
        self._logged = 0.0

    def start(self, run: Described) -> bool:
        """Finds the search's run in the store, or makes it."""
        import mlflow

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        self._run, self._client = run, mlflow.MlflowClient(tracking_uri=self._uri)
        found = self._client.get_experiment_by_name(self._experiment)
        self._place = self._client.create_experiment(self._experiment) if found is None else found.experiment_id
        known = self._client.search_runs([self._place], filter_string=f"tags.`{MARK}` = '{run.mark}'", max_results=1)
        if known:
            self._id = known[0].info.run_id
            self._client.update_run(self._id, status="RUNNING")
        else:
            self._id = self._client.create_run(self._place, run_name=run.name, tags={MARK: run.mark}).info.run_id
            self._describe(self._id, dict(_flat(run.config)))
        return True

    def told(self, candidate: Candidate[Any], result: Result, figures: Mapping[str, float]) -> None:
        """Metrics go to the store in batches, at most one a second."""
        evaluations = int(figures["evaluations"])
        for name, value in figures.items():
            if name != "evaluations":
                self._wait(name, value, evaluations)
        for objective in self._run.objectives if result.error is None and not candidate.proposal.job else ():
            self._wait(f"candidate/{objective.name}", result.metrics[objective.name], candidate.id)
        if self._children:
            self._make_child(candidate, result)
        if time.monotonic() - self._logged >= PAUSE:
            self._log()

    def end(self, status: str) -> None:
        """Logs what waits, and says how the session has ended."""
        self._log()
        self._client.set_terminated(self._id, STATUS[status])

    def _make_child(self, candidate: Candidate[Any], result: Result) -> None:
        tags = {"mlflow.parentRunId": self._id}
        made = self._client.create_run(self._place, run_name=f"candidate {candidate.id}", tags=tags)
        proposal = candidate.proposal
        about: dict[str, Json] = {"operator": proposal.operator, "parents": list(proposal.parents)}
        if proposal.genome is not None:
            about["genome"] = self._run.to_json(proposal.genome)
        if result.error is not None:
            about["failure"] = result.error.kind
        self._describe(made.info.run_id, about)
        metrics = [self._metric(name, value, 0) for name, value in result.metrics.items()]
        for name, column in result.curves.items():
            for epoch, value in zip(result.curves.get("epoch", ()), column, strict=False):
                if name != "epoch" and epoch is not None and value is not None:
                    metrics.append(self._metric(f"curve/{name}", value, int(epoch)))
        self._send(made.info.run_id, metrics)
        self._client.set_terminated(made.info.run_id, "FINISHED" if result.error is None else "FAILED")

    def _describe(self, run_id: str, values: Mapping[str, Json]) -> None:
        from mlflow.entities import Param

        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
        found = [Param(key, text[:LONGEST]) for key, text in texts.items()]
        for start in range(0, len(found), MOST_PARAMETERS):
            self._client.log_batch(run_id, params=found[start : start + MOST_PARAMETERS])

    def _wait(self, name: str, value: float, step: int) -> None:
        self._waiting.append(self._metric(name, value, step))

    def _metric(self, name: str, value: float, step: int) -> Metric:
        from mlflow.entities import Metric

        return Metric(name, value, int(time.time() * 1000), step)

    def _log(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._send(self._id, waiting)
        self._logged = time.monotonic()

    def _send(self, run_id: str, metrics: list[Metric]) -> None:
        for start in range(0, len(metrics), MOST_METRICS):
            self._client.log_batch(run_id, metrics=metrics[start : start + MOST_METRICS])


def _flat(node: Any, place: str = "") -> Iterator[tuple[str, Json]]:
    """The leaves of a configuration with their keys as overrides write them."""
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from _flat(value, f"{place}.{key}" if place else str(key))
    else:
        yield place, node
