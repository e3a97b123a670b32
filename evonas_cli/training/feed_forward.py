"""The exercise of networks whose examples have no order: a population on data that lie ready for a device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import torch

from evonas_cli.core.halting import NEVER, Halt
from evonas_cli.data.resident import Resident
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.checkpoint import Place
from evonas_cli.training.device.one_thread import in_one_thread
from evonas_cli.training.exercise import Outcome, Part, Pause, no_pause, outcomes
from evonas_cli.training.extent import PASSES
from evonas_cli.training.optimizers import optimizer_of
from evonas_cli.training.reporter import Reporter
from evonas_cli.training.steps import Steps, criterion_of, forward, memory_format
from evonas_cli.training.trainer import Trainer


class FeedForward:
    """Trains a population (`Exercise`).

    `trainers` has the settings of the member at each taken place, the first one's settings hold for all where members
    may not differ. Members may differ in learning rate, momentum, decay, schedule, epochs and loss. The population may
    have more places than there are members. `pause` is called where the device has something to do and this thread has
    not, `halt` asked before each step. `reporter` hears of steps on a CPU. With several `parts` a batch is computed in
    so many micro-batches, whose gradients add up to the batch's, and validation takes as much smaller batches: it needs
    less memory, and has other last bits and other statistics where batches are normalised.
    """

    def __init__(
        self,
        population: Population,
        trainers: Mapping[int, Trainer],
        data: Resident,
        run_seed: int,
        pause: Pause = no_pause,
        reporter: Reporter | None = None,
        halt: Halt = NEVER,
        parts: int = 1,
    ) -> None:
        self.population, self.data, self._parts = population, data, parts
        self.trainer = next(iter(trainers.values()))
        population.to(device=data.device)
        population.to(memory_format=memory_format(self.trainer))
        self.width = population.width
        all_places = [trainers.get(place, self.trainer) for place in range(self.width)]
        self.optimizer = optimizer_of(list(population.parameters()), all_places)
        self._steps = Steps(
            *(population, data, self.trainer, self.optimizer, run_seed, pause),
            reporter=reporter,
            halt=halt,
            trainers=all_places,
            parts=parts,
        )
        self.batch_size = self._steps.size
        self.steps_per_epoch = data.n_train // self.batch_size
        self.passes_per_epoch = PASSES * self.steps_per_epoch * self.batch_size
        self.tests, self.kind = data.tests, data.task.kind

    def place(self, index: int) -> Place:
        """The member at a place."""
        return Place(self.population, self.optimizer, index, self._parts)

    def epoch(self, rates: Sequence[Sequence[float]], epoch: int) -> list[float]:
        """One pass, with one synchronisation with the device."""
        return self._steps.epoch(rates, epoch)

    def validate(self, places: Sequence[int], part: Part) -> dict[int, Outcome]:
        """The metrics of the task's kind; none for a validation part without examples."""
        if part == "valid" and not self.data.n_valid:
            return {place: {} for place in places}
        trainer = self.trainer
        if self._parts > 1:
            trainer = replace(trainer, eval_batch_size=max(1, trainer.eval_batch_size // self._parts))
        call = partial(validate, self.population, self.data, trainer, places, part)
        return in_one_thread(self.data.device, call)


@torch.inference_mode()
def validate(
    population: Population,
    data: Resident,
    trainer: Trainer,
    places: Sequence[int],
    part: Part = "valid",
) -> dict[int, Outcome]:
    """The metrics of each of the places over a part, in evaluation mode, by their names without the part; Diverged when
    one is not finite. Raises RuntimeError when metrics contradict each other."""
    population.eval()
    meter = criterion_of(data, trainer).meter(population.width)
    for x, y in data.batches(part, max(1, trainer.eval_batch_size // population.width)):
        meter.add(forward(population, x, trainer), y)
    return outcomes(meter.measured(), places, part)
