"""The engine as a search uses it: a pool of workers that train the population of one ask."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import perf_counter

from evonas_cli.benchmark.workloads import BATCH, Given, Noise, Workload
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


class Engine:
    """Workers that hold the data; `overrides` are those of a search, such as trainer.precision=bf16."""

    def __init__(self, workload: Workload, plans: Sequence[Plan], device: str, overrides: Sequence[str] = ()) -> None:
        images = -(-workload.images // BATCH) * BATCH
        self.workload, self.images, self._next = workload, images, 0
        settings = [f"trainer.batch_size={BATCH}", "trainer.epochs=1", "trainer.checkpoint_seconds=null", *overrides]
        config = compose(["dataset=digits", "job=train", *settings]).config
        recipe = partial(
            Train,
            space=Given(tuple(plans)),
            dataset=Noise(
                images=images,
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
        self.pool: Pool[int] = Pool(recipe, Nowhere(), device=device)

    def start(self) -> None:
        """Starts the workers and lets each of them train once, so that nothing is measured that happens once a run."""
        self.pool.start()
        self.train()

    def train(self) -> float:
        """Trains the population and gives training samples a second, over all members and workers."""
        asked = [
            Candidate(self._next + place, self._next, place, Proposal(place)) for place in range(self.workload.size)
        ]
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
        return len(asked) * self.images / seconds

    def close(self) -> None:
        """Ends the workers."""
        self.pool.close()
