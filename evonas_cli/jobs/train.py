"""The job that trains each candidate's network and measures it on the validation part."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.types import Candidate, Json, Metric, Unit
from evonas_cli.core.wanted import NOTHING, Wanted
from evonas_cli.data.captions import CaptionDataset
from evonas_cli.data.dataset import Source
from evonas_cli.data.latencies import Latencies
from evonas_cli.data.sequences import SequenceDataset
from evonas_cli.genomes.capabilities import Buildable, Tuning
from evonas_cli.genomes.routing import Routing, check_tasks
from evonas_cli.jobs import described, foresight, stacks, stages, static
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.losses import STANDARD
from evonas_cli.network.metrics import OBJECTIVES, OF_NETWORKS, OF_TRAININGS, metrics_of, spread_of
from evonas_cli.network.task import KINDS, Kind, Task
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.extent import few_updates
from evonas_cli.training.measuring.plan import Measuring, Timing
from evonas_cli.training.trainer import Trainer, check_kind

if TYPE_CHECKING:
    from evonas_cli.training.candidates.workbench import Workbench


class Train:
    """Trains and validates candidates, those of one ask with equal networks side by side.

    `space` decodes genomes, `seed` is the run's; `device`, `deterministic` and `threads` as for `device.resolve`. The
    metric `cost` is the training's arithmetic in billions of multiply-adds, counted, not measured. Raises UsageError
    when the space tunes settings that the trainer does not have, or through values that it does not take.

    On a CUDA device up to `in_flight` candidates of different networks are trained at the same time, as memory allows.
    With `test` a trained candidate is measured on the test part, too. With `full` the validation part is trained on,
    and has no metrics. With several `folds` a candidate is trained once for each fold of training and validation part
    and has the means over them as metrics (`data.folds`). `wanted` and `measure` name metrics of the network that are
    measured in addition (`training/measuring`). With `descriptor` the results say how large the networks are
    (`jobs/described.py`).
    """

    needs: tuple[type, ...] = (Buildable,)
    key_needs: tuple[type, ...] = ()
    honours = frozenset({"fidelity", "continues", "options"})
    offered: Mapping[str, Metric] = OF_NETWORKS

    def __init__(
        self,
        space: Buildable[Any],
        dataset: Source,
        trainer: Trainer,
        seed: int,
        device: str,
        deterministic: bool,
        threads: int,
        in_flight: int = 1,
        test: bool = False,
        full: bool = False,
        measure: Sequence[str] = (),
        latency_batch: int = 1,
        latency_repeats: int = 50,
        latency_warmup: int = 10,
        latency_table: str | None = None,
        latency_key: str = "arch",
        latency_column: str | None = None,
        descriptor: str | None = None,
        folds: int = 1,
        wanted: Wanted = NOTHING,
    ) -> None:
        self.descriptor = described.named(descriptor)
        if type(in_flight) is not int or in_flight < 1:
            raise UsageError(f"job.in_flight is {in_flight!r}; it must be an integer of at least 1")
        if type(folds) is not int or folds < 1:
            raise UsageError(f"job.folds is {folds!r}; it must be an integer of at least 1")
        if full and folds > 1:
            raise UsageError(
                f"job.full=true trains on the validation part, too, on which each of job.folds={folds} folds is "
                "measured; set job.folds=1"
            )
        self._tests, self._full, self._folds = test, full, folds
        self._in_flight = in_flight
        for kind, job in ((SequenceDataset, "language"), (CaptionDataset, "captions")):
            if isinstance(dataset, kind):
                raise UsageError(
                    f"job=train classifies images, which the dataset {type(dataset).__name__} has not; pass "
                    f"dataset=digits (or mnist, cifar10, npz, folder, ...), or job={job}"
                )
        check_kind(trainer, dataset.task_kind)
        if isinstance(space, Routing):
            check_tasks(space, dataset.tasks)
        self.equipment = Equipment(space, dataset, trainer, seed, device, deterministic, threads)
        latencies = None if latency_table is None else Latencies(latency_table, latency_key, latency_column)
        timing = Timing(latency_batch, latency_repeats, latency_warmup)
        self._measuring = Measuring(measure, wanted, tuple(self._usual(self._task_metrics())), timing, latencies)
        evolved = trainer.loss != STANDARD or "loss" in self.equipment.tuned
        if evolved and "train_loss" in (*wanted.metrics, *wanted.bounded):
            raise UsageError(
                "train_loss is the value of trainer.loss, which is another loss than the standard one: candidates are "
                "not chosen by what they minimise; take valid_error or another metric of the validation part"
            )
        if isinstance(space, Tuning):
            for key, values in space.tuned.items():
                for value in values:
                    check_kind(trainer.override({key: value}), dataset.task_kind)

    @property
    def tests(self) -> bool:
        """Whether candidates are measured on the test part."""
        return self._tests

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Those of every training; with trainer.measure_train those of the training part, with `test` those of the
        test part; and of the network those that are asked for."""
        return self._measured(self._task_metrics())

    @property
    def static_names(self) -> Sequence[str]:
        """What is known of a network before training; of `offered` what is asked for."""
        return static.names(self._measuring)

    def _task_metrics(self) -> Mapping[str, Metric]:
        """Those of the data's kind, as far as the settings tell the number of outputs."""
        return self._of_kind(self.equipment.dataset.known_outputs)

    @property
    def objectives(self) -> tuple[str, ...]:
        """The objective of the data's kind, and the number of parameters."""
        return OBJECTIVES[_kind(self.equipment.dataset)], "parameters"

    def measured_on(self, environment: Mapping[str, Json]) -> Mapping[str, Metric]:
        """As `metrics`, for the number of classes that the data has."""
        return self._measured(self._of_kind(_task(environment).outputs))

    def foreseen(self) -> Mapping[str, Metric]:
        """As `metrics`, for the number of classes that a look at the data gives."""
        return self._measured(self._of_kind(self.equipment.dataset.looked_up_outputs()))

    def _of_kind(self, outputs: int | None) -> Mapping[str, Metric]:
        dataset, rivals = self.equipment.dataset, isinstance(self.equipment.space, Routing)
        return metrics_of(_kind(dataset), 2 if outputs is None else outputs, dataset.tasks, rivals)

    def _measured(self, task: Mapping[str, Metric]) -> Mapping[str, Metric]:
        return {**self._usual(task), **self._measuring.metrics}

    def _usual(self, task: Mapping[str, Metric]) -> Mapping[str, Metric]:
        on_train = {name.replace("valid", "train_eval", 1): metric for name, metric in task.items()}
        on_test = {name.replace("valid", "test", 1): replace(metric, test=True) for name, metric in task.items()}
        more = {**(on_train if self.equipment.trainer.measure_train else {}), **(on_test if self._tests else {})}
        spread = {spread_of(OBJECTIVES[_kind(self.equipment.dataset)]): Metric("min")} if self._folds > 1 else {}
        return {**({} if self._full else task), **spread, **OF_TRAININGS, **more}

    def open(self, place: Place) -> Workbench | described.Described:
        """The bench, which prepares the data when it is first asked, or takes it out of the file of the place."""
        self._measuring.quieten()
        from evonas_cli.training.candidates.workbench import Workbench

        own = self._measuring if self._measuring.names or self._measuring.latencies is not None else None
        equipment = self.equipment.at(place)
        bench = Workbench(equipment, place.file, self._tests, self._full, own, place.halt, self._folds)
        return described.Described(bench, self.equipment.space) if self.descriptor else bench

    def check_there(self) -> None:
        """As the data set's; the table of latencies, if there is one, and a counter of energy, if one is needed."""
        self.equipment.dataset.check_there()
        self._measuring.check_there(self.equipment.device)

    def advice(self) -> Sequence[str]:
        """Whether a training makes few updates of the weights, where a look at the data tells its size."""
        sizes = self.equipment.dataset.looked_up_sizes(self.equipment.seed)
        if sizes is None:
            return []
        examples = sizes["train"] + (sizes["valid"] if self._full else 0)
        if self._folds > 1:
            examples = (sizes["train"] + sizes["valid"]) * (self._folds - 1) // self._folds
        line = few_updates(self.equipment.trainer, examples, self.equipment.tuned)
        return [] if line is None else [line]

    def check_demands(self, demands: Demands) -> None:
        """Raises UsageError where weights are not kept, or the epochs are too few to be divided; with folds, where a
        further job takes the weights of the one network that a candidate then has not."""
        if self._folds > 1 and demands.continues and demands.jobs:
            raise UsageError(
                f"with job.folds={self._folds} a candidate is so many networks, but this strategy builds on one "
                "network of each; set job.folds=1"
            )
        stages.check(demands, self.equipment.trainer, self.equipment.space)

    def static_metrics(self, genome: Any, environment: Mapping[str, Json]) -> Mapping[str, float] | None:
        """A value for each of `static_names`; None where the genome has no network, or no row in a table."""
        return static.metrics(genome, self.equipment.space, _task(environment), self._measuring)

    def function_key(self, genome: Any, environment: Mapping[str, Json]) -> str | None:
        """The network's canonical hash, and the settings that the genome overrides; None where there is no network."""
        try:
            phenotype = self.equipment.space.decode(genome, _task(environment))
        except Exception:  # whatever it is, evaluating the candidate meets it again and records it
            return None
        return f"{canonical_hash(phenotype.plan)} {json.dumps(dict(phenotype.hyper), sort_keys=True)}"

    def abreast(self, environment: Mapping[str, Json]) -> int:
        """`in_flight` on a CUDA device: a CPU's cores have a process each."""
        return self._in_flight if environment["device"] == "cuda" else 1

    def units(self, asked: Sequence[Candidate[Any]], environment: Mapping[str, Json]) -> list[Unit[Any]]:
        """Candidates of equal structure together, as far as `trainer.stack` allows."""
        own = self.equipment
        return stacks.units(asked, own.space, own.trainer, _task(environment), stacks.Machine.of(environment))

    def work(self, unit: Unit[Any], environment: Mapping[str, Json]) -> float | None:
        """Multiply-adds of an image, times epochs of all folds, times places of the program."""
        once = foresight.work(unit, self.equipment.space, self.equipment.trainer, _task(environment))
        return None if once is None else once * self._folds

    def epochs(self, unit: Unit[Any], environment: Mapping[str, Json]) -> int | None:
        """Those of the member that is trained longest, in all folds."""
        once = foresight.epochs(unit, self.equipment.space, self.equipment.trainer, _task(environment))
        return None if once is None else once * self._folds


def _kind(dataset: Source) -> Kind:
    """The kind of task as the settings tell it. Raises UsageError where they leave it to the data."""
    for kind in KINDS:
        if kind == dataset.task_kind:
            return kind
    raise UsageError(f"dataset.kind is {dataset.task_kind}; before a job is made it must be one of {', '.join(KINDS)}")


def _task(environment: Mapping[str, Json]) -> Task:
    return Task.from_json(environment["task"])
