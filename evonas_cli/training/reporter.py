"""What people are told of a training while it goes on: at each epoch, and within long ones. No bit depends on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import isfinite

from evonas_cli.core.types import Training

SECONDS = 0.2
"""Between two looks at the loss within an epoch."""


class Reporter:
    """Tells `report` how far the training of candidates `ids` is, the members of one program; None: it tells nobody."""

    def __init__(
        self,
        ids: Sequence[int] = (),
        report: Callable[[Training], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report, self._clock = report, clock
        self._now, self._places, self._looked = Training(tuple(ids), 1, 1), tuple[int, ...](), clock()

    def epoch(self, epoch: int, epochs: int, places: Sequence[int], values: Mapping[str, float]) -> None:
        """Epoch `epoch` of `epochs`, counted from 1, begins for members at the places; `values` are known so far."""
        if self._report is None:
            return
        self._now = Training(self._now.ids, epoch, epochs, values=values)
        self._places, self._looked = tuple(places), self._clock()
        self._report(self._now)

    def step(self, done: int, steps: int, losses: Callable[[], Sequence[float]]) -> None:
        """So many of the epoch's steps are done. `losses` gives the mean training loss so far, place by place.

        It is asked once in `SECONDS`, and must not have to wait for a device.
        """
        if self._report is None or self._clock() - self._looked < SECONDS:
            return
        found = losses()
        finite = [found[place] for place in self._places if isfinite(found[place])]
        values = {**self._now.values, "train_loss": min(finite)} if finite else self._now.values
        self._looked = self._clock()
        self._report(replace(self._now, share=done / steps, values=values))
