"""The exercise of a denoiser: it learns to tell the noise from noisy examples (Ho et al., 2020, eq. 14)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from evonas_cli.core.halting import NEVER, Halt, Halted
from evonas_cli.core.rng import derive
from evonas_cli.data.resident import Resident
from evonas_cli.network.task import Kind
from evonas_cli.nn.stacked.population import Population
from evonas_cli.training.batches.batches import training_batches
from evonas_cli.training.checkpoint import Place
from evonas_cli.training.diffusion.distances import Yardstick
from evonas_cli.training.diffusion.process import Process
from evonas_cli.training.exercise import Outcome, Part, outcomes
from evonas_cli.training.extent import PASSES
from evonas_cli.training.optimizers import OPTIMIZERS
from evonas_cli.training.reporter import Reporter
from evonas_cli.training.steps import forward, memory_format
from evonas_cli.training.trainer import Trainer


class NoisePrediction:
    """Trains a denoiser, which is the one member (`Exercise`). An epoch is one pass over the training part.

    Batches, their steps of the diffusion and their noise are functions of `run_seed` and the epoch; the noise of the
    validation is one of `run_seed`, and that of `count` samples one of the candidate's `seed`. `drawn` are the samples
    of the last validation. `halt` is asked before each batch.
    """

    width, tests = 1, False
    kind: Kind = "samples"

    def __init__(
        self,
        population: Population,
        process: Process,
        trainer: Trainer,
        data: Resident,
        yardstick: Yardstick,
        run_seed: int,
        seed: int,
        count: int,
        reporter: Reporter | None = None,
        halt: Halt = NEVER,
    ) -> None:
        self.population, self.process, self.trainer, self.data = population, process, trainer, data
        population.to(device=data.device)
        population.to(memory_format=memory_format(trainer))
        self.optimizer = OPTIMIZERS[trainer.optimizer](list(population.parameters()), [trainer])
        self._parameters, self._yardstick = list(population.parameters()), yardstick
        self._run_seed, self._seed, self._count = run_seed, seed, count
        self._reporter, self._halt = reporter or Reporter(), halt
        self.drawn: Tensor | None = None
        self._generator = torch.Generator(data.device)
        self._layers = torch.Generator(data.device)
        population.draw_from(self._layers)
        self.batch_size = min(trainer.batch_size, data.n_train)
        self.steps_per_epoch = data.n_train // self.batch_size
        self.passes_per_epoch = PASSES * self.steps_per_epoch * self.batch_size

    def place(self, index: int) -> Place:
        """The denoiser; the index is 0."""
        return Place(self.population, self.optimizer, index)

    def epoch(self, rates: Sequence[Sequence[float]], epoch: int) -> list[float]:
        """One pass, each example in a step of the diffusion that is drawn uniformly."""
        self.population.train()
        self._layers.manual_seed(derive(self._run_seed, "noise", epoch))
        self._generator.manual_seed(derive(self._run_seed, "diffusion", epoch))
        on_device = torch.tensor(rates, device=self.data.device)
        total = torch.zeros((), device=self.data.device)
        batches = training_batches(self.data, self.batch_size, self._run_seed, epoch)
        for done, (x, _) in enumerate(batches, start=1):
            if self._halt.overdue():
                raise Halted(within=True)
            loss = self._losses(x).mean()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step([parameter.grad for parameter in self._parameters], on_device[done - 1])
            for parameter in self._parameters:
                parameter.grad = None
            total += loss.detach()
            if self.data.device.type == "cpu":
                self._reporter.step(done, len(rates), partial(_mean, total))
        self.population.count(len(rates))
        return _mean(total, len(rates))

    def _losses(self, x: Tensor) -> Tensor:
        """The mean squared error of the noise that is found in each example, (B,)."""
        count = self.process.steps
        steps = torch.rand(len(x), generator=self._generator, device=x.device).mul(count).long().clamp_max(count - 1)
        noise = torch.randn(x.shape, generator=self._generator, device=x.device)
        found = self._found(self.process.read(self.process.noisy(x, steps, noise), steps))
        return (found - noise).square().flatten(1).mean(1)

    def _found(self, read: Tensor) -> Tensor:
        """The noise in the shape of the examples, float32."""
        found = forward(self.population, read, self.trainer)
        return found if found.dim() == 4 else found[0]

    @torch.inference_mode()
    def validate(self, places: Sequence[int], part: Part) -> dict[int, Outcome]:
        """The mean squared error of the noise in the part, and the distances of new samples from held-out data."""
        self.population.eval()
        self._generator.manual_seed(derive(self._run_seed, "diffusion of the validation"))
        losses = [self._losses(x) for x, _ in self.data.batches(part, self.trainer.eval_batch_size)]
        self.drawn = self.samples()
        found = {**self._yardstick.measured(self.drawn.flatten(1)), "loss": float(torch.cat(losses).mean())}
        return outcomes([found], places, part)

    def samples(self) -> Tensor:
        """The denoiser's samples, (count, *shape), standardised; equal weights give equal ones."""
        self.population.eval()
        generator = torch.Generator(self.data.device).manual_seed(derive(self._seed, "samples"))
        parts = [self.process.samples(self._found, size, generator) for size in self._sizes()]
        return torch.cat(parts)

    def _sizes(self) -> Iterator[int]:
        """Numbers of samples that are computed at once."""
        for start in range(0, self._count, self.trainer.eval_batch_size):
            yield min(self.trainer.eval_batch_size, self._count - start)


def _mean(total: Tensor, done: int) -> list[float]:
    """The mean loss of the updates that are done, of the one member."""
    return [total.item() / done]
