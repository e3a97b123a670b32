"""The further job that mixes networks which a run has trained into one, for strategies that grow ensembles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.types import Json, Metric
from evonas_cli.data.dataset import Source
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.genomes.ensembling import Ensembling
from evonas_cli.jobs.several import task_beside
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.trainer import Trainer

if TYPE_CHECKING:
    from evonas_cli.training.candidates.ensemble_bench import EnsembleBench


class Ensemble:
    """Fits the weights of a mixture of trained networks on the training part, and measures the validation part.

    A candidate's options are {"members": ids, "penalties": numbers, "steps": count}: the candidates whose frozen
    networks are mixed, in the order of the genome's members, the penalty of each one's weight, and the steps of the fit
    (`training/mixture.py`). What the candidate continues is one of the members. Metrics: the `objective` F, and of the
    mixture `valid_loss`, `valid_error` and `valid_accuracy`; `best_member_accuracy` is the largest of a member alone.
    The mixture is kept as one network, whose last layers have the weights as factors, and can be exported.

    Raises UsageError for data without classes, and for a trainer that keeps no weights.
    """

    needs: tuple[type, ...] = (Buildable, Ensembling)
    honours = frozenset({"continues", "options"})
    metrics: Mapping[str, Metric] = {
        "objective": Metric("min"),
        "valid_loss": Metric("min"),
        "valid_error": Metric("min"),
        "valid_accuracy": Metric("max"),
        "best_member_accuracy": Metric("max"),
        "members": Metric("min"),
        "parameters": Metric("min"),
        "multiply_adds": Metric("min"),
    }

    def __init__(
        self,
        space: Buildable[Any],
        dataset: Any,
        trainer: Trainer,
        seed: int,
        device: str,
        deterministic: bool,
        threads: int,
    ) -> None:
        if not isinstance(dataset, Source) or dataset.task_kind != "classes":
            has = dataset.task_kind if isinstance(dataset, Source) else "sequences"
            raise UsageError(
                f"an ensemble is mixed by the cross-entropy of classes, and the data set {type(dataset).__name__} has "
                f"{has}; use a data set of classes"
            )
        if not trainer.save_state:
            raise UsageError("the members of an ensemble are trained networks; set trainer.save_state=true")
        self.equipment = Equipment(space, dataset, trainer, seed, device, deterministic, threads)

    def beside(self, environment: Mapping[str, Json]) -> Ensemble:
        """The job itself: its data is that of the run's own job. Raises UsageError where that job has no task."""
        task_beside(environment, "Ensemble")
        return self

    def open(self, place: Place) -> EnsembleBench:
        """The bench, which shares the data with other benches of the place."""
        from evonas_cli.training.candidates.ensemble_bench import EnsembleBench

        return EnsembleBench(self.equipment.at(place), place.file)
