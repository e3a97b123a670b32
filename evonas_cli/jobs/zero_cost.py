"""The job that scores a candidate's network before any training (zero-cost proxies; Abdelfattah et al., ICLR 2021)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.types import Json, Metric
from evonas_cli.core.wanted import NOTHING
from evonas_cli.data.dataset import Source
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.jobs import static
from evonas_cli.jobs.several import task_beside
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.task import Task
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.measuring.plan import Measuring, Timing
from evonas_cli.training.trainer import Trainer, check_kind, check_standard
from evonas_cli.training.zero_cost.scores import SCORES

if TYPE_CHECKING:
    from evonas_cli.training.candidates.zero_cost_bench import ZeroCostBench


class ZeroCost:
    """Scores networks with their initial weights on one batch of training data. Nothing is trained.

    Metrics: `score`, of which more is better, as `score` names it (`training/zero_cost`), and `parameters`,
    `multiply_adds` and `depth` of the network. `batch` is the number of examples. The loss, and the largest network,
    are those of `trainer`. As a further job of a run (`jobs`) it scores on the data of the run's own job.

    Raises UsageError for an unknown score, and for data without targets.
    """

    needs: tuple[type, ...] = (Buildable,)
    key_needs: tuple[type, ...] = ()
    static_names = tuple(static.METRICS)
    metrics: Mapping[str, Metric] = {"score": Metric("max"), **static.METRICS}

    def __init__(
        self,
        space: Buildable[Any],
        dataset: Any,
        trainer: Trainer,
        seed: int,
        device: str,
        deterministic: bool,
        threads: int,
        score: str = "synflow",
        batch: int = 64,
    ) -> None:
        if score not in SCORES:
            close = difflib.get_close_matches(str(score), SCORES, 1, 0.5)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise UsageError(f"job.score is {score!r}{hint} (it may be {', '.join(SCORES)})")
        if type(batch) is not int or batch < 2:
            raise UsageError(f"job.batch is {batch!r}; it must be an integer of at least 2")
        if not isinstance(dataset, Source):
            raise UsageError(f"job=zero_cost needs examples with targets, which the dataset {type(dataset).__name__} "
                             "has not; pass dataset=digits or another one")  # fmt: skip
        check_kind(trainer, dataset.task_kind)
        self._score, self._batch = score, batch
        self._equipment = Equipment(space, dataset, trainer, seed, device, deterministic, threads)
        check_standard(trainer, "job=zero_cost", self._equipment.tuned)

    def beside(self, environment: Mapping[str, Json]) -> ZeroCost:
        """The job itself: its data is that of the run's own job. Raises UsageError where that job has no task."""
        task_beside(environment, "ZeroCost")
        return self

    def check_there(self) -> None:
        """As the data set's."""
        self._equipment.dataset.check_there()

    def open(self, place: Place) -> ZeroCostBench:
        """The bench, which shares the data with other benches of the place."""
        from evonas_cli.training.candidates.zero_cost_bench import ZeroCostBench

        return ZeroCostBench(self._equipment.at(place), self._score, self._batch, place.file)

    def static_metrics(self, genome: Any, environment: Mapping[str, Json]) -> Mapping[str, float] | None:
        """The size of the network; None where the genome has none."""
        counting = Measuring((), NOTHING, self.static_names, Timing())
        return static.metrics(genome, self._equipment.space, Task.from_json(environment["task"]), counting)

    def function_key(self, genome: Any, environment: Mapping[str, Json]) -> str | None:
        """The network's canonical hash; None where there is no network."""
        try:
            return canonical_hash(self._equipment.space.decode(genome, Task.from_json(environment["task"])).plan)
        except Exception:  # whatever it is, evaluating the candidate meets it again and records it
            return None
