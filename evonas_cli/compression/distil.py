"""Distillation (Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015): a network goes on in
its training with the answers of another one as soft targets.

The loss of an example is (1 - SOFT) x that of its target + SOFT x T^2 x cross-entropy between the teacher's and the
network's probabilities, both softened by the temperature T. Labels are softened each by themselves; numbers have the
squared difference to the teacher's, without a temperature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.core.errors import EvonasError, UsageError
from evonas_cli.core.rng import derive
from evonas_cli.data.resident import Resident
from evonas_cli.export.outgoing import Model
from evonas_cli.network.signature import Signature
from evonas_cli.network.task import Kind
from evonas_cli.nn.build import Network
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.batches.batches import training_batches
from evonas_cli.training.optimizers import optimizer_of
from evonas_cli.training.schedules import Course, factor
from evonas_cli.training.steps import criterion_of, forward, memory_format
from evonas_cli.training.trainer import Trainer

SOFT = 0.9
"""The weight of the soft targets: most of it, as the paper advises."""


@dataclass(frozen=True)
class Lesson:
    """A further training: `epochs` with the trainer's settings and its schedule over them, at a `temperature`.

    `seed` decides the order of examples. Raises UsageError for values out of range.
    """

    epochs: int = 10
    temperature: float = 4.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise UsageError(f"--epochs is {self.epochs}; it must be 1 or more")
        if not 0 < self.temperature < float("inf"):
            raise UsageError(f"--temperature is {self.temperature:g}; it must be a number above 0")


Teacher = Callable[[Tensor], Tensor]
"""From normalised inputs (B, *inputs) to outputs (B, O) on the scale of the network's own."""


def check_teacher(teacher: Signature, own: Signature, name: str) -> None:
    """Raises UsageError for a teacher of another task, or one that makes other numbers of raw inputs."""
    if teacher.task != own.task:
        said = [f"{one.task.outputs} {one.task.kind} of {one.task.examples}" for one in (teacher, own)]
        raise UsageError(f"the teacher {name} is of another task: it says {said[0]}, the network {said[1]}")
    if teacher.names and own.names and teacher.names != own.names:
        raise UsageError(f"the teacher {name} is of another task: its {own.task.kind} have other names or places")
    if teacher.preparation != own.preparation:
        raise UsageError(f"the teacher {name} prepares raw inputs otherwise; name one of a search on the same data")


def teacher_of(model: Model, own: Signature, data: Resident) -> Teacher:
    """A model of raw numbers as a teacher of networks of normalised ones; it computes on the CPU."""
    shape = (-1, *[1] * (len(own.task.inputs) - 1))
    mean, std = (torch.tensor(values, dtype=torch.float32).view(shape) for values in (own.mean, own.std))

    @torch.no_grad()
    def teach(x: Tensor) -> Tensor:
        here = x.cpu()
        outputs = model(here if own.task.vocabulary else here.contiguous() * std + mean)
        if own.task.kind == "numbers":
            outputs = (outputs - torch.tensor(own.target_mean)) / torch.tensor(own.target_std)
        return outputs.float().to(data.device)

    return teach


def softened(outputs: Tensor, taught: Tensor, temperature: float, kind: Kind) -> Tensor:
    """The loss of each example for the teacher's outputs, (B,), of outputs (B, O) and `taught` (B, O)."""
    if kind == "numbers":
        return (outputs - taught).square().mean(1)
    if kind == "labels":
        wanted = (taught / temperature).sigmoid()
        each = F.binary_cross_entropy_with_logits(outputs / temperature, wanted, reduction="none").mean(1)
    else:
        each = -((taught / temperature).softmax(1) * (outputs / temperature).log_softmax(1)).sum(1)
    return temperature**2 * each


def trained(network: Network, lesson: Lesson, trainer: Trainer, data: Resident, teacher: Teacher | None) -> Network:
    """The network after the lesson, in evaluation mode on the device of the data; the given one is not changed.

    Without a teacher the targets alone are learned, which is what a teacher is compared with. Raises EvonasError where
    the loss is no finite number.
    """
    trainer = replace(trainer, epochs=lesson.epochs, warmup=min(trainer.warmup, lesson.epochs), graph=False)
    population = Population([network]).to(data.device)
    population.to(memory_format=memory_format(trainer))
    noise = torch.Generator(data.device)
    population.draw_from(noise)
    parameters = list(population.parameters())
    optimizer = optimizer_of(parameters, [trainer])
    criterion = criterion_of(data, trainer)
    size = min(trainer.batch_size, data.n_train)
    course = Course(
        epochs=lesson.epochs, steps_per_epoch=data.n_train // size, step_size=trainer.step_size, gamma=trainer.gamma
    )
    population.train()
    step = 0
    for epoch in range(lesson.epochs):
        noise.manual_seed(derive(lesson.seed, "noise", epoch))
        for x, y in training_batches(data, size, lesson.seed, epoch):
            taught = None if teacher is None else teacher(x)
            outputs = forward(population, x, trainer)
            loss = criterion.losses(outputs, y, trainer.label_smoothing).mean()
            if taught is not None:
                soft = softened(outputs[0], taught, lesson.temperature, data.task.kind).mean()
                loss = (1 - SOFT) * loss + SOFT * soft
            loss.backward()  # type: ignore[no-untyped-call]
            rate = trainer.learning_rate * factor(trainer.schedule, step, course, trainer.warmup)
            optimizer.step([one.grad for one in parameters], torch.tensor([rate], device=data.device))
            for one in parameters:
                one.grad = None
            step += 1
        if not torch.isfinite(loss):
            raise EvonasError(f"the loss is {float(loss):g} after epoch {epoch + 1}; use a lower learning rate")
    learned = Network(network.plan, torch.Generator())
    learned.load_state_dict({name: tensor.contiguous() for name, tensor in population.member(0).items()})
    return learned.to(data.device).eval()
