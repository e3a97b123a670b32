"""What a run wants measured of its networks, and how; without torch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json, Metric
from evonas_cli.core.wanted import Wanted
from evonas_cli.data.latencies import Latencies
from evonas_cli.network.metrics import OF_NETWORKS
from evonas_cli.training.measuring.meters import check_measurable

COUNTED = ("depth", "model_bytes")
CLOCK = ("latency_ms", "latency_spread_ms")
LEAST_REPEATS = 30
QUIET = ("KINETO_LOG_LEVEL", "6")
"""The level at which torch's profiler writes nothing to stderr. The library reads it when torch is imported."""


@dataclass(frozen=True)
class Timing:
    """A latency is the median of `repeats` passes of `batch` examples, after `warmup` passes that do not count."""

    batch: int = 1
    repeats: int = 50
    warmup: int = 10

    def __post_init__(self) -> None:
        """Raises UsageError."""
        for name, least in (("batch", 1), ("repeats", LEAST_REPEATS), ("warmup", 0)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise UsageError(f"job.latency_{name} is {value!r}; it must be an integer of at least {least}")


class Measuring:
    """`names` are the metrics of networks that results carry; `static` those that are known before training and asked
    for in any way. `latencies` is a table that takes the place of the clock.
    """

    def __init__(
        self,
        measure: Sequence[str],
        wanted: Wanted,
        usual: Sequence[str],
        timing: Timing,
        latencies: Latencies | None = None,
    ) -> None:
        """`usual` are metrics that results carry anyway. Raises UsageError for what cannot be measured."""
        for name in measure:
            if name not in OF_NETWORKS and name not in usual:
                known = ", ".join(sorted(OF_NETWORKS))
                raise UsageError(f"job.measure names {name}, which nothing here measures (it may name {known})")
        asked = {*measure, *wanted.metrics}
        self.static = tuple(name for name in COUNTED if name in {*asked, *wanted.bounded})
        if latencies is not None:
            self.static += ("latency_ms",)
        asked |= {name for name in wanted.bounded if name not in (*self.static, *COUNTED)}
        if latencies is None and asked & set(CLOCK):
            asked |= set(CLOCK)
        self.names = tuple(name for name in OF_NETWORKS if name in asked and name not in usual)
        self.timing, self.latencies = timing, latencies
        _check_table(latencies, {*asked, *wanted.bounded})

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """What results carry; a latency from a table is exact."""
        exact = {} if self.latencies is None else {"latency_ms": Metric("min", of=self.latencies.device)}
        return {name: {**OF_NETWORKS, **exact}[name] for name in self.names}

    def check_offered(self, offered: Iterable[str], job: str) -> None:
        """Raises UsageError for a metric that this job cannot measure, and for a latency without a table."""
        if self.times:
            raise UsageError(f"latency_ms: {job} has no clock; pass job.latency_table=FILE.csv and "
                             "job.latency_column=NAME")  # fmt: skip
        for name in self.names:
            if name not in offered:
                raise UsageError(f"{name}: {job} does not train, and can measure {', '.join(offered)}; use job=train")

    @property
    def times(self) -> bool:
        """Whether a clock measures latencies."""
        return self.latencies is None and "latency_ms" in self.names

    def check_there(self, device: str) -> None:
        """Raises UsageError for a table that is not there, and for energy that nothing here could measure on the
        configured device."""
        if self.latencies is not None:
            self.latencies.check_there()
        if "energy_j" in self.names:
            check_measurable(device)

    def environment(self) -> dict[str, Json]:
        """How latency and energy are measured, beside device and threads; the digest of a table."""
        found: dict[str, Json] = {}
        if self.times or "energy_j" in self.names:
            found["timing"] = {"precision": "fp32", **asdict(self.timing)}
        if self.latencies is not None:
            found["latency_table"] = self.latencies.digest
        return found

    def quieten(self) -> None:
        """Before torch is imported: keeps its profiler, which measures memory, from writing to stderr."""
        if "peak_memory_mb" in self.names:
            os.environ.setdefault(*QUIET)


def _check_table(latencies: Latencies | None, asked: set[str]) -> None:
    """Raises UsageError for a table that is of no use, or that lacks what is asked for."""
    if latencies is None:
        return
    if "latency_spread_ms" in asked:
        raise UsageError("latency_spread_ms is that of a clock, which job.latency_table takes the place of; "
                         "set job.latency_table=null, or do without latency_spread_ms")  # fmt: skip
    if "latency_ms" not in asked:
        raise UsageError("job.latency_table is given, but nothing asks for latency_ms; name latency_ms in objectives, "
                         "constraints, scalarize or job.measure")  # fmt: skip
