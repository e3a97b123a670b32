"""The exercise of a recurrent language model: truncated backpropagation through time (Werbos, 1990).

Several sequences, or stretches of one text, are read side by side, `unroll` steps at a time; after each window the
weights are updated, and the state goes on into the next one without its gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import isfinite

import torch
from torch import Tensor

from evonas_cli.core.halting import NEVER, Halt, Halted
from evonas_cli.core.rng import derive
from evonas_cli.network.task import Task
from evonas_cli.nn.recurrent import LanguageModel, State
from evonas_cli.training.batches.windows import Reading, Window
from evonas_cli.training.checkpoint import Place
from evonas_cli.training.criteria import Tokens
from evonas_cli.training.exercise import Outcome, Part, outcomes
from evonas_cli.training.optimizers import optimizer_of
from evonas_cli.training.reporter import Reporter
from evonas_cli.training.steps import autocast
from evonas_cli.training.trainer import Trainer

GLANCE = 50
"""Updates between two looks at whether the loss is still finite: a pass over a long text has thousands."""


class ThroughTime:
    """Trains a language model, which is the one member (`Exercise`). An epoch is one pass over the corpus.

    Batches and dropout are functions of `run_seed` and the epoch; rows of validation lie `trainer.eval_batch_size` side
    by side. `halt` is asked before each window.
    """

    width = 1

    def __init__(
        self,
        model: LanguageModel,
        trainer: Trainer,
        task: Task,
        train: Reading,
        valid: Reading,
        run_seed: int,
        reporter: Reporter | None = None,
        halt: Halt = NEVER,
    ) -> None:
        self._halt = halt
        self.model, self.trainer, self.run_seed = model.to(train.device), trainer, run_seed
        self._reporter = reporter or Reporter()
        self._parts: dict[Part, Reading] = {"train": train, "valid": valid}
        self._parameters = list(model.parameters())
        self.optimizer = optimizer_of(self._parameters, [trainer])
        self._noise = torch.Generator(train.device)
        model.draw_from(self._noise)
        self._criterion = Tokens(task)
        self.batch_size = trainer.batch_size
        self.steps_per_epoch, self.passes_per_epoch = train.counts(self.batch_size)
        self.tests, self.kind = False, task.kind

    def place(self, index: int) -> Place:
        """The model; the index is 0."""
        return Place(self.model, self.optimizer, index)

    def epoch(self, rates: Sequence[Sequence[float]], epoch: int) -> list[float]:
        """One pass; windows of which no step counts carry the state on without an update."""
        self.model.train()
        self._noise.manual_seed(derive(self.run_seed, "noise", epoch))
        train = self._parts["train"]
        on_device = torch.tensor(rates, device=train.device)
        total, done = torch.zeros((), device=train.device), 0
        state: State = ()
        for window in train.epoch(self.batch_size, self.run_seed, epoch):
            if self._halt.overdue():
                raise Halted(within=True)
            state = begin(self.model, window, state)
            if not window.scored:
                with torch.no_grad():
                    _, state = self._forward(window, state)
                continue
            loss, state = self._update(window, state, on_device[done])
            total += loss
            done += 1
            if train.device.type == "cpu":
                self._reporter.step(done, len(rates), partial(_mean, total))
            if done % GLANCE == 0 and not isfinite(total.item()):
                break
        return _mean(total, done)

    def _forward(self, window: Window, state: State) -> tuple[Tensor, State]:
        """Scores of the steps that count, (1, N, tokens), float32 whatever the precision inside, and the state."""
        with autocast(self.trainer, window.inputs.device, large=False):
            scores, state = self.model(window.inputs, state)
        return window.counted(scores).float()[None], state

    def _update(self, window: Window, state: State, rates: Tensor) -> tuple[Tensor, State]:
        """One update of the weights; the window's mean loss and the state after it."""
        scores, state = self._forward(window, state)
        loss = self._criterion.losses(scores, window.counted(window.targets), self.trainer.label_smoothing).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step([parameter.grad for parameter in self._parameters], rates)
        for parameter in self._parameters:
            parameter.grad = None
        return loss.detach(), state

    @torch.inference_mode()
    def validate(self, places: Sequence[int], part: Part) -> dict[int, Outcome]:
        """Loss, error and perplexity over the steps that count."""
        self.model.eval()
        meter = self._criterion.meter(self.width)
        state: State = ()
        for window in self._parts[part].once(self.trainer.eval_batch_size):
            scores, state = self._forward(window, begin(self.model, window, state))
            if window.scored:
                meter.add(scores, window.counted(window.targets))
        return outcomes(meter.measured(), places, part)


def _mean(total: Tensor, done: int) -> list[float]:
    """The mean loss of the updates that are done, of the one member."""
    return [total.item() / done]


def begin(model: LanguageModel, window: Window, state: State) -> State:
    """The state before a window: zeros where rows begin, else the last one without its gradient."""
    if window.fresh:
        return model.start(window.inputs.shape[1])
    return tuple([part.detach() for part in state])
