"""The job that trains each candidate's network and measures it on the validation part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Candidate, Json, Metric, Result, Unit
from evonas_cli.data.dataset import Source
from evonas_cli.data.sequences import SequenceDataset
from evonas_cli.genomes.capabilities import Buildable, Tuning
from evonas_cli.jobs import foresight, stacks, stages, static
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.metrics import OBJECTIVES, metrics_of
from evonas_cli.network.task import KINDS, Kind, Task
from evonas_cli.training.trainer import Trainer, check_kind

if TYPE_CHECKING:
    from evonas_cli.training.candidates.workbench import Workbench


class Train:
    """Trains and validates candidates, those of one ask with equal networks side by side.

    `space` decodes genomes, `seed` is the run's; `device`, `deterministic` and `threads` as for `device.resolve`. The
    metric `cost` is the training's arithmetic in billions of multiply-adds, counted, not measured. Making the job
    imports no torch and reads no data; that waits until it is used. Raises UsageError when the space tunes settings
    that the trainer does not have, or through values that it does not take.

    On a CUDA device up to `in_flight` candidates of different networks are trained at the same time, as memory allows.
    With `test` a trained candidate is measured on the test part, too. With `full` the validation part is trained on,
    and has no metrics.
    """

    needs: tuple[type, ...] = (Buildable,)
    key_needs: tuple[type, ...] = ()
    honours = frozenset({"fidelity", "continues", "options"})
    static_names: Sequence[str] = tuple(static.METRICS)
    _always: Mapping[str, Metric] = {
        "train_loss": Metric("min"),
        "parameters": Metric("min"),
        "multiply_adds": Metric("min"),
        "epochs": Metric("min"),
        "cost": Metric("min"),
        "train_seconds": Metric("min", measured=True),
    }

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
    ) -> None:
        if type(in_flight) is not int or in_flight < 1:
            raise UsageError(f"job.in_flight is {in_flight!r}; it must be an integer of at least 1")
        self._tests, self._full = test, full
        self._in_flight = in_flight
        if isinstance(dataset, SequenceDataset):
            raise UsageError(
                f"job=train classifies images, which the dataset {type(dataset).__name__} has not; pass dataset=digits "
                "(or mnist, cifar10, npz, folder, ...), or job=language"
            )
        check_kind(trainer, dataset.task_kind)
        self._settings = (space, dataset, trainer, seed, device, deterministic, threads)
        self._measures_train = trainer.measure_train
        self._file: int | None = None
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
        test part."""
        dataset = self._settings[1]
        return self._measured(metrics_of(_kind(dataset), 2 if dataset.known_outputs is None else dataset.known_outputs))

    @property
    def objectives(self) -> tuple[str, ...]:
        """The objective of the data's kind, and the number of parameters."""
        return OBJECTIVES[_kind(self._settings[1])], "parameters"

    def measured_on(self, environment: Mapping[str, Json]) -> Mapping[str, Metric]:
        """As `metrics`, for the number of classes that the data has."""
        task = _task(environment)
        return self._measured(metrics_of(task.kind, task.outputs))

    def foreseen(self) -> Mapping[str, Metric]:
        """As `metrics`, for the number of classes that a look at the data gives."""
        dataset = self._settings[1]
        outputs = dataset.looked_up_outputs()
        return self._measured(metrics_of(_kind(dataset), 2 if outputs is None else outputs))

    def _measured(self, task: Mapping[str, Metric]) -> Mapping[str, Metric]:
        on_train = {name.replace("valid", "train_eval", 1): metric for name, metric in task.items()}
        on_test = {name.replace("valid", "test", 1): replace(metric, test=True) for name, metric in task.items()}
        more = {**(on_train if self._measures_train else {}), **(on_test if self._tests else {})}
        return {**({} if self._full else task), **self._always, **more}

    @cached_property
    def _bench(self) -> Workbench:
        from evonas_cli.training.candidates.workbench import Workbench

        return Workbench(*self._settings, file=self._file, test=self._tests, full=self._full)

    def share(self, file: int) -> None:
        """The prepared data goes into the file, or comes out of it."""
        self._file = file

    def check_there(self) -> None:
        """As the data set's."""
        self._settings[1].check_there()

    def check_demands(self, demands: Demands) -> None:
        """Raises UsageError where weights are not kept, or the epochs are too few to be divided."""
        stages.check(demands, self._settings[2], self._settings[0])

    def static_metrics(self, genome: Any, environment: Mapping[str, Json]) -> Mapping[str, float] | None:
        """Parameters, multiply-adds and depth of the genome's network; None where it has none."""
        return static.metrics(genome, self._settings[0], _task(environment))

    def environment(self) -> dict[str, Json]:
        """Device, torch, threads, task, a digest of data and split. Raises UsageError, EnvironmentFailure."""
        return self._bench.environment()

    def function_key(self, genome: Any, environment: Mapping[str, Json]) -> str | None:
        """The network's canonical hash, and the settings that the genome overrides; None where there is no network."""
        try:
            phenotype = self._settings[0].decode(genome, _task(environment))
        except Exception:  # whatever it is, evaluating the candidate meets it again and records it
            return None
        return f"{canonical_hash(phenotype.plan)} {json.dumps(dict(phenotype.hyper), sort_keys=True)}"

    def __call__(self, candidates: Sequence[Candidate[Any]], context: Context) -> Iterator[Result]:
        """A result for each candidate, in order.

        Failures: unbuildable, over_cap, diverged, oom (after a second try) and error, whose traceback goes to the
        candidate's folder. Raises EnvironmentFailure for disk and device errors, UsageError for wrong settings.
        """
        if len(candidates) > 1 and self.abreast(self._bench.environment()) > 1:
            yield from self._bench.evaluate_abreast(candidates, context)
            return
        for candidate in candidates:
            yield self._bench.evaluate(candidate, context)

    def abreast(self, environment: Mapping[str, Json]) -> int:
        """`in_flight` on a CUDA device: a CPU's cores have a process each."""
        return self._in_flight if environment["device"] == "cuda" else 1

    def units(self, asked: Sequence[Candidate[Any]], environment: Mapping[str, Json]) -> list[Unit[Any]]:
        """Candidates of equal structure together, as far as `trainer.stack` allows."""
        space, _, trainer, *_ = self._settings
        return stacks.units(asked, space, trainer, _task(environment), str(environment["device"]))

    def work(self, unit: Unit[Any], environment: Mapping[str, Json]) -> float | None:
        """Multiply-adds of an image, times epochs, times places of the program."""
        space, _, trainer, *_ = self._settings
        return foresight.work(unit, space, trainer, _task(environment))

    def probe(self, genomes: Sequence[Any], seconds: float) -> list[dict[str, Json]]:
        """Ways to train the genomes' networks, the fastest first: overrides, speed, and whether losses are fp32's.

        Stacks are tried where the genomes have networks of one structure.
        """
        return self._bench.probe(genomes, seconds)

    def together(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """As `__call__`, as one program; memory that does not suffice narrows it."""
        yield from self._bench.evaluate_together(unit, context)


def _kind(dataset: Source) -> Kind:
    """The kind of task as the settings tell it. Raises UsageError where they leave it to the data."""
    for kind in KINDS:
        if kind == dataset.task_kind:
            return kind
    raise UsageError(f"dataset.kind is {dataset.task_kind}; before a job is made it must be one of {', '.join(KINDS)}")


def _task(environment: Mapping[str, Json]) -> Task:
    return Task.from_json(environment["task"])
