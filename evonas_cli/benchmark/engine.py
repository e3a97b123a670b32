"""The engine as a search uses it: a pool of workers that train the population of one ask."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import perf_counter

from evonas_cli.benchmark.workloads import BATCH, Given, Noise, Seat, Workload
from evonas_cli.config import build, compose
from evonas_cli.core.plan import Plan
from evonas_cli.core.types import Candidate, Proposal, Result
from evonas_cli.evaluation.pool import Pool
from evonas_cli.jobs.train import Train


class Nowhere:
    """A context that keeps nothing."""

    def folder(self, id: int) -> Path | None:
        """None."""
        return None


def recipe(workload: Workload, plans: Sequence[Plan], device: str, overrides: Sequence[str] = ()) -> partial[Train]:
    """Makes the job that trains members on random images for an epoch, with overrides of a search's settings."""
    settings = [f"trainer.batch_size={BATCH}", "trainer.epochs=1", "trainer.checkpoint_seconds=null", *overrides]
    config = compose(["dataset=digits", "job=train", *settings]).config
    return partial(
        Train,
        space=Given(tuple(plans)),
        dataset=Noise(
            images=images(workload),
            shape=workload.task.shape,
            valid_fraction=None,
            test_fraction=None,
            limit=None,
            crop=0,
            flip=False,
            cutout=0,
        ),
        trainer=build(config["trainer"], "trainer"),
        seed=0,
        device=device,
        deterministic=bool(config["deterministic"]),
        threads=1,
        in_flight=config["job"]["in_flight"],
    )


def images(workload: Workload) -> int:
    """On which each member is trained: whole batches."""
    return -(-workload.images // BATCH) * BATCH


def population(workload: Workload, precision: str, first: int = 0) -> list[Candidate[Seat]]:
    """The members as candidates of one ask, with ids from `first` on."""
    return [Candidate(first + place, first, place, Proposal((place, precision))) for place in range(workload.size)]


class Engine:
    """Workers that hold the data; `overrides` are those of a search."""

    def __init__(self, workload: Workload, plans: Sequence[Plan], device: str, overrides: Sequence[str] = ()) -> None:
        self.workload, self._next = workload, 0
        self.pool: Pool[Seat] = Pool(recipe(workload, plans, device, overrides), Nowhere(), device=device)

    def start(self) -> None:
        """Starts the workers."""
        self.pool.start()

    def train(self, precision: str) -> float:
        """Trains the population and gives training samples a second, over all members and workers."""
        asked = population(self.workload, precision, self._next)
        self._next += len(asked)
        started = perf_counter()
        self.pool.submit(self.pool.units(asked))
        results: list[Result] = []
        while len(results) < len(asked):
            results += self.pool.collect()
        seconds = perf_counter() - started
        for result in results:
            if result.status != "ok":
                raise RuntimeError(f"{self.workload.name}: a member failed: {result.error}")
        return len(asked) * images(self.workload) / seconds

    def close(self) -> None:
        """Ends the workers."""
        self.pool.close()
