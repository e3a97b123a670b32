"""The training loop: epochs over resident data, one synchronisation with the device an epoch, then one validation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from math import isfinite, log
from time import perf_counter
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.core.rng import derive
from evonas_cli.data.resident import Resident
from evonas_cli.training.augment import augment, draw
from evonas_cli.training.checkpoint import Checkpoint
from evonas_cli.training.optimizers import OPTIMIZERS, step
from evonas_cli.training.schedules import Course, factor
from evonas_cli.training.trainer import Trainer

TRAIN_EVAL = ("train_eval_loss", "train_eval_error")


class Diverged(Exception):
    """The loss is no finite number."""


def fit(
    network: nn.Module, data: Resident, trainer: Trainer, run_seed: int, epochs: int, checkpoint: Checkpoint
) -> dict[str, float]:
    """Trains up to `epochs` epochs in all and validates.

    Returns train_loss (mean over the last epoch, training mode, with label smoothing), valid_loss (nats an image),
    valid_error, valid_accuracy, epochs, images (seen in training by this candidate, not by the one it continues) and
    train_seconds (measured, without validation); with `measure_train` also train_eval_loss and train_eval_error, as the
    validation measures them. An interrupted training resumes from `checkpoint` with equal bits.
    Batches, augmentation and the noise of layers such as dropout are functions of `run_seed` and the epoch.
    Raises Diverged, and ValueError when what it continues does not fit or was trained longer.
    """
    network.to(device=data.device)
    network.to(memory_format=memory_format(trainer))
    optimizer = OPTIMIZERS[trainer.optimizer](network, trainer)
    progress = checkpoint.restore(network, optimizer)
    if progress.epoch > epochs:
        raise ValueError(f"it continues a training of {progress.epoch} epochs but has only {epochs} itself")
    size = min(trainer.batch_size, data.n_train)
    course = Course(
        epochs=max(epochs, trainer.epochs),
        batch_size=size,
        steps_per_epoch=data.n_train // size,
        step_size=trainer.step_size,
        gamma=trainer.gamma,
    )
    while progress.epoch < epochs:
        started = perf_counter()
        loss = train_epoch(network, data, trainer, optimizer, course, run_seed, progress.epoch)
        if not isfinite(loss):
            raise Diverged(f"the training loss is {loss} after epoch {progress.epoch + 1} of {epochs}")
        seconds = progress.train_seconds + perf_counter() - started
        progress = replace(progress, epoch=progress.epoch + 1, train_loss=loss, train_seconds=seconds)
        checkpoint.save(network, optimizer, progress)
    valid_loss, valid_error = validate(network, data, trainer)
    measured = {}
    if trainer.measure_train:
        measured = dict(zip(TRAIN_EVAL, validate(network, data, trainer, "train"), strict=True))
    checkpoint.finish(network, optimizer, progress)
    return {
        **measured,
        "train_loss": progress.train_loss,
        "valid_loss": valid_loss,
        "valid_error": valid_error,
        "valid_accuracy": 1.0 - valid_error,
        "epochs": progress.epoch,
        "images": (progress.epoch - progress.first_epoch) * course.steps_per_epoch * size,
        "train_seconds": progress.train_seconds,
    }


def train_epoch(
    network: nn.Module,
    data: Resident,
    trainer: Trainer,
    optimizer: torch.optim.Optimizer,
    course: Course,
    run_seed: int,
    epoch: int,
) -> float:
    """One pass over the training part; returns the mean loss of its batches."""
    network.train()
    order = data.epoch_order(run_seed, epoch)
    height, width = data.task.shape[1:]
    draws = draw(data.augmentation, len(order), height, width, run_seed, epoch).to(data.device)
    total = torch.zeros((), device=data.device)
    with noise(data.device, derive(run_seed, "noise", epoch)):
        for batch in range(course.steps_per_epoch):
            chosen = slice(batch * course.batch_size, (batch + 1) * course.batch_size)
            x, y = data.batch(order[chosen])
            if data.augmentation.active:
                x = augment(x, draws[:, chosen], data.augmentation)
            loss = F.cross_entropy(logits(network, x, trainer), y, label_smoothing=trainer.label_smoothing)
            loss.backward()  # type: ignore[no-untyped-call]
            rate = factor(trainer.schedule, epoch * course.steps_per_epoch + batch, course, trainer.warmup)
            step(optimizer, trainer, trainer.learning_rate * rate)
            total += loss.detach()
    return total.item() / course.steps_per_epoch


@torch.inference_mode()
def validate(
    network: nn.Module, data: Resident, trainer: Trainer, part: Literal["train", "valid"] = "valid"
) -> tuple[float, float]:
    """Mean negative log-likelihood in nats, and the fraction misclassified, over a part, in evaluation mode.

    Raises Diverged when the loss is not finite, RuntimeError when the two contradict each other: the true class of a
    misclassified image has probability at most 1/2, so the loss is at least error x ln 2.
    """
    network.eval()
    total = torch.zeros(2, dtype=torch.float64, device=data.device)
    n_images = data.n_valid if part == "valid" else data.n_train
    for x, y in data.batches(part, trainer.eval_batch_size):
        scores = logits(network, x, trainer)
        total[0] += F.cross_entropy(scores, y, reduction="sum")
        total[1] += (scores.argmax(dim=1) != y).sum()
    loss, error = (total / n_images).tolist()
    if not isfinite(loss):
        raise Diverged(f"the loss over the {part} part is {loss}")
    if loss < error * log(2) - 1e-5 * (1 + loss):
        raise RuntimeError(f"metric bug: loss {loss} is below error {error} x ln 2")
    return loss, error


def logits(network: nn.Module, x: Tensor, trainer: Trainer) -> Tensor:
    """The network's outputs (B, classes), float32 whatever the precision inside."""
    with autocast(trainer, x.device):
        scores: Tensor = network(x.to(memory_format=memory_format(trainer)))
    return scores.float()


def memory_format(trainer: Trainer) -> torch.memory_format:
    """Strides of images and convolution weights.

    Applied with `.to`, since `.contiguous` leaves the strides of one-channel tensors as they are, and with them every
    later layer in the slow layout.
    """
    return torch.contiguous_format if trainer.layout == "contiguous" else torch.channels_last


def autocast(trainer: Trainer, device: torch.device) -> AbstractContextManager[object]:
    """The precision of the network's arithmetic."""
    bf16 = trainer.precision == "bf16"
    if trainer.precision == "auto" and device.type == "cuda":
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16)


@contextmanager
def noise(device: torch.device, seed: int) -> Iterator[None]:
    """Within it, layers that draw from torch's own generator do so from `seed`; its state is put back afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
