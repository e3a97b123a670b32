"""Gradient descent of a population on one program, each member with a way back of its own (Ha, 2016).

Every `check_every` updates, and after the last one, a member's weights are kept if its loss over the whole training
part has fallen since the last look. If it has not, or is no finite number, the weights of the last look return, and the
member's training ends. Nothing that is done to one member depends on the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evonas_cli.core.halting import NEVER, Halt, Halted
from evonas_cli.network.neurons import Neurons
from evonas_cli.nn.neurons.order import order
from evonas_cli.nn.neurons.program import Program
from evonas_cli.training.neurons.columns import Batches, Columns, Part
from evonas_cli.training.neurons.heads import Head
from evonas_cli.training.neurons.measuring import means
from evonas_cli.training.neurons.optimizers import MADE
from evonas_cli.training.neurons.settings import Descent

CROWDED = 0.75
"""The share of a program's members still in training up to which a program without the others takes its place."""


@dataclass(frozen=True)
class Trained:
    """The weights of all links, (links,), member after member, and how many updates each member has made."""

    weights: Tensor
    updates: list[int]


def descend(
    population: Sequence[Neurons],
    limits: Sequence[int],
    weights: Tensor,
    settings: Descent,
    head: Head,
    part: Part,
    seed: int,
    halt: Halt = NEVER,
) -> Trained:
    """Trains each member from `weights`, (links,), for as many updates as its limit says at most, and 0 for none.

    Raises Halted where `halt` is overdue; nothing is kept of a training that stops.
    """
    if not any(limits):
        return Trained(weights.clone(), [0] * len(population))
    run = _Run(population, limits, weights, settings, head, part, seed, halt)
    while run.members:
        run.advance()
    return Trained(run.weights, run.updates)


class _Run:
    """`members` are those still in training; `weights` are those of all links, as each member's last look left them.

    `_own` are the weights in training, of the links `_links`; the programs have the members `_aboard`, of whom some may
    be done.
    """

    def __init__(
        self,
        population: Sequence[Neurons],
        limits: Sequence[int],
        weights: Tensor,
        settings: Descent,
        head: Head,
        part: Part,
        seed: int,
        halt: Halt,
    ) -> None:
        self._halt = halt
        self.weights, self.updates = weights.clone(), [0] * len(population)
        self.members = {member for member, limit in enumerate(limits) if limit}
        self._population, self._limits, self._settings = population, limits, settings
        self._head, self._part, self._update = head, part, 0
        numbers = np.repeat(np.arange(len(population)), [member.parameters for member in population])
        self._owners = torch.from_numpy(numbers).to(part.device)
        self._links, self._own = torch.arange(len(weights), device=part.device), weights.clone()
        self._optimizer = MADE[settings.optimizer](settings, self._own)
        self._batches = Batches(part, settings.batch, max(limits), seed)
        self._board()
        self._losses = self._look() if settings.check_every else {}

    def advance(self) -> None:
        """To the next update after which a member is looked at, or is done."""
        every = self._settings.check_every
        goal = min(self._limits[member] for member in self.members)
        if every is not None:
            goal = min(goal, (self._update // every + 1) * every)
        while self._update < goal:
            if self._halt.overdue():
                raise Halted(within=True)
            self._step(self._batches[self._update])
            self._update += 1
        done = {member for member in self.members if self._limits[member] == goal}
        due = done if every is None or goal % every else self.members
        kept = due if every is None else self._fallen(due)
        before = self.weights.index_select(0, self._links)
        self.weights.index_copy_(0, self._links, torch.where(self._are_of(kept), self._own, before))
        for member in done | (due - kept):
            self.updates[member] = goal
        self.members = self.members - done - (due - kept)
        if self.members and len(self.members) <= CROWDED * len(self._aboard):
            self._board()

    def _step(self, pieces: Sequence[Columns]) -> None:
        """One update by the mean loss over a batch."""
        gradient = torch.zeros_like(self._own)
        for piece in pieces:
            outputs = self._program.forward(piece.inputs, self._own)
            slopes = self._head.slopes(outputs, piece.targets).div_(self._batches.size)
            slopes[:, piece.count :].zero_()
            gradient.add_(self._program.backward(slopes, self._own))
        self._optimizer.step(gradient)

    def _fallen(self, due: set[int]) -> set[int]:
        """Those of `due` whose loss over the training part has fallen since their last look."""
        losses = self._look()
        fallen = {member for member in due if losses[member] < self._losses[member]}
        self._losses |= {member: losses[member] for member in fallen}
        return fallen

    def _look(self) -> dict[int, float]:
        [losses] = means(self._whole, self._part, self._own, [self._head.losses])
        return dict(zip(self._aboard, losses.tolist(), strict=True))

    def _are_of(self, members: set[int]) -> Tensor:
        """Which of the links in training belong to the members, (links,) bool."""
        chosen = torch.tensor([member in members for member in range(len(self._population))])
        owners = self._owners.index_select(0, self._links)
        return chosen.to(owners.device).index_select(0, owners)

    def _board(self) -> None:
        """Makes programs of the members that are still in training."""
        here = self._are_of(self.members).nonzero().flatten()
        self._links, self._own = self._links.index_select(0, here), self._own.index_select(0, here)
        self._optimizer.take(self._own, here)
        self._aboard = sorted(self.members)
        plan = order([self._population[member] for member in self._aboard])
        self._program = Program(plan, self._batches.width, self._part.device, gradients=True)
        self._whole = self._program
        if self._part.width != self._batches.width:
            self._whole = Program(plan, self._part.width, self._part.device, gradients=False)
