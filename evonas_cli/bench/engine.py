"""The engine as a search uses it: a pool of workers that train the population of one ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter

from evonas_cli.bench.workloads import BATCH, Given, Noise, Seat, Workload
from evonas_cli.config.build import build
from evonas_cli.config.compose import compose
from evonas_cli.core.nowhere import Nowhere
from evonas_cli.core.types import Candidate, Proposal, Result
from evonas_cli.evaluation.pool import Pool
from evonas_cli.jobs.train import Train
from evonas_cli.network.plan import Plan

SETTINGS = (f"trainer.batch_size={BATCH}", "trainer.checkpoint_seconds=null")


def job(
    workloads: Sequence[Workload],
    plans: Mapping[str, Sequence[Plan]],
    device: str,
    overrides: Sequence[str] = (),
) -> Train:
    """The job that trains members of the workloads, by name of `plans`, on random images, with overrides of a
    search's settings. The workloads have images of one shape and as many."""
    first = workloads[0]
    config = compose(["dataset=digits", "job=train", *SETTINGS, *overrides]).config
    return Train(
        space=Given(plans, {workload.name: workload.on(device).epochs for workload in workloads}),
        dataset=Noise(
            images=first.on(device).images,
            shape=first.task.inputs,
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


def population(workload: Workload, device: str, precision: str, first: int = 0) -> list[Candidate[Seat]]:
    """The members as candidates of one ask, with ids from `first` on."""
    seats = [Seat(workload.name, place, precision) for place in range(workload.on(device).members)]
    return [Candidate(first + seat.place, first, seat.place, Proposal(seat)) for seat in seats]


class Engine:
    """Workers that hold the data of workloads; `overrides` are those of a search."""

    def __init__(
        self,
        workloads: Sequence[Workload],
        plans: Mapping[str, Sequence[Plan]],
        device: str,
        overrides: Sequence[str] = (),
    ) -> None:
        self.device, self._next = device, 0
        self.pool: Pool[Seat] = Pool(job(workloads, plans, device, overrides), Nowhere(), device=device)

    def start(self) -> None:
        """Starts the workers."""
        self.pool.start()

    def train(self, workload: Workload, precision: str) -> float:
        """Trains the population and gives training samples a second, over all members and workers."""
        asked = population(workload, self.device, precision, self._next)
        self._next += len(asked)
        started = perf_counter()
        self.pool.submit(self.pool.units(asked))
        results: list[Result] = []
        while len(results) < len(asked):
            results += self.pool.collect()
        seconds = perf_counter() - started
        for result in results:
            if result.status != "ok":
                raise RuntimeError(f"{workload.name}: a member failed: {result.error}")
        return samples(workload, self.device) / seconds

    def close(self) -> None:
        """Ends the workers."""
        self.pool.close()


def samples(workload: Workload, device: str) -> int:
    """Images that a population is trained on, those of all members and epochs together."""
    size = workload.on(device)
    return size.members * size.images * size.epochs
