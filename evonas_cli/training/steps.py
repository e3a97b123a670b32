"""The steps of an epoch: forward, backward and update of a whole population; nothing in them waits for the device."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Sequence
from contextlib import AbstractContextManager
from functools import partial

import torch
from torch import Tensor

from evonas_cli.core.errors import UsageError
from evonas_cli.core.halting import NEVER, Halt, Halted
from evonas_cli.core.rng import derive
from evonas_cli.data.resident import Resident
from evonas_cli.network.augmentation_policies import MOVES, NONE, policy_of
from evonas_cli.network.task import Task
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.batches.batches import Counted, training_batches
from evonas_cli.training.criteria import CRITERIA, Criterion
from evonas_cli.training.device.cuda_graph import NotRecorded, Record, cuda_graph, recorded
from evonas_cli.training.device.one_thread import in_one_thread
from evonas_cli.training.device.setup import has_bf16, precision_of
from evonas_cli.training.device.streams import aside, borrow
from evonas_cli.training.evolved_loss import MemberLosses, loss_fault
from evonas_cli.training.exercise import Pause, no_pause
from evonas_cli.training.extent import few_updates
from evonas_cli.training.optimizers import Optimizer
from evonas_cli.training.reporter import Reporter
from evonas_cli.training.task_criterion import TaskClasses
from evonas_cli.training.trainer import Trainer, check_kind

GRIP = 64
"""Replays of a recorded step that are sent to the device before others have their turn: enough to keep it busy while
another training is built and its step recorded."""

log = logging.getLogger(__name__)


class Steps:
    """Trains a population, epoch by epoch; an epoch raises Halted where `halt` is overdue. On a CUDA device the whole
    step, from the choice of the images to the update of the weights, is recorded once as a CUDA graph and then
    replayed, unless `trainer.graph` is false or the data do not allow it."""

    def __init__(
        self,
        population: Population,
        data: Resident,
        trainer: Trainer,
        optimizer: Optimizer,
        run_seed: int,
        pause: Pause = no_pause,
        record: Record | None = None,
        reporter: Reporter | None = None,
        halt: Halt = NEVER,
        trainers: Sequence[Trainer] = (),
        parts: int = 1,
    ) -> None:
        """`trainers` has the settings of each place; without, those of `trainer` hold at all of them. A batch is
        computed in so many `parts`, one after the other."""
        self.population, self.data, self.trainer, self.optimizer = population, data, trainer, optimizer
        self.run_seed, self._pause, self._record = run_seed, pause, record or cuda_graph
        self._reporter, self._halt = reporter or Reporter(), halt
        self.size, self._parts = min(trainer.batch_size, data.n_train), parts
        self._losses_of = member_losses(data, trainers or [trainer] * population.width)
        self._policy = policy_of(trainer.augmentation)
        self._parameters = list(population.parameters())
        self._noise = torch.Generator(data.device)
        population.draw_from(self._noise)
        self._total = torch.zeros(population.width, device=data.device)
        self._wanted = wants_graph(trainer, data)
        self._replay: Callable[[], None] | None = None
        self._stream: torch.cuda.Stream | None = None
        if self._wanted:
            self._stream = borrow(self, data.device) if data.device.type == "cuda" else None
            self._number = torch.zeros(1, dtype=torch.int64, device=data.device)
            self._rates = torch.zeros(data.n_train // self.size, population.width, device=data.device)
            self._batches = Counted(data, self.size, run_seed)

    def epoch(self, rates: Sequence[Sequence[float]], epoch: int) -> list[float]:
        """One pass over the training part, as far as there are learning rates (steps, P); each member's mean loss."""
        self.population.train()
        if self._wanted and self._replay is None:
            self._wanted = in_one_thread(self.data.device, partial(self._prepare, rates, epoch))
        with aside(self._stream):
            self._begin(epoch)
            (self._replayed if self._wanted else self._eager)(rates, epoch)
            self.population.count(len(rates) * self._parts)
            return self._losses(len(rates))

    def _eager(self, rates: Sequence[Sequence[float]], epoch: int) -> None:
        on_device = torch.tensor(rates, device=self.data.device)
        batches = training_batches(self.data, self.size, self.run_seed, epoch, self._policy)
        told = self.data.device.type == "cpu"  # where losses can be read without a wait
        for step, (x, y) in zip(range(len(rates)), batches, strict=False):
            self._check_time()
            self._step(x, y, on_device[step])
            if told:
                self._reporter.step(step + 1, len(rates), self._losses)

    def _begin(self, epoch: int) -> None:
        self._noise.manual_seed(derive(self.run_seed, "noise", epoch))
        self._total.zero_()

    def _step(self, x: Tensor, y: Tensor, rates: Tensor) -> None:
        for inputs, targets in zip(x.chunk(self._parts), y.chunk(self._parts), strict=True):
            losses = self._losses_of(forward(self.population, inputs, self.trainer), targets).mean(1)
            if self._parts > 1:
                losses = losses * (len(inputs) / len(x))
            losses.sum().backward()  # type: ignore[no-untyped-call]
            self._total += losses.detach()
        self.optimizer.step([parameter.grad for parameter in self._parameters], rates)
        self._drop_gradients()

    def _drop_gradients(self) -> None:
        for parameter in self._parameters:
            parameter.grad = None

    def _numbered(self) -> None:
        """The step whose number lies on the device, which then is the next one's."""
        x, y = self._batches.at(self._number)
        self._step(x, y, self._rates.index_select(0, self._number)[0])
        self._number += 1

    def _prepare(self, rates: Sequence[Sequence[float]], epoch: int) -> bool:
        """Records the step; False where that does not work. Raises UsageError if it was asked for by name."""
        try:
            with aside(self._stream):
                self._fill(rates, epoch)
                self._replay = recorded(
                    self._numbered, self._state(), lambda: self._begin(epoch), len(rates), self._record, self._noise
                )
        except NotRecorded as error:
            if self.trainer.graph:
                raise UsageError(
                    f"trainer.graph=true: the training step {error}; set trainer.graph to null or false"
                ) from error
            log.warning("the training step %s; training goes on without a CUDA graph", error)
            self._forget()
            return False
        return True

    def _forget(self) -> None:
        """Drops what a recording that failed may leave: gradients that were not computed, a generator that still
        records."""
        self._drop_gradients()
        self._noise = torch.Generator(self.data.device)
        self.population.draw_from(self._noise)

    def _fill(self, rates: Sequence[Sequence[float]], epoch: int) -> None:
        self._batches.begin(epoch)
        self._rates[: len(rates)] = torch.tensor(rates)
        self._number.zero_()

    def _state(self) -> list[Tensor]:
        """All tensors that a step changes."""
        remembered = [self.optimizer.memory(member) for member in range(self.population.width)]
        parts = [tensor for memory in remembered for named in memory.values() for tensor in named.values()]
        weights = [parameter.detach() for parameter in self._parameters]
        return [*weights, *self.population.buffers(), *parts, self._total, self._number]

    def _replayed(self, rates: Sequence[Sequence[float]], epoch: int) -> None:
        assert self._replay is not None
        self._fill(rates, epoch)
        for step in range(len(rates)):
            self._check_time()
            self._replay()
            if (step + 1) % GRIP == 0:
                self._pause()

    def _check_time(self) -> None:
        if self._halt.overdue():
            raise Halted(within=True)

    def _losses(self, steps: int) -> list[float]:
        """Waits for the device, while others go on."""
        if self.data.device.type == "cuda":
            done = torch.cuda.Event()  # type: ignore[no-untyped-call]
            done.record()
            while not done.query() and self._pause():  # type: ignore[no-untyped-call]
                pass
        return (self._total / steps).tolist()


def criterion_of(data: Resident, trainer: Trainer) -> Criterion:
    """The standard loss and the metrics of the data's kind of task."""
    weights = _class_weights(data, trainer)
    if data.task.members:
        return TaskClasses(data.task, weights)
    return CRITERIA[data.task.kind](data.task, weights, data.target_std)


def member_losses(data: Resident, trainers: Sequence[Trainer]) -> MemberLosses:
    """What each place of a population is trained by; label smoothing and class weights are those of the first."""
    first = trainers[0]
    losses, weights = [trainer.loss for trainer in trainers], _class_weights(data, first)
    return MemberLosses(criterion_of(data, first), data.task, losses, first.label_smoothing, weights)


def _class_weights(data: Resident, trainer: Trainer) -> Tensor | None:
    return data.class_weights if trainer.class_weights == "balanced" else None


def wants_graph(trainer: Trainer, data: Resident) -> bool:
    """Whether steps are to be recorded. Raises UsageError where they cannot be, although `trainer.graph` is true."""
    can = Counted.can(data) and trainer.augmentation == NONE
    if trainer.graph is None:
        return data.device.type == "cuda" and can
    check_device(trainer, data.device)
    if trainer.graph and not can:
        rest = "RandAugment (dataset.randaugment)" if data.augmentation.randaugment else "trainer.augmentation"
        what = "dataset.memory=host" if data.streams else rest
        raise UsageError(f"trainer.graph=true does not go with {what}; set trainer.graph to null or false")
    return trainer.graph


def check(trainer: Trainer, data: Resident, aloud: bool, tuned: Container[str] = ()) -> None:
    """Raises UsageError for settings that do not go with device or data.

    If `aloud`, warns of what is used instead, and of trainings with few updates; genomes set the keys in `tuned`.
    """
    wants_graph(trainer, data)
    check_kind(trainer, data.task.kind)
    if (reason := gene_fault(trainer, data.task)) is not None:
        raise UsageError(reason)
    if not aloud:
        return
    size, there = trainer.batch_size, data.n_train
    if size > there:
        log.warning("trainer.batch_size=%d is more than the %d training examples; batches have %d", size, there, there)
    if trainer.precision == "bf16" and not has_bf16(data.device):
        log.warning("trainer.precision=bf16: this device emulates bf16, which is slow; fp32 is its own")
    if (few := few_updates(trainer, there, tuned)) is not None:
        log.warning(few)


def gene_fault(trainer: Trainer, task: Task) -> str | None:
    """Why what a training is made of cannot train a network for the task, in one line; None: it can."""
    if (reason := loss_fault(trainer.loss, task)) is not None:
        return f"trainer.loss={trainer.loss} {reason}"
    if trainer.augmentation != NONE and len(task.inputs) != 3:
        return f"trainer.augmentation changes images; the task has {task.examples}; set trainer.augmentation={NONE}"
    if trainer.augmentation != NONE and task.members:
        return f"trainer.augmentation would change the number of the task as well; set trainer.augmentation={NONE}"
    if task.kind == "boxes" and any(step.operation in MOVES for step in policy_of(trainer.augmentation)):
        return f"trainer.augmentation moves images, whose boxes would stay; set trainer.augmentation={NONE}"
    return None


def check_device(trainer: Trainer, device: torch.device) -> None:
    """Raises UsageError for recorded steps, which a CPU does not offer."""
    if trainer.graph and device.type != "cuda":
        raise UsageError("trainer.graph=true needs a CUDA device; set trainer.graph to null or false")


def forward(population: Population, x: Tensor, trainer: Trainer) -> Tensor:
    """The networks' outputs (P, B, outputs), float32 whatever the precision inside."""
    images = x.dim() == 4
    with autocast(trainer, x.device, images and (population.plan.maps or population.width > 1)):
        outputs: Tensor = population(x.to(memory_format=memory_format(trainer)) if images else x)
    return outputs.float()


def memory_format(trainer: Trainer) -> torch.memory_format:
    """Strides of images and convolution weights.

    Applied with `.to`, since `.contiguous` leaves the strides of one-channel tensors as they are, and with them every
    later layer in the slow layout.
    """
    return torch.contiguous_format if trainer.layout == "contiguous" else torch.channels_last


def autocast(trainer: Trainer, device: torch.device, large: bool) -> AbstractContextManager[object]:
    """The precision of the network's arithmetic; `large` as for `precision_of`."""
    bf16 = precision_of(trainer.precision, device, large) == "bf16"
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16)
