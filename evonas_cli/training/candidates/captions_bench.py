"""One candidate that describes images, from genome to metrics and captions, beside the baseline that all are measured
by."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import torch

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context
from evonas_cli.core.halting import NEVER, Halt
from evonas_cli.core.rng import derive
from evonas_cli.core.types import Candidate, Failure, Json, Result, Unit
from evonas_cli.data.captions import CaptionDataset, check_references
from evonas_cli.genomes.capabilities import Captioning
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.captioned import SHOWN, Said
from evonas_cli.network.captions import show_and_tell
from evonas_cli.network.plan import Plan, PlanError
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.candidates.attempt import Noted, attempt, fitted
from evonas_cli.training.candidates.environment import environment, ready
from evonas_cli.training.candidates.equipment import Equipment
from evonas_cli.training.captions.examples import Examples, Vocabulary
from evonas_cli.training.captions.teacher_forcing import TeacherForcing, Yardstick
from evonas_cli.training.checkpoint import Checkpoint, checkpoint_of
from evonas_cli.training.device.errors import one_line, reading_data
from evonas_cli.training.device.setup import precision_of
from evonas_cli.training.exercise import Diverged, Part
from evonas_cli.training.extent import epochs_of, over_cap, with_cost
from evonas_cli.training.loop import Member
from evonas_cli.training.reporter import Reporter


@dataclass(frozen=True)
class Baseline:
    """How the baseline is measured: the sizes of its network (`network.captions.show_and_tell`), and the scores of
    which a candidate's are multiples."""

    channels: tuple[int, ...]
    embedding: int
    hidden: int
    scores: tuple[str, ...]


@dataclass(frozen=True)
class _Measured:
    """A trained baseline: its scores by part, and its captions of the first images of the validation part."""

    yardsticks: Mapping[Part, Yardstick]
    said: Sequence[str]


@dataclass(frozen=True)
class _Loaded:
    parts: Mapping[Part, Examples]
    vocabulary: Vocabulary
    plan: Plan
    fingerprint: str


class CaptionsBench:
    """The data on its device, and the training of one network after the other on it.

    The baseline is trained as candidates are, with a seed of its own, once for each number of epochs that candidates
    have, before the first of them. With `test` networks are measured on the test part, too.
    """

    def __init__(
        self,
        equipment: Equipment[Captioning[Any], CaptionDataset],
        baseline: Baseline,
        test: bool = False,
        halt: Halt = NEVER,
    ) -> None:
        """`halt` is that of the place."""
        self.equipment, self.baseline, self.test, self.halt = equipment, baseline, test, halt
        self._baselines: dict[int, _Measured] = {}

    def environment(self) -> dict[str, Json]:
        """Device, torch, threads, the precision, the task, and a digest of the data.

        Raises UsageError, EnvironmentFailure.
        """
        loaded, own = self._loaded, self.equipment
        device = loaded.parts["train"].device
        found = environment(device, own.threads, loaded.vocabulary.task.task, loaded.fingerprint)
        return {**found, "precision": precision_of(own.trainer.precision, device, large=False)}

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """A result for each candidate, in order; its payload has `captions` (`network.captioned`).

        Failures: unbuildable, over_cap, diverged, oom (after a second try) and error, whose traceback goes to the
        candidate's folder. Raises EnvironmentFailure for disk and device errors, UsageError for wrong settings and for
        a baseline without a score.
        """
        for candidate in unit.candidates:
            said: list[Sequence[str]] = []
            result = attempt(candidate, context, partial(self._train, candidate, context, said))
            if result.status == "ok":
                measured = self._baselines[epochs_of(self.equipment.trainer, candidate)]
                result = replace(result, payload=Said(tuple(said[-1]), tuple(measured.said)).to_json())
            yield result

    @cached_property
    def _loaded(self) -> _Loaded:
        own = self.equipment
        device = ready(own.device, own.deterministic, own.threads)
        name = type(own.dataset).__name__
        with reading_data():
            corpus = own.dataset.captions(own.seed)
            test = own.dataset.test_captions(own.seed) if self.test else None
        words = Vocabulary.of(corpus, name)
        parts: dict[Part, Examples] = {
            "train": Examples(corpus.train, words, device, f"{name}, training part"),
            "valid": Examples(corpus.valid, words, device, f"{name}, validation part"),
        }
        if test is not None:
            check_references(test, f"{name}, test part")
            parts["test"] = Examples(test, words, device, f"{name}, test part")
        shape = self.baseline
        try:
            plan = show_and_tell(words.task, shape.channels, shape.embedding, shape.hidden)
        except PlanError as error:
            raise UsageError(
                f"the baseline does not fit the images: {one_line(error)}; shorten job.channels"
            ) from error
        return _Loaded(parts, words, plan, corpus.fingerprint)

    def _train(
        self,
        candidate: Candidate[Any],
        context: Context,
        said: list[Sequence[str]],
        labels: dict[str, str],
        curves: Noted,
    ) -> Mapping[str, float] | Failure:
        """The metrics, or why the network is not trained; `said` gets its captions. Raises Diverged, Lost."""
        trainer, seed, loaded = self.equipment.trainer, self.equipment.seed, self._loaded
        plan = self.equipment.space.decode_captioner(candidate.proposal.genome, loaded.vocabulary.task)
        loaded.vocabulary.task.check(plan)
        labels["network"] = canonical_hash(plan)
        failure = over_cap(plan, trainer)
        if failure is not None:
            return failure
        epochs = epochs_of(trainer, candidate)
        checkpoint = checkpoint_of(candidate, trainer, seed, context, {"plan": json.dumps(plan.to_json())})
        reporter = Reporter([candidate.id], context.report)
        yardsticks = self._measured(epochs, reporter).yardsticks
        member = Member(trainer, epochs, checkpoint)
        outcome, found = self._fit(plan, candidate.seed, member, yardsticks, reporter)
        labels.update(checkpoint.labels)
        curves.update(member.curves)
        said.append(found)
        return with_cost(outcome, plan)

    def _measured(self, epochs: int, reporter: Reporter) -> _Measured:
        """The baseline after so many epochs; `reporter` hears of its training, for which a candidate waits.

        Raises UsageError where it has diverged or a score of it is 0.
        """
        if epochs in self._baselines:
            return self._baselines[epochs]
        seed = derive(self.equipment.seed, "baseline")
        member = Member(self.equipment.trainer, epochs, Checkpoint())
        try:
            outcome, said = self._fit(self._loaded.plan, seed, member, {}, reporter)
        except Diverged as error:
            raise UsageError(f"the baseline diverged: {error}; lower trainer.learning_rate") from error
        yardsticks: dict[Part, Yardstick] = {}
        for part in self._loaded.parts:
            if part != "train":
                yardsticks[part] = {name: outcome[f"{part}_{name}"] for name in self.baseline.scores}
        for part, scores in yardsticks.items():
            worst = min(scores, key=lambda name: scores[name])
            if scores[worst] <= 0:
                raise UsageError(
                    f"the baseline's {worst} over the {part} part is 0 after {epochs} epochs, so that nothing is a "
                    f"multiple of it; raise trainer.epochs, or leave {worst} out of job.scores"
                )
        self._baselines[epochs] = _Measured(yardsticks, said)
        return self._baselines[epochs]

    def _fit(
        self, plan: Plan, seed: int, member: Member, yardsticks: Mapping[Part, Yardstick], reporter: Reporter
    ) -> tuple[dict[str, float], Sequence[str]]:
        """What a training measured, and the captions of the first images. Raises Diverged, Lost."""
        loaded, own = self._loaded, self.equipment
        exercises: list[TeacherForcing] = []

        def make(reporter: Reporter) -> TeacherForcing:
            network = Network(plan, torch.Generator().manual_seed(seed))
            exercise = TeacherForcing(
                *(Population([network]), own.trainer, loaded.parts, loaded.vocabulary, own.seed, yardsticks),
                reporter=reporter,
                halt=self.halt,
            )
            exercises.append(exercise)
            return exercise

        [outcome] = fitted(make, [member], reporter, self.halt)
        if isinstance(outcome, Diverged):
            raise outcome
        return outcome, [" ".join(caption) for caption in exercises[-1].said["valid"][:SHOWN]]
