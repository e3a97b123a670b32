"""One thread for what trainings on a CUDA device do before and after their recorded steps: torch keeps cuDNN's choice
of an algorithm for a shape of convolution by thread, and it takes seconds to choose them for a network."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import torch

R = TypeVar("R")


def in_one_thread(device: torch.device, call: Callable[[], R]) -> R:
    """What the call returns or raises, made in the same thread as all others, on the device's default stream; on CPUs
    in the caller's own."""
    return call() if device.type != "cuda" else _thread().submit(_on, device, call).result()


def _on(device: torch.device, call: Callable[[], R]) -> R:
    with torch.cuda.device(device):
        return call()


@lru_cache(maxsize=1)
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "eager")
