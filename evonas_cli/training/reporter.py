"""What people are told of a training while it goes on: at each epoch, and within long ones. No bit depends on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from math import inf, isfinite
from typing import TypeAlias

from evonas_cli.core.types import Training

SECONDS = 0.5
"""Between two reports of a training."""

Known: TypeAlias = Callable[[], Mapping[str, float]]
"""Gives the newest numbers of the members that are best by them, by name."""
Losses: TypeAlias = Callable[[int], Sequence[float]]
"""Gives the mean training loss of so many steps of an epoch, place by place, without waiting for a device."""


class Reporter:
    """Tells `report` how far the training of candidates `ids` is, the members of one program; None: it tells nothing.

    The first epoch is told at once. What costs time to find out is asked for when there is something to tell, once in
    `SECONDS`.
    """

    def __init__(
        self,
        ids: Sequence[int] = (),
        report: Callable[[Training], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ids, self._report, self._clock = tuple(ids), report, clock
        self._told = -inf
        self._epoch, self._epochs = 1, 1
        self._places: Sequence[int] = ()
        self._known: Known = dict

    def epoch(self, epoch: int, epochs: int, places: Sequence[int], known: Known) -> None:
        """Epoch `epoch` of `epochs`, counted from 1, begins for members at the places."""
        self._epoch, self._epochs, self._places, self._known = epoch, epochs, places, known
        if self._report is not None and self._is_time():
            self._report(Training(self._ids, epoch, epochs, values=known()))

    def step(self, done: int, steps: int, losses: Losses) -> None:
        """So many of the epoch's steps are done."""
        if self._report is None or not self._is_time():
            return
        found, values = losses(done), dict(self._known())
        finite = [found[place] for place in self._places if isfinite(found[place])]
        if finite:
            values["train_loss"] = min(finite)
        self._report(Training(self._ids, self._epoch, self._epochs, done / steps, values))

    def _is_time(self) -> bool:
        now = self._clock()
        if now - self._told < SECONDS:
            return False
        self._told = now
        return True
