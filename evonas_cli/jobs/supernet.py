"""The further job of one-shot searches: epochs of a supernet that continue each other, and scores of its paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.types import Json, Metric
from evonas_cli.data.dataset import Source
from evonas_cli.genomes.capabilities import Relaxable
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.trainer import Trainer, check_standard

if TYPE_CHECKING:
    from evonas_cli.training.supernet.bench import SupernetBench


class Supernet:
    """Candidates have no genome; their options are orders to train or to score (`genomes/supernet.py`).

    Metrics: `supernet_loss`, the mean training loss of an epoch or the mean validation loss of scored paths; `epochs`
    trained in all; `cost` in billions of multiply-adds; and `train_seconds`. Weights and the state of the training rule
    are the candidate's state.pt. The data are those of the run's own job; arithmetic is in float32.
    """

    needs: tuple[type, ...] = (Relaxable,)
    honours = frozenset({"continues", "options"})
    metrics: Mapping[str, Metric] = {
        "supernet_loss": Metric("min"),
        "epochs": Metric("min"),
        "cost": Metric("min"),
        "train_seconds": Metric("min", measured=True),
    }

    def __init__(
        self,
        space: Relaxable[Any],
        dataset: Any,
        trainer: Trainer,
        seed: int,
        device: str,
        deterministic: bool,
        threads: int,
    ) -> None:
        check_standard(trainer, "the job supernet")
        self._equipment = Equipment(space, dataset, trainer, seed, device, deterministic, threads)

    def beside(self, environment: Mapping[str, Json]) -> Supernet:
        """The job for the task of the run's own job. Raises UsageError where that job has none."""
        if environment.get("task") is None or not isinstance(self._equipment.dataset, Source):
            raise UsageError(
                "the job Supernet trains on examples with targets, which the run's own job does not have; use job=train"
            )
        return self

    def check_there(self) -> None:
        """As the data set's."""
        self._equipment.dataset.check_there()

    def open(self, place: Place) -> SupernetBench:
        """The bench, which prepares the data when it is first asked, or takes it out of the file of the place."""
        from evonas_cli.training.supernet.bench import SupernetBench

        return SupernetBench(self._equipment.at(place), place.file, place.halt)
