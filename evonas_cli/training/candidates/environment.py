"""Where candidates are trained: the device, made ready, and what of it and of the data results depend on."""

from __future__ import annotations

import torch

from evonas_cli.core.types import Json
from evonas_cli.network.task import Task
from evonas_cli.training.device.setup import device_name, resolve


def ready(device: str, deterministic: bool, threads: int) -> torch.device:
    """The device, resolved and made torch's current one. Raises UsageError, EnvironmentFailure."""
    found = resolve(device, deterministic, threads)
    if found.index is not None:
        torch.cuda.set_device(found)
    return found


def environment(device: torch.device, threads: int, task: Task, fingerprint: str) -> dict[str, Json]:
    """Device, torch, threads, the task, and a digest of data and split."""
    return {
        "device": device.type,
        "device_name": device_name(device),
        "torch": str(torch.__version__),
        "threads": threads,
        "task": task.to_json(),
        "data": fingerprint,
    }
