"""The job that trains each candidate's denoiser and measures how far samples of it are from held-out data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import EvonasError, UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.types import Json, Metric, Unit
from evonas_cli.data.dataset import Source
from evonas_cli.genomes.capabilities import Denoising
from evonas_cli.jobs import stages
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.denoiser import Denoiser
from evonas_cli.network.metrics import metrics_of
from evonas_cli.network.samples import Samples, samples_in
from evonas_cli.network.task import Task
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.extent import epochs_of, few_updates, over_cap
from evonas_cli.training.trainer import Trainer, check_meant

if TYPE_CHECKING:
    from evonas_cli.training.candidates.diffusion_bench import DiffusionBench

WITHOUT_MEANING: Mapping[str, tuple[Any, ...]] = {
    "graph": (None, False),
    "class_weights": ("none",),
    "loss": ("standard",),
    "initialisation": ("standard",),
    "augmentation": ("none",),
    "rule": ("none",),
    "label_smoothing": (0.0,),
    "measure_train": (False,),
    "stack": (None, 1),
}
"""Settings of a trainer that do not speak of diffusion, with the values that ask for nothing."""
LAYOUTS = ("image", "vector", "auto")
"""Layouts of data sets that may have points or images."""
LEAST = 2
"""Samples without which there is no distance."""


class Diffusion:
    """Trains and validates denoising diffusion models (Ho, Jain and Abbeel, NeurIPS 2020) on inputs without targets.

    `space` decodes genomes, `seed` is the run's; `device`, `deterministic` and `threads` as for `device.resolve`.
    `trainer` says how long and how a denoiser is trained, by the mean squared error of the noise. After its last epoch,
    and at each point of its learning curve, a candidate makes `samples` samples, which are compared to held-out
    examples: `valid_mmd` and `valid_energy_distance` (`training/diffusion/distances.py`), on standardised features or
    channels. `valid_loss` is the mean squared error of the noise, which depends on the noise schedule, so that
    schedules are not to be compared by it.

    Batches and their noise depend on the run's seed; initial weights and the noise of samples on the candidate's. A
    result's payload has samples (`network/samples.py`). `cost` is the training's arithmetic in billions of
    multiply-adds, counted, without that of samples.
    """

    needs: tuple[type, ...] = (Denoising,)
    key_needs: tuple[type, ...] = ()
    honours = frozenset({"fidelity", "continues", "options"})
    static_names: Sequence[str] = ("parameters", "multiply_adds", "sample_multiply_adds")
    metrics: Mapping[str, Metric] = {
        **metrics_of("samples", 0),
        "train_loss": Metric("min"),
        "parameters": Metric("min"),
        "multiply_adds": Metric("min"),
        "sample_multiply_adds": Metric("min"),
        "epochs": Metric("min"),
        "cost": Metric("min"),
        "train_seconds": Metric("min", measured=True),
    }

    def __init__(
        self,
        space: Denoising[Any],
        dataset: Source,
        trainer: Trainer,
        seed: int,
        device: str,
        deterministic: bool,
        threads: int,
        samples: int,
    ) -> None:
        layout = dataset.layout if isinstance(dataset, Source) else "none"
        if layout not in LAYOUTS:
            raise UsageError(
                f"job=diffusion makes points or images, which the dataset {type(dataset).__name__} has not; "
                "pass dataset=moons or dataset=digits"
            )
        if type(samples) is not int or samples < LEAST:
            raise UsageError(f"job.samples is {samples!r}; it must be an integer of at least {LEAST}")
        check_meant(trainer, WITHOUT_MEANING, "job=diffusion")
        self.equipment = Equipment(space, dataset, trainer, seed, device, deterministic, threads)
        self._samples = samples

    def open(self, place: Place) -> DiffusionBench:
        """The bench, which prepares the data when it is first asked, or takes it out of the file of the place."""
        from evonas_cli.training.candidates.diffusion_bench import DiffusionBench

        return DiffusionBench(self.equipment.at(place), self._samples, place.file, place.halt)

    def check_there(self) -> None:
        """As the data set's."""
        self.equipment.dataset.check_there()

    def check_demands(self, demands: Demands) -> None:
        """Raises UsageError where weights are not kept, or the epochs are too few to be divided."""
        stages.check(demands, self.equipment.trainer, self.equipment.space)

    def advice(self) -> Sequence[str]:
        """Whether a training makes few updates of the weights, where a look at the data tells its size."""
        sizes = self.equipment.dataset.looked_up_sizes(self.equipment.seed)
        line = None if sizes is None else few_updates(self.equipment.trainer, sizes["train"])
        return [] if line is None else [line]

    def static_metrics(self, genome: Any, environment: Mapping[str, Json]) -> Mapping[str, float] | None:
        """Sizes of the denoiser; None where the genome has none."""
        denoiser = self._decoded(genome, environment)
        if denoiser is None:
            return None
        counts = {"parameters": denoiser.plan.parameters, "multiply_adds": denoiser.plan.multiply_adds}
        return {**counts, "sample_multiply_adds": denoiser.sample_multiply_adds}

    def function_key(self, genome: Any, environment: Mapping[str, Json]) -> str | None:
        """The network's canonical hash, time features, schedule and steps; None where there is no denoiser."""
        found = self._decoded(genome, environment)
        if found is None:
            return None
        return f"{canonical_hash(found.plan)} {found.features} {found.schedule} {found.steps}"

    def work(self, unit: Unit[Any], environment: Mapping[str, Json]) -> float | None:
        """Multiply-adds of an example, times epochs; None for what is not trained."""
        trainer, total = self.equipment.trainer, 0.0
        for candidate in unit.candidates:
            denoiser = self._decoded(candidate.proposal.genome, environment)
            if denoiser is None or over_cap(denoiser.plan, trainer) is not None:
                return None
            total += epochs_of(trainer, candidate) * denoiser.plan.multiply_adds
        return total

    def epochs(self, unit: Unit[Any], environment: Mapping[str, Json]) -> int | None:
        """Those of all candidates together, which are trained one after the other."""
        return sum(epochs_of(self.equipment.trainer, candidate) for candidate in unit.candidates)

    def samples(self, payload: Json) -> Samples | None:
        """As `network.samples.Generative`."""
        return samples_in(payload)

    def examples(self) -> tuple[Samples, str]:
        """As `network.samples.Generative`."""
        from evonas_cli.training.diffusion.examples import examples

        own = self.equipment
        return examples(own.dataset.prepare(own.seed), own.seed)

    def _decoded(self, genome: Any, environment: Mapping[str, Json]) -> Denoiser | None:
        try:
            return self.equipment.space.decode_denoiser(genome, Task.from_json(environment["task"]).inputs)
        except EvonasError:
            raise
        except Exception:  # whatever it is, evaluating the candidate meets it again and records it
            return None
