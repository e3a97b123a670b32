"""Recording a training step once and replaying it, with a proof that the replay does what the step does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

TRIALS = 3
TOLERANCE = 1e-3
"""Largest relative difference, by norm, between what trial steps and their replays leave in a tensor. Deterministic
algorithms leave equal bits; others may not."""

Run: TypeAlias = Callable[[], None]
Record: TypeAlias = Callable[[Run, torch.Generator], Run]
"""Records what a call does, with its random numbers, and returns what does it again."""


class NotRecorded(Exception):
    """The step cannot be recorded, or its replay does something else; the text goes on after "the training step"."""


def cuda_graph(run: Run, generator: torch.Generator) -> Run:
    """Records into a CUDA graph on the current stream, which must not be the device's default one."""
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream(), capture_error_mode="thread_local"):
        run()
    return graph.replay


def recorded(
    run: Run, state: Sequence[Tensor], begin: Run, most: int, record: Record, generator: torch.Generator
) -> Run:
    """Replays `run`, a step that changes only `state` and draws only from `generator`, which `begin` seeds.

    At most `most` steps are tried; afterwards `state` is what it was. Trial steps also let libraries allocate what
    they may not while a step is recorded. Raises NotRecorded.
    """
    saved = [tensor.clone() for tensor in state]

    def start() -> None:
        for tensor, before in zip(state, saved, strict=True):
            tensor.copy_(before)
        begin()

    trials = min(TRIALS, most)
    begin()
    for _ in range(trials):
        run()
    expected = [tensor.clone() for tensor in state]
    start()
    try:
        replay = record(run, generator)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise NotRecorded(f"cannot be recorded: {' '.join(str(error).split())[:200]}") from error
    start()
    for _ in range(trials):
        replay()
    worst = max(_difference(tensor, wanted) for tensor, wanted in zip(state, expected, strict=True))
    start()
    if worst > TOLERANCE:
        raise NotRecorded(f"was recorded, but its replay differs from it (relative difference {worst:.1e})")
    return replay


def _difference(found: Tensor, wanted: Tensor) -> float:
    """Relative, by norm; what is not finite in both is equal."""
    found, wanted = (torch.nan_to_num(tensor.double(), 0.0, 0.0, 0.0) for tensor in (found, wanted))
    distance = (found - wanted).norm().item()
    return distance / max(wanted.norm().item(), 1e-12) if distance else 0.0
