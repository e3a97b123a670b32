"""Training and validating a recurrent language model: truncated backpropagation through time (Werbos, 1990).

Several sequences, or stretches of one text, are read side by side, `unroll` steps at a time; after each window the
weights are updated, and the state goes on into the next one without its gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite, log
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.core.rng import derive, stream
from evonas_cli.data.sequences import Sequences
from evonas_cli.nn.recurrent import LanguageModel, State
from evonas_cli.training.candidates.language_settings import LanguageSettings
from evonas_cli.training.loop import Diverged

PASSES = 3  # an update costs one forward pass and a backward pass of twice as much
VALID_ROWS = 256
GLANCE = 50
"""Updates between two looks at whether the loss is still finite."""


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive steps of rows side by side.

    Inputs and targets are (T, B), `scored` lists the steps that count, on the CPU; `fresh`: the rows begin here.
    """

    inputs: Tensor
    targets: Tensor
    scored: list[int]
    fresh: bool

    def counted(self, values: Tensor) -> Tensor:
        """Of values (T, B, ...) those of the steps that count, (N, ...)."""
        return (values if len(self.scored) == len(values) else values[self.scored]).flatten(0, 1)


class Reading:
    """A part of a corpus, on a device, and how it is read."""

    def __init__(self, part: Sequences, device: torch.device) -> None:
        self._inputs = torch.from_numpy(part.inputs).to(device)
        self._targets = torch.from_numpy(part.targets).to(device)
        self._scored: list[bool] = part.scored.tolist()
        self._stream = part.stream

    def train_windows(self, seed: int, settings: LanguageSettings) -> Iterator[Window]:
        """Windows without end, in an order that depends on the seed alone.

        Every epoch shuffles the rows, of which those that do not fill a batch are left out. Those of a stream begin
        anew in every epoch, at a place drawn from the whole of it, as if its end were joined to its beginning.
        """
        epoch, size = 0, settings.batch_size
        while True:
            rng = stream(seed, "sequences", epoch)
            inputs, targets = self._rows(size, settings.unroll, rng.randrange(self._inputs.shape[1]))
            order = torch.tensor(rng.sample(range(len(inputs)), len(inputs)), device=inputs.device)
            for chosen in torch.split(order, size)[: max(1, len(order) // size)]:
                yield from self._windows(inputs[chosen], targets[chosen], settings.unroll)
            epoch += 1

    def valid_windows(self, settings: LanguageSettings) -> Iterator[Window]:
        """The whole part once, in its own order; a stream in up to 256 rows, without the rest that fills no row."""
        inputs, targets = self._rows(VALID_ROWS, settings.unroll, 0)
        for x, y in zip(torch.split(inputs, VALID_ROWS), torch.split(targets, VALID_ROWS), strict=True):
            yield from self._windows(x, y, settings.unroll)

    def _rows(self, at_most: int, unroll: int, shift: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets, (rows, T) each; a stream in rows no shorter than a window, unless it has only one."""
        if not self._stream:
            return self._inputs, self._targets
        length = self._inputs.shape[1]
        rows = max(1, min(at_most, length // unroll))
        width = length // rows
        x, y = (torch.roll(tokens[0], -shift)[: rows * width] for tokens in (self._inputs, self._targets))
        return x.view(rows, width), y.view(rows, width)

    def _windows(self, inputs: Tensor, targets: Tensor, unroll: int) -> Iterator[Window]:
        pieces = zip(torch.split(inputs.T, unroll), torch.split(targets.T, unroll), strict=True)
        for start, (x, y) in zip(range(0, inputs.shape[1], unroll), pieces, strict=True):
            scored = [step for step in range(len(x)) if self._scored[start + step]]
            yield Window(x, y, scored, fresh=start == 0)


def fit(
    model: LanguageModel, train: Reading, valid: Reading, settings: LanguageSettings, run_seed: int, steps: int
) -> dict[str, float]:
    """Trains for `steps` updates and validates.

    Returns train_loss (mean of the last tenth of the updates), valid_loss (nats a token), valid_error (share of wrong
    most probable tokens), cost (multiply-adds of the training, in billions) and train_seconds (measured). Batches and
    dropout are functions of `run_seed`. Raises Diverged when a loss is not finite.
    """
    started = perf_counter()
    device = next(model.parameters()).device
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=True)
    last = torch.zeros((), device=device)
    n_last, done, products = max(1, steps // 10), 0, 0
    model.train()
    with noise(device, derive(run_seed, "noise")):
        state: State = ()
        for window in train.train_windows(run_seed, settings):
            state = begin(model, window, state)
            size = model.multiply_adds * window.inputs.numel()
            if not window.scored:
                products += size
                with torch.no_grad():
                    _, state = model(window.inputs, state)
                continue
            products += PASSES * size
            loss, state = update(model, optimizer, window, state, settings.clip_norm)
            done += 1
            last += loss if done > steps - n_last else 0.0
            if (done % GLANCE == 0 or done == steps) and not isfinite(loss.item()):
                raise Diverged(f"the training loss is {loss.item()} after update {done} of {steps}")
            if done == steps:
                break
    train_loss, seconds = last.item() / n_last, perf_counter() - started
    if not isfinite(train_loss):
        raise Diverged(f"the training loss is {train_loss} in the last {n_last} updates")
    valid_loss, valid_error = validate(model, valid, settings)
    return {
        "train_loss": train_loss,
        "valid_loss": valid_loss,
        "valid_error": valid_error,
        "cost": products / 1e9,
        "train_seconds": seconds,
    }


@contextmanager
def noise(device: torch.device, seed: int) -> Iterator[None]:
    """Within it, dropout draws from `seed`; the state of torch's own generator is put back afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def begin(model: LanguageModel, window: Window, state: State) -> State:
    """The state before a window: zeros where rows begin, else the last one without its gradient."""
    if window.fresh:
        return model.cell.start(window.inputs.shape[1])
    return tuple([part.detach() for part in state])


def update(
    model: LanguageModel, optimizer: torch.optim.Optimizer, window: Window, state: State, clip_norm: float | None
) -> tuple[Tensor, State]:
    """One update of the weights; returns the window's mean loss and the state after it."""
    scores, state = model(window.inputs, state)
    loss = F.cross_entropy(window.counted(scores), window.counted(window.targets))
    loss.backward()  # type: ignore[no-untyped-call]
    if clip_norm is not None:
        nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.detach(), state


@torch.inference_mode()
def validate(model: LanguageModel, valid: Reading, settings: LanguageSettings) -> tuple[float, float]:
    """Mean negative log-likelihood in nats and share of wrong tokens, over the steps that count.

    Raises Diverged when the loss is not finite, RuntimeError when the two contradict each other: the true token of a
    wrong prediction has probability at most 1/2, so the loss is at least error x ln 2.
    """
    model.eval()
    total = torch.zeros(2, dtype=torch.float64, device=next(model.parameters()).device)
    count, state = 0, ()
    for window in valid.valid_windows(settings):
        scores, state = model(window.inputs, begin(model, window, state))
        scored, targets = window.counted(scores), window.counted(window.targets)
        total[0] += F.cross_entropy(scored, targets, reduction="sum")
        total[1] += (scored.argmax(dim=1) != targets).sum()
        count += len(targets)
    loss, error = (total / count).tolist()
    if not isfinite(loss):
        raise Diverged(f"the validation loss is {loss}")
    if loss < error * log(2) - 1e-5 * (1 + loss):
        raise RuntimeError(f"metric bug: loss {loss} is below error {error} x ln 2")
    return loss, error
