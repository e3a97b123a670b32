"""How much memory a training step takes at most."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import torch


def peak_bytes(device: torch.device, step: Callable[[], object]) -> int:
    """Bytes that tensors made within the call hold at most, at one time.

    On a CUDA device the allocator's own peak, above what was allocated before. On a CPU the greatest sum of the
    allocations, less what was freed of them, that torch's profiler records in their order.
    """
    gc.collect()
    return _on_cuda(device, step) if device.type == "cuda" else _on_cpu(step)


def _on_cuda(device: torch.device, step: Callable[[], object]) -> int:
    torch.cuda.synchronize(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    step()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before


def _on_cpu(step: Callable[[], object]) -> int:
    with torch.autograd.profiler.profile(profile_memory=True) as profile:
        step()
    results: Any = profile.kineto_results
    events = [event for event in results.events() if event.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda event: int(event.start_ns())):
        held += event.nbytes()
        peak = max(peak, held)
    return peak
