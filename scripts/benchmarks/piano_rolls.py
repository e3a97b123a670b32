"""A job for the benchmark gp_cells: next-frame prediction on chorales by a recurrent network around a candidate's cell.

The network reads a piece from its beginning, as those of the literature do (Boulanger-Lewandowski et al., ICML 2012;
Bai, Kolter and Koltun, 2018): the embeddings of the notes that sound are added up, the cell follows, and a linear layer
gives the probability of each of the 88 notes of the next frame, independently of each other. The metric is the negative
log-likelihood of a frame in nats, over all frames but the first of each piece.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from math import inf, isfinite
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evonas_cli.core.evaluating import Context, Place
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Candidate, Failure, Json, Metric, Result, Unit
from evonas_cli.data.chorales import LOWEST, NOTES, PARTS
from evonas_cli.genomes.capabilities import Recurrent
from evonas_cli.network.language import LanguagePlan
from evonas_cli.nn.recurrent import RecurrentCell, uniform
from evonas_cli.training.candidates.attempt import Noted, attempt

WINDOW, BATCH = 20, 8
"""Frames between two updates of the weights, and pieces side by side, which are of similar lengths."""
Batch = tuple[Tensor, Tensor]
"""Frames (T, pieces, 88), and which of them a piece has, (T, pieces)."""


class PianoRolls:
    """Trains for `epochs` by Adam with `learning_rate`, divided by 10 for the last third of the epochs.

    `valid_nats` is that of the best epoch on the validation part; with `test` the result has `test_nats`, of the same
    epoch, too, which no search may ask for.
    """

    needs: tuple[type, ...] = (Recurrent,)

    def __init__(
        self,
        space: Recurrent[Any],
        seed: int,
        path: str,
        hidden: int,
        epochs: int,
        learning_rate: float = 0.01,
        test: bool = False,
    ) -> None:
        self._space, self._seed, self._path, self._hidden = space, seed, path, hidden
        self._epochs, self._rate, self._test = epochs, learning_rate, test
        self._read: dict[str, list[Batch]] = {}

    @property
    def tests(self) -> bool:
        """As Testing.tests."""
        return self._test

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The test part's only where it is asked for."""
        test = {"test_nats": Metric("min", test=True)} if self._test else {}
        return {"valid_nats": Metric("min"), "parameters": Metric("min"), **test}

    def open(self, place: Place) -> PianoRolls:
        """The job itself."""
        return self

    def environment(self) -> dict[str, Json]:
        """The file's digest."""
        return {"data": sha256(Path(self._path).read_bytes()).hexdigest()}

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """A training each; a network whose loss is no finite number fails."""
        for candidate in unit.candidates:
            yield attempt(candidate, context, partial(self._measured, candidate))

    def _measured(
        self, candidate: Candidate[Any], labels: dict[str, str], curves: Noted
    ) -> Mapping[str, float] | Failure:
        parts = self._parts()
        plan = LanguagePlan(self._space.decode_cell(candidate.proposal.genome), NOTES, self._hidden)
        model = Predictor(plan, torch.Generator().manual_seed(candidate.seed))
        optimizer = torch.optim.Adam(model.parameters(), lr=self._rate)
        best, test = inf, inf
        for epoch in range(self._epochs):
            if epoch == self._epochs - self._epochs // 3:
                for group in optimizer.param_groups:
                    group["lr"] /= 10
            order = list(range(len(parts["train"])))
            stream(self._seed, "pieces", epoch).shuffle(order)
            for place in order:
                _trained(model, optimizer, parts["train"][place])
            nats = nats_of(model, parts["valid"])
            if not isfinite(nats):
                return Failure("diverged", f"the loss is {nats} in epoch {epoch + 1}")
            if nats < best:
                best, test = nats, nats_of(model, parts["test"]) if self._test else inf
        more = {"test_nats": test} if self._test else {}
        return {"valid_nats": best, "parameters": float(plan.parameters), **more}

    def _parts(self) -> dict[str, list[Batch]]:
        if not self._read:
            pieces = json.loads(gzip.decompress(Path(self._path).read_bytes()))
            self._read = {part: batches([roll(piece) for piece in pieces[part]]) for part in PARTS}
        return self._read


class Predictor(nn.Module):
    """Scores of the next frame's notes; as many parameters as a language model of 88 tokens has."""

    def __init__(self, plan: LanguagePlan, generator: torch.Generator) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(plan.tokens, plan.hidden).normal_(generator=generator))
        self.cell = RecurrentCell(plan.cell, plan.hidden, plan.hidden, generator)
        self.readout = nn.Linear(plan.hidden, plan.tokens)
        uniform(self.readout, plan.hidden**-0.5, generator)

    def losses(self, frames: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Nats (T, pieces) of frames 1 to T, given frames 0 to T - 1 of (T + 1, pieces, 88), and the last state."""
        h, state = self.cell(frames[:-1] @ self.embedding, state)
        found = F.binary_cross_entropy_with_logits(self.readout(h), frames[1:], reduction="none")
        return found.sum(2), state


def _trained(model: Predictor, optimizer: torch.optim.Optimizer, batch: Batch) -> None:
    """An update for each window; the state goes on from one to the next without its gradient."""
    frames, there = batch
    state = model.cell.start(frames.shape[1])
    for start in range(0, len(frames) - 1, WINDOW):
        known = there[start + 1 : start + 1 + WINDOW]
        losses, state = model.losses(frames[start : start + 1 + WINDOW], state)
        optimizer.zero_grad()
        ((losses * known).sum() / known.sum()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0 * NOTES**0.5)
        optimizer.step()
        state = tuple([part.detach() for part in state])


@torch.no_grad()
def nats_of(model: Predictor, parts: Sequence[Batch]) -> float:
    """The mean over all frames of all pieces but the first ones."""
    total = count = 0.0
    for frames, there in parts:
        losses, _ = model.losses(frames, model.cell.start(frames.shape[1]))
        total += (losses * there[1:]).sum().item()
        count += there[1:].sum().item()
    return total / count


def roll(piece: Sequence[Sequence[int]]) -> Tensor:
    """A piece, a list of frames of MIDI notes, as (frames, 88) of 0 and 1."""
    found = torch.zeros(len(piece), NOTES)
    for time, frame in enumerate(piece):
        found[time, [note - LOWEST for note in frame]] = 1
    return found


def batches(pieces: Sequence[Tensor]) -> list[Batch]:
    """Pieces (frames, 88) of similar lengths side by side, filled up with silence that does not count."""
    ordered = sorted(pieces, key=len)
    made = []
    for start in range(0, len(ordered), BATCH):
        rolls = ordered[start : start + BATCH]
        there = nn.utils.rnn.pad_sequence([torch.ones(len(piece)) for piece in rolls])
        made.append((nn.utils.rnn.pad_sequence(rolls), there))
    return made
