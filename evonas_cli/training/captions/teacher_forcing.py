"""The exercise of a network that describes images: each word is learned from the image and the true words before it.

Teacher forcing is for training and for `loss` alone; scores are those of captions that the network makes by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.core.halting import NEVER, Halt, Halted
from evonas_cli.core.rng import derive
from evonas_cli.network.captions import PADDING
from evonas_cli.network.task import Kind
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.captions.examples import Examples, Vocabulary
from evonas_cli.training.captions.greedy import captions
from evonas_cli.training.captions.scores import Scorer
from evonas_cli.training.checkpoint import Place
from evonas_cli.training.exercise import Outcome, Part, outcomes
from evonas_cli.training.extent import PASSES
from evonas_cli.training.optimizers import OPTIMIZERS
from evonas_cli.training.reporter import Reporter
from evonas_cli.training.steps import forward, memory_format
from evonas_cli.training.trainer import Trainer

Yardstick = Mapping[str, float]
"""The baseline's scores by name, each above 0."""


class TeacherForcing:
    """Trains a network that describes images, which is the one member (`Exercise`). An epoch reads each training image
    once, with one of its captions.

    Batches, captions and dropout are functions of `run_seed` and the epoch. `yardsticks` has the baseline's scores over
    the part `valid`, and `test` where `tests` says that it is measured; without any, scores are not compared. `said`
    has the captions of the last validation by part. `halt` is asked before each batch.
    """

    width = 1
    kind: Kind = "captions"

    def __init__(
        self,
        population: Population,
        trainer: Trainer,
        parts: Mapping[Part, Examples],
        vocabulary: Vocabulary,
        run_seed: int,
        yardsticks: Mapping[Part, Yardstick],
        reporter: Reporter | None = None,
        halt: Halt = NEVER,
    ) -> None:
        self.population, self.trainer, self._parts, self._vocabulary = population, trainer, parts, vocabulary
        self._device = parts["train"].device
        population.to(device=self._device)
        population.to(memory_format=memory_format(trainer))
        self._parameters = list(population.parameters())
        self.optimizer = OPTIMIZERS[trainer.optimizer](self._parameters, [trainer])
        self._run_seed, self._yardsticks = run_seed, yardsticks
        self._reporter, self._halt = reporter or Reporter(), halt
        self._scorers: dict[Part, Scorer] = {}
        self.said: dict[Part, list[tuple[str, ...]]] = {}
        self._noise = torch.Generator(self._device)
        population.draw_from(self._noise)
        count = len(parts["train"])
        self.batch_size = min(trainer.batch_size, count)
        self.steps_per_epoch = count // self.batch_size
        self.passes_per_epoch = PASSES * self.steps_per_epoch * self.batch_size
        self.tests = "test" in parts

    def place(self, index: int) -> Place:
        """The network; the index is 0."""
        return Place(self.population, self.optimizer, index)

    def epoch(self, rates: Sequence[Sequence[float]], epoch: int) -> list[float]:
        """One pass over the images."""
        self.population.train()
        self._noise.manual_seed(derive(self._run_seed, "noise", epoch))
        on_device = torch.tensor(rates, device=self._device)
        total = torch.zeros((), device=self._device)
        batches = self._parts["train"].epoch(self.batch_size, self._run_seed, epoch)
        for done, (x, targets) in enumerate(batches, start=1):
            if self._halt.overdue():
                raise Halted(within=True)
            loss = self._loss(x, targets, self.trainer.label_smoothing)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step([parameter.grad for parameter in self._parameters], on_device[done - 1])
            for parameter in self._parameters:
                parameter.grad = None
            total += loss.detach()
            if self._device.type == "cpu":
                self._reporter.step(done, len(rates), partial(_mean, total))
        self.population.count(len(rates))
        return _mean(total, len(rates))

    def _scores(self, x: Tensor) -> Tensor:
        """(B, tokens, steps), float32."""
        return forward(self.population, x, self.trainer)

    def _loss(self, x: Tensor, targets: Tensor, smoothing: float = 0.0, reduction: str = "mean") -> Tensor:
        """Cross-entropy in nats of each token up to the boundary: the mean or the sum over a batch."""
        return F.cross_entropy(
            *(self._scores(x), targets), ignore_index=PADDING, reduction=reduction, label_smoothing=smoothing
        )

    @torch.inference_mode()
    def validate(self, places: Sequence[int], part: Part) -> dict[int, Outcome]:
        """The loss over all captions of a part, and the scores of those that the network makes of its images."""
        self.population.eval()
        examples, size = self._parts[part], self.trainer.eval_batch_size
        total = sum(float(self._loss(x, targets, reduction="sum")) for x, targets in examples.batches(size))
        found = {"loss": total / int((examples.tokens[:, 1:] != PADDING).sum())}
        self.said[part] = self.captions(part)
        if part not in self._scorers:
            self._scorers[part] = Scorer(examples.references)
        found |= self._scorers[part].scores(self.said[part])
        yardstick = self._yardsticks.get(part)
        if yardstick is not None:
            found["relative"] = relative(found, yardstick)
        return outcomes([found], places, part)

    def captions(self, part: Part) -> list[tuple[str, ...]]:
        """The words that the network says of each image of a part."""
        self.population.eval()
        pixels, steps = self._parts[part].pixels, self._vocabulary.task.steps
        batches = torch.split(pixels, self.trainer.eval_batch_size)
        made = [ids for x in batches for ids in captions(self._scores, x, steps)]
        return [self._vocabulary.said(ids) for ids in made]


def relative(scores: Mapping[str, float], yardstick: Yardstick) -> float:
    """The mean over the yardstick's scores of a score as a multiple of the baseline's.

    >>> relative({"bleu1": 0.6, "bleu4": 0.3}, {"bleu1": 0.6, "bleu4": 0.2})
    1.25
    """
    return sum(scores[name] / value for name, value in yardstick.items()) / len(yardstick)


def _mean(total: Tensor, done: int) -> list[float]:
    """The mean loss of the updates that are done, of the one member."""
    return [total.item() / done]
