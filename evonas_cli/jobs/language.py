"""The job that trains a recurrent language model around each candidate's cell and measures its perplexity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.sources import Placed
from evonas_cli.core.types import Json, Metric, Unit
from evonas_cli.data.sequences import SequenceDataset
from evonas_cli.genomes.capabilities import Recurrent
from evonas_cli.jobs import stages
from evonas_cli.network.language import LanguagePlan
from evonas_cli.network.metrics import OF_TRAININGS, metrics_of
from evonas_cli.network.task import Task
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.extent import epochs_of, over_cap
from evonas_cli.training.trainer import Trainer, check_meant

if TYPE_CHECKING:
    from evonas_cli.training.candidates.language_bench import LanguageBench

WITHOUT_MEANING: Mapping[str, tuple[Any, ...]] = {
    "graph": (None, False),
    "class_weights": ("none",),
    "layout": ("auto",),
    "loss": ("standard",),
    "initialisation": ("standard",),
    "augmentation": ("none",),
}
"""Settings of a trainer that do not speak of language models, with the values that ask for nothing."""


class Language:
    """Trains and validates language models: embedding, one or more layers of the candidate's cell, a linear layer.

    `space` decodes genomes, `seed` is the run's; `device`, `deterministic` and `threads` as for `device.resolve`.

    hidden     width of h, of each memory and of the embedding
    unroll     steps in time between two updates of the weights; gradients go no further back, the state goes on
    dropout    share of the numbers of the embedding, between layers and of the output that a training step drops
    layers     layers of the cell, each with weights of its own

    `trainer` has all other settings: an epoch is one pass over the corpus, `batch_size` counts sequences, or stretches
    of one text, side by side, and `eval_batch_size` those of the validation. Batches and dropout depend on the run's
    seed, initial weights on the candidate's. `valid_loss` is in nats a token, `valid_perplexity` its exponential,
    `valid_error` the share of tokens that are not the most probable one; `multiply_adds` are for one token, `cost` is
    the training's arithmetic in billions of multiply-adds, counted.
    """

    needs: tuple[type, ...] = (Recurrent,)
    honours = frozenset({"fidelity", "continues", "options"})

    def __init__(
        self,
        space: Recurrent[Any],
        dataset: Any,
        trainer: Trainer,
        seed: int,
        device: str,
        deterministic: bool,
        threads: int,
        hidden: int,
        unroll: int,
        dropout: float,
        layers: int = 1,
    ) -> None:
        if not isinstance(dataset, SequenceDataset):
            raise UsageError(
                f"job=language reads sequences of tokens, which the dataset {type(dataset).__name__} has not; "
                "pass dataset=copy or dataset=text"
            )
        for key, value in (("hidden", hidden), ("unroll", unroll), ("layers", layers)):
            if type(value) is not int or value < 1:
                raise UsageError(f"job.{key} is {value!r}; it must be an integer of at least 1")
        if type(dropout) not in (int, float) or not 0 <= dropout < 1:
            raise UsageError(f"job.dropout is {dropout!r}; it must be a number from 0 to below 1")
        check_meant(trainer, WITHOUT_MEANING, "job=language")
        self.equipment = Equipment(space, dataset, trainer, seed, device, deterministic, threads)
        self._hidden, self._unroll, self._dropout, self._layers = hidden, unroll, dropout, layers

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Those of every training, and with trainer.measure_train those of the training part."""
        task = metrics_of("tokens", 0)
        on_train = {name.replace("valid", "train_eval", 1): metric for name, metric in task.items()}
        return {**task, **OF_TRAININGS, **(on_train if self.equipment.trainer.measure_train else {})}

    def open(self, place: Place) -> LanguageBench:
        """The bench, which reads the corpus when it is first asked."""
        from evonas_cli.training.candidates.language_bench import LanguageBench

        sizes = self._hidden, self._unroll, self._dropout, self._layers
        return LanguageBench(self.equipment.at(place), *sizes, place.halt)

    def check_there(self) -> None:
        """As the data set's, where it has files."""
        if isinstance(self.equipment.dataset, Placed):
            self.equipment.dataset.check_there()

    def check_demands(self, demands: Demands) -> None:
        """Raises UsageError where weights are not kept, or the epochs are too few to be divided."""
        stages.check(demands, self.equipment.trainer, self.equipment.space)

    def work(self, unit: Unit[Any], environment: Mapping[str, Json]) -> float | None:
        """Multiply-adds of a token, times epochs of the candidate's fidelity; None for what is not trained."""
        space, trainer = self.equipment.space, self.equipment.trainer
        total = 0.0
        for candidate in unit.candidates:
            try:
                cell = space.decode_cell(candidate.proposal.genome)
            except Exception:  # whatever it is, evaluating the candidate meets it again and records it
                return None
            plan = LanguagePlan(cell, Task.from_json(environment["task"]).outputs, self._hidden, self._layers)
            if over_cap(plan, trainer) is not None:
                return None
            total += epochs_of(trainer, candidate) * plan.multiply_adds
        return total

    def epochs(self, unit: Unit[Any], environment: Mapping[str, Json]) -> int | None:
        """Those of all candidates together, which are trained one after the other."""
        return sum(epochs_of(self.equipment.trainer, candidate) for candidate in unit.candidates)
