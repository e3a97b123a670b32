"""The job in which a candidate is a strategy: settings are evaluated by inner searches with several seeds.

The lower level of programming by optimisation (Hoos, 2012) as Liang and Miikkulainen (GECCO 2015) divide it: an
evolutionary search over the settings of a search, whose fitness is what the inner search finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import floor
from statistics import fmean, stdev
from time import perf_counter
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context, Place
from evonas_cli.core.searches import Searches, inner_seeds
from evonas_cli.core.types import Candidate, Failure, Json, Metric, Result, Unit
from evonas_cli.genomes.capabilities import Configuring


class Search:
    """Inner searches with the settings that a genome stands for.

    Metrics: `loss`, the mean (or `quantile`) over `seeds` searches of the loss of the best candidate found, `loss_sd`,
    their standard deviation where they are several, and `cost`, the evaluations of all of them. With `common` all
    candidates have the same seeds, derived from `seed`, else each has its own, derived from the candidate's.

    Settings that do not go together fail as unbuildable.
    """

    needs: tuple[type, ...] = (Configuring,)

    def __init__(
        self,
        space: Configuring[Any],
        inner: Searches,
        seed: int,
        seeds: int = 3,
        common: bool = True,
        metric: str | None = None,
        quantile: float | None = None,
    ) -> None:
        if seeds < 1:
            raise UsageError(f"job.seeds is {seeds}; it must be 1 or more")
        if quantile is not None and not 0 <= quantile <= 1:
            raise UsageError(f"job.quantile is {quantile}; it must be between 0 and 1, or null for the mean")
        self._space, self._inner, self._seed = space, inner, seed
        self._seeds, self._common, self._metric, self._quantile = seeds, common, metric, quantile
        spread = {"loss_sd": Metric("min")} if seeds > 1 else {}
        self.metrics: Mapping[str, Metric] = {"loss": Metric("min"), **spread, "cost": Metric("min")}

    def check_settings(self) -> None:
        """As the inner searches check the settings that are genes."""
        self._inner.check(self._space.extremes, self._metric)

    def check_there(self) -> None:
        """As the job of the inner searches."""
        self._inner.check_there()

    def open(self, place: Place) -> Search:
        """The job itself."""
        return self

    def environment(self) -> dict[str, Json]:
        """That of the inner searches."""
        return self._inner.environment()

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """The inner searches of one candidate after the other."""
        for candidate in unit.candidates:
            settings = self._space.configured(candidate.proposal.genome)
            began = perf_counter()
            losses = self._inner.losses(settings, self._drawn(candidate), self._metric)
            seconds = perf_counter() - began
            if isinstance(losses, Failure):
                yield Result(candidate.id, "failed", error=losses, seconds=seconds)
            else:
                yield Result(candidate.id, "ok", self._measured(losses), seconds=seconds)

    def _drawn(self, candidate: Candidate[Any]) -> list[int]:
        return inner_seeds(self._seed if self._common else candidate.seed, "inner", self._seeds)

    def _measured(self, losses: Sequence[float]) -> dict[str, float]:
        loss = fmean(losses) if self._quantile is None else quantile(losses, self._quantile)
        spread = {"loss_sd": stdev(losses)} if len(losses) > 1 else {}
        return {"loss": loss, **spread, "cost": float(len(losses) * self._inner.evaluations)}


def quantile(values: Sequence[float], share: float) -> float:
    """The quantile by linear interpolation between the ordered values; 0 is the least and 1 the greatest."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
