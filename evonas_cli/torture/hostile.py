"""A landscape some of whose candidates do what no candidate should: raise, hang, end their process, eat memory, lie."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from evonas_cli.core.evaluating import Context
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Failure, Result, Unit
from evonas_cli.jobs.landscape import Landscape

ROOM = 1 << 30
"""Bytes of memory that a candidate which eats memory may have, so that only its own process is short of them."""


class Hostile(Landscape):
    """The job `landscape` with candidates that misbehave in the way `how` (a key of WAYS).

    Of all candidates the share `share` does, drawn from the candidate's seed, and the `first` ones in any case.
    """

    def __init__(self, space: Any, how: str, share: float = 0.3, first: int = 0, noise: float = 0.01) -> None:
        super().__init__(space, noise)
        self.how, self.share, self.first = how, share, first

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """One observation each, or what the way makes of it."""
        for each, good in zip(unit.candidates, super().evaluate(unit, context), strict=True):
            bad = each.id < self.first or stream(each.seed, "hostile").random() < self.share
            yield WAYS[self.how](good) if bad else good


def _raise(good: Result) -> Result:
    raise ValueError("bad\nluck \ud800")


def _metric(value: float) -> Callable[[Result], Result]:
    return lambda good: Result(good.id, "ok", {**good.metrics, "valid_error": value})


def _hang(good: Result) -> Result:
    while True:
        time.sleep(3600.0)


def _exit(good: Result) -> Result:
    os._exit(3)


def _abort(good: Result) -> Result:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.kill(os.getpid(), signal.SIGABRT)
    return good


def _eat(good: Result) -> Result:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (ROOM if hard < 0 else min(ROOM, hard), hard))
    eaten = []
    while True:
        eaten.append(bytearray(1 << 24))


def _name(good: Result) -> Result:
    return Result(good.id, "ok", good.metrics, "\ud800", labels={"file": "\udcff.bin", "\ud800": "\x00"})


def _fail(good: Result) -> Result:
    return Result(good.id, "failed", error=Failure("error", "no file \udcff.bin"))


WAYS: Mapping[str, Callable[[Result], Result]] = {
    "raise": _raise,
    "no-number": _metric(float("nan")),
    "infinite": _metric(float("inf")),
    "hang": _hang,
    "exit": _exit,
    "abort": _abort,
    "memory": _eat,
    "names": _name,
    "fail": _fail,
}
