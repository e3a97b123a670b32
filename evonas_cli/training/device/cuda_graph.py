"""Recording a training step once and replaying it, with a proof that the replay does what the step does."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from evonas_cli.training.device.errors import is_out_of_memory

TRIALS = 2
"""Steps that are tried, recorded and compared: one more than the first, which may find everything at 0."""
TOLERANCE = 1e-3
"""Largest difference between what trial steps and their replays leave in a tensor, relative to its norm or a thousandth
of the largest norm, if algorithms need not be deterministic. If they must, bits have to be equal."""

Run: TypeAlias = Callable[[], None]
Record: TypeAlias = Callable[[Run, torch.Generator], Run]
"""Records what a call does, with its random numbers, and returns what does it again."""


class NotRecorded(Exception):
    """The step cannot be recorded, or its replay does something else; the text goes on after "the training step"."""


_failed = False


def cuda_graph(run: Run, generator: torch.Generator) -> Run:
    """Records into a CUDA graph on the current stream, which must not be the device's default one.

    Other streams continue meanwhile, unless memory is scarce. Where memory is scarce the device is synchronised and
    unused memory released first, since a recording allocates from its own pool alone. After a failed recording this
    process begins no other: torch's allocator and generators may still be in the state of recording. Raises
    RuntimeError for the recording that fails, and NotRecorded for each later one.
    """
    global _failed
    if _failed:
        raise NotRecorded("is not recorded in a process where a recording has failed")
    graph = torch.cuda.CUDAGraph()
    if hasattr(graph, "register_generator_state"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # later versions register by themselves, and warn
            graph.register_generator_state(generator)
    if torch.cuda.mem_get_info()[0] < torch.cuda.memory_reserved():
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
    collected = gc.isenabled()
    gc.disable()  # what it destroys may be older graphs, which is no part of a recording
    try:
        graph.capture_begin(capture_error_mode="thread_local")
        try:
            run()
        finally:
            graph.capture_end()
    except RuntimeError as error:
        _failed = not is_out_of_memory(error)
        raise
    finally:
        if collected:
            gc.enable()
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
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        raise NotRecorded(f"cannot be recorded: {' '.join(str(error).split())[:200]}") from error
    start()
    for _ in range(trials):
        replay()
    worst = _difference(state, expected)
    start()
    if worst > (0.0 if torch.are_deterministic_algorithms_enabled() else TOLERANCE):
        raise NotRecorded(f"was recorded, but its replay differs from it (relative difference {worst:.1e})")
    return replay


def _difference(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> float:
    """The largest of all tensors; numbers that are not finite in both are equal. The device is waited for once."""
    pairs = [
        (torch.nan_to_num(a.double(), 0.0, 0.0, 0.0), torch.nan_to_num(b.double(), 0.0, 0.0, 0.0))
        for a, b in zip(found, wanted, strict=True)
    ]
    apart: list[float] = torch.stack([(given - expected).norm() for given, expected in pairs]).tolist()
    if not any(apart):
        return 0.0
    norms: list[float] = torch.stack([expected.norm() for _, expected in pairs]).tolist()
    least = max(1e-3 * max(norms), 1e-12)
    return max(distance / max(norm, least) for distance, norm in zip(apart, norms, strict=True))
