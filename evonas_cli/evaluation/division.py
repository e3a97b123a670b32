"""How a machine is shared out to worker processes: on which devices, how many, with how many threads."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from evonas_cli.core.errors import EnvironmentFailure, UsageError

MOST_WORKERS = 1024
_log = logging.getLogger(__name__)


def visible_gpus() -> list[int]:
    """CUDA device numbers; torch is imported only on a machine that has an NVIDIA driver."""
    if not any(os.path.exists(sign) for sign in ("/dev/nvidiactl", "/proc/driver/nvidia", "/dev/dxg")):
        return []
    import torch

    return list(range(torch.cuda.device_count()))


def available_cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def at_least_one(**settings: int | None) -> None:
    """Raises UsageError for a setting of the evaluator that is below 1."""
    for name, value in settings.items():
        if value is not None and value < 1:
            raise UsageError(f"evaluator.{name} is {value}; it must be 1 or more")


@dataclass(frozen=True)
class Division:
    """Settings of a pool with the run's `device`. Raises UsageError for values that fit no machine."""

    device: str = "auto"
    workers: int | None = None
    devices: Sequence[int] | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        at_least_one(workers=self.workers, threads=self.threads)
        if self.workers is not None and self.workers > MOST_WORKERS:
            raise UsageError(f"evaluator.workers is {self.workers}; at most {MOST_WORKERS} processes are started")
        if self.devices is None:
            return
        shown = f"evaluator.devices={list(self.devices)}"
        if not self.devices:
            raise UsageError(f"{shown} names no device; give numbers such as [0], or null for all")
        if min(self.devices) < 0:
            raise UsageError(f"{shown}: device numbers begin at 0")
        if self.device == "cpu":
            raise UsageError(
                f"{shown} and device=cpu contradict each other; set evaluator.devices=null, or device=auto"
            )

    @cached_property
    def places(self) -> list[str | None]:
        """The devices that workers take in turn; None is the one that the run's `device` means."""
        numbers = self.devices
        if numbers is None:
            numbers = visible_gpus() if self.device in ("auto", "cuda") else []
        return [f"cuda:{number}" for number in numbers] or [None]

    @property
    def slots(self) -> int:
        """The number of workers: one a GPU, or as many as the cores have room for."""
        alone = self.places == [None]
        return self.workers or (max(1, available_cores() // self.threads) if alone else len(self.places))

    def check(self) -> None:
        """Raises EnvironmentFailure for named devices that are not there; warns of more threads than cores."""
        there = visible_gpus() if self.devices is not None else []
        missing = [number for number in self.devices or () if number not in there]
        if missing:
            raise EnvironmentFailure(
                f"evaluator.devices={list(self.devices or ())}: there is no CUDA device {missing[0]} (torch sees "
                f"{len(there)}); name others, or set evaluator.devices=null"
            )
        cores = available_cores()
        if self.places == [None] and self.slots * self.threads > cores:
            _log.warning(
                "%d workers x evaluator.threads=%d are more than the %d cores and wait for each other",
                self.slots,
                self.threads,
                cores,
            )
