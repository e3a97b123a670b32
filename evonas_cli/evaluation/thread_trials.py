"""How many threads a worker trains fastest with: as many processes as the cores then allow train at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from threading import BrokenBarrierError
from typing import Any

from evonas_cli.core.evaluating import Job, Place
from evonas_cli.core.processes import spawning
from evonas_cli.evaluation.parcel import packed, unpacked
from evonas_cli.evaluation.scratch import Scratch
from evonas_cli.evaluation.worker import WAITING

_together: tuple[Barrier, Scratch]
"""What the processes of a trial hold in common; each is given it as it starts."""


def divisions(cores: int, several: bool) -> list[tuple[int, int]]:
    """Threads and workers that fill so many cores: one thread each, all in one worker, and between them 2 threads from
    four cores on. There is one worker unless `several` are allowed."""
    threads = sorted({1, cores, *([2] if cores >= 4 else [])})
    return [(count, cores // count if several else 1) for count in threads]


def side_by_side(job: Job[Any], workers: int, genomes: Sequence[Any], seconds: float) -> float:
    """Samples a second of all workers together: each probes a bench of its own, beginning together.

    The bench must have one way left to try; a worker in which it finds no room makes the whole 0.
    """
    parcel, spawn, scratch = packed(job), spawning(), Scratch()
    try:
        with ProcessPoolExecutor(workers, spawn, _hold, (spawn.Barrier(workers), scratch)) as others:
            calls = [others.submit(_probe, parcel, genomes, seconds) for _ in range(workers)]
            for error in [call.exception() for call in calls]:
                if error is not None and not isinstance(error, BrokenBarrierError):
                    raise error
            rates = [call.result() for call in calls]
    finally:
        scratch.close()
    return sum(rates) if all(rates) else 0.0


def _hold(barrier: Barrier, scratch: Scratch) -> None:
    global _together
    os.environ.setdefault(*WAITING)
    _together = barrier, scratch


def _probe(parcel: bytes, genomes: Sequence[Any], seconds: float) -> float:
    barrier, scratch = _together
    try:
        bench: Any = unpacked(parcel, Place(file=scratch.file))
        bench.environment()
        barrier.wait()
        ways = bench.probe(genomes, seconds)
        return float(ways[0]["samples_per_second"]) if ways else 0.0
    except BaseException:
        barrier.abort()
        raise
