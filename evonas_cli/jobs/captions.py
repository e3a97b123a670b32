"""The job that trains each candidate to describe images, and measures its captions as multiples of a baseline's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import EvonasError, UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.sources import Placed
from evonas_cli.core.types import Json, Metric, Unit
from evonas_cli.data.captions import CaptionDataset
from evonas_cli.genomes.capabilities import Captioning
from evonas_cli.jobs import stages
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.captioned import SHOWN, Said, Seen, said_in
from evonas_cli.network.captions import CaptionTask
from evonas_cli.network.metrics import OF_TRAININGS, metrics_of
from evonas_cli.network.plan import Plan
from evonas_cli.network.samples import LEVELS, Samples
from evonas_cli.network.task import Task
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.extent import epochs_of, over_cap
from evonas_cli.training.trainer import Trainer, check_meant

if TYPE_CHECKING:
    from evonas_cli.training.candidates.captions_bench import CaptionsBench

WITHOUT_MEANING: Mapping[str, tuple[Any, ...]] = {
    "graph": (None, False),
    "class_weights": ("none",),
    "loss": ("standard",),
    "initialisation": ("standard",),
    "augmentation": ("none",),
    "rule": ("none",),
    "keep": ("last",),
    "measure_train": (False,),
    "stack": (None, 1),
}
"""Settings of a trainer that do not speak of captions, with the values that ask for nothing."""
SCORES = ("bleu1", "bleu2", "bleu3", "bleu4", "meteor", "cider", "token_accuracy")
"""What captions may be compared by (`training/captions/scores.py`)."""


class Captions:
    """Trains and validates networks that say in words what an image shows, with a baseline beside them.

    `space` decodes genomes, `seed` is the run's; `device`, `deterministic` and `threads` as for `device.resolve`.
    `trainer` says how long and how a network is trained, by the cross-entropy of the next word after the true ones.
    Validation has the network make a caption of each image word by word, the most probable one at a time, and scores it
    against the image's reference captions; `valid_relative` is the mean of `scores`, each as a multiple of what the
    baseline has. The baseline is a network in the shape of Show and Tell (`network.captions.show_and_tell`) with
    `channels`, `embedding` and `hidden`, trained as candidates are and for as many epochs, with a seed of its own.

    Batches, chosen captions and dropout depend on the run's seed, initial weights on the candidate's. `multiply_adds`
    are for one image and all steps of a caption; `cost` is the training's arithmetic in billions of multiply-adds,
    counted, without that of validation and baseline. With `test` the test part is measured, too, which `evonas
    retrain` sets.
    """

    needs: tuple[type, ...] = (Captioning,)
    key_needs: tuple[type, ...] = ()
    honours = frozenset({"fidelity", "continues", "options"})
    static_names: Sequence[str] = ("parameters", "multiply_adds")

    def __init__(
        self,
        space: Captioning[Any],
        dataset: Any,
        trainer: Trainer,
        seed: int,
        device: str,
        deterministic: bool,
        threads: int,
        channels: Sequence[int],
        embedding: int,
        hidden: int,
        scores: Sequence[str],
        test: bool = False,
    ) -> None:
        if not isinstance(dataset, CaptionDataset):
            raise UsageError(
                f"job=captions reads images with captions, which the dataset {type(dataset).__name__} has not; "
                "pass dataset=caption_scenes"
            )
        for key, value in (("embedding", embedding), ("hidden", hidden), *[("channels", one) for one in channels]):
            if type(value) is not int or value < 1:
                raise UsageError(f"job.{key} has {value!r}; it must be an integer of at least 1")
        if unknown := [name for name in scores if name not in SCORES]:
            raise UsageError(f"job.scores has {unknown[0]!r}; it may have {', '.join(SCORES)}")
        if not scores or len(set(scores)) < len(scores):
            raise UsageError(f"job.scores is {list(scores)}; name one score or more, each once")
        check_meant(trainer, WITHOUT_MEANING, "job=captions")
        self.equipment = Equipment(space, dataset, trainer, seed, device, deterministic, threads)
        self._shape = (tuple(channels), embedding, hidden)
        self._scores, self._test = tuple(scores), test

    @property
    def tests(self) -> bool:
        """Whether candidates are measured on the test part."""
        return self._test

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """Those of every training, and with `test` those of the test part."""
        task = metrics_of("captions", 0)
        on_test = {name.replace("valid", "test", 1): replace(metric, test=True) for name, metric in task.items()}
        return {**task, **OF_TRAININGS, **(on_test if self._test else {})}

    def open(self, place: Place) -> CaptionsBench:
        """The bench, which reads the data when it is first asked."""
        from evonas_cli.training.candidates.captions_bench import Baseline, CaptionsBench

        return CaptionsBench(self.equipment.at(place), Baseline(*self._shape, self._scores), self._test, place.halt)

    def check_there(self) -> None:
        """As the data set's, where it has files."""
        if isinstance(self.equipment.dataset, Placed):
            self.equipment.dataset.check_there()

    def check_demands(self, demands: Demands) -> None:
        """Raises UsageError where weights are not kept, or the epochs are too few to be divided."""
        stages.check(demands, self.equipment.trainer, self.equipment.space)

    def static_metrics(self, genome: Any, environment: Mapping[str, Json]) -> Mapping[str, float] | None:
        """Sizes of the network; None where the genome has none."""
        plan = self._decoded(genome, environment)
        return None if plan is None else {"parameters": plan.parameters, "multiply_adds": plan.multiply_adds}

    def function_key(self, genome: Any, environment: Mapping[str, Json]) -> str | None:
        """The network's canonical hash; None where there is no network."""
        plan = self._decoded(genome, environment)
        return None if plan is None else canonical_hash(plan)

    def work(self, unit: Unit[Any], environment: Mapping[str, Json]) -> float | None:
        """Multiply-adds of an image, times epochs; None for what is not trained."""
        trainer, total = self.equipment.trainer, 0.0
        for candidate in unit.candidates:
            plan = self._decoded(candidate.proposal.genome, environment)
            if plan is None or over_cap(plan, trainer) is not None:
                return None
            total += epochs_of(trainer, candidate) * plan.multiply_adds
        return total

    def epochs(self, unit: Unit[Any], environment: Mapping[str, Json]) -> int | None:
        """Those of all candidates together, which are trained one after the other."""
        return sum(epochs_of(self.equipment.trainer, candidate) for candidate in unit.candidates)

    def said(self, payload: Json) -> Said | None:
        """As `network.captioned.Speaking`."""
        return said_in(payload)

    def seen(self) -> Seen:
        """As `network.captioned.Speaking`."""
        corpus = self.equipment.dataset.captions(self.equipment.seed)
        images = corpus.valid.images[:SHOWN]
        shape = tuple(images.shape[1:])
        low, high = (0.0,) * shape[0], (float(LEVELS),) * shape[0]
        references = tuple([tuple(map(" ".join, own)) for own in corpus.valid.references[:SHOWN]])
        return Seen(Samples(shape, low, high, images.tobytes()), references, corpus.fingerprint)

    def _decoded(self, genome: Any, environment: Mapping[str, Json]) -> Plan | None:
        try:
            task = CaptionTask.of(Task.from_json(environment["task"]))
            return self.equipment.space.decode_captioner(genome, task)
        except EvonasError:
            raise
        except Exception:  # whatever it is, evaluating the candidate meets it again and records it
            return None
