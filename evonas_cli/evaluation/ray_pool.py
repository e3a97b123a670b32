"""The pool over a Ray cluster: its dispatcher, its workers' code and its rules, on several machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context, Job
from evonas_cli.core.halting import StopRequest
from evonas_cli.evaluation.division import Division
from evonas_cli.evaluation.pool import Pool
from evonas_cli.evaluation.ray_cluster import Cluster, check_address, check_installed
from evonas_cli.evaluation.ray_transport import RayTransport
from evonas_cli.evaluation.transport import Transport

G = TypeVar("G")


@dataclass(frozen=True)
class Share(Division):
    """What each worker has of a cluster: CPUs (None: as many as threads) and GPUs, which may be fractions.

    Raises UsageError for what contradicts the run's `device`.
    """

    cpus: float | None = None
    gpus: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.workers is None:
            raise UsageError("evaluator.workers is null; say how many workers the cluster is to have")
        if self.cpus is not None and not self.cpus > 0:
            raise UsageError(f"evaluator.cpus is {self.cpus}; it must be above 0 (or null: as many as threads)")
        if not self.gpus >= 0:
            raise UsageError(f"evaluator.gpus is {self.gpus}; it must be 0 or more")
        if self.device.startswith("cuda") and not self.gpus:
            raise UsageError(
                f"device={self.device} needs evaluator.gpus above 0: a worker sees only GPUs that it asks for"
            )
        if self.device == "cpu" and self.gpus:
            raise UsageError(f"evaluator.gpus={self.gpus:g} and device=cpu contradict each other; set evaluator.gpus=0")

    @property
    def needs(self) -> dict[str, float]:
        """Resources of a worker, as Ray names them; those it has none of are left out."""
        return {"CPU": self.cpus or float(self.threads)} | ({"GPU": self.gpus} if self.gpus else {})

    @property
    def places(self) -> list[str | None]:
        """The cluster chooses a worker's devices."""
        return [None]

    def check(self) -> None:
        """Nothing: what this machine has does not matter, and the cluster is asked when it is connected."""


class Ray(Pool[G]):
    """Workers that stay alive, as actors of a Ray cluster: `workers` of them, each with `cpus` and `gpus` of a node.

    `address` is auto, local, HOST:PORT or ray://HOST:PORT (`ray_cluster.py`). All nodes need the run's folder, the
    data and the same installation. Other settings are those of Pool. Raises UsageError where Ray is not installed.
    """

    def __init__(
        self,
        job: Job[G],
        context: Context,
        address: str = "auto",
        device: str = "auto",
        workers: int = 2,
        cpus: float | None = None,
        gpus: float = 0.0,
        threads: int = 1,
        timeout: float | None = None,
        silence: float | None = None,
        attempts: int = 2,
        crash: Literal["stop", "fail"] = "stop",
        stop_request: StopRequest | None = None,
    ) -> None:
        check_installed()
        check_address(address)
        super().__init__(
            job, context, device, workers, None, threads, timeout, silence, None, attempts, crash, stop_request
        )
        self._address = address
        self.division: Share = Share(device, workers, None, threads, cpus, gpus)

    def _connect(self) -> Transport:
        cluster = Cluster(self._address)
        try:
            cluster.check_room(self.slots, self.division.needs)
            return RayTransport(cluster, self._parcel, self._context, self.division.needs)
        except BaseException:
            cluster.close()
            raise
