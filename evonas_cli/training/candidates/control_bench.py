"""Candidates that are policies: from genomes to returns of episodes, all candidates of a unit in step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from statistics import fmean
from time import perf_counter
from typing import Any

import torch

from evonas_cli.core.evaluating import Context
from evonas_cli.core.types import Candidate, Descriptor, Failure, Json, Result, Unit
from evonas_cli.genomes.capabilities import Neural
from evonas_cli.network.neurons import Neurons
from evonas_cli.training.candidates.environment import ready
from evonas_cli.training.candidates.graphs import decoded
from evonas_cli.training.control.episodes import Played, play
from evonas_cli.training.control.simulation import Interface, Simulation
from evonas_cli.training.device.setup import device_name


@dataclass(frozen=True)
class _Ready:
    interface: Interface
    device: torch.device


class ControlBench:
    """The evaluation of populations in a simulation."""

    def __init__(
        self, space: Neural[Any], simulation: Simulation, deterministic: bool, threads: int, descriptor: str | None
    ) -> None:
        """`descriptor` says which observations describe a policy: `end`, `seen` (as in `Played`), or None."""
        self.space, self.simulation, self.deterministic, self.threads = space, simulation, deterministic, threads
        self.descriptor = descriptor

    def environment(self) -> dict[str, Json]:
        """Device, torch, gymnasium, threads, and the task: a number for each action. Raises UsageError."""
        interface, device = self._ready.interface, self._ready.device
        return {
            "device": device.type,
            "device_name": device_name(device),
            "torch": str(torch.__version__),
            **self.simulation.recorded(),
            "threads": self.threads,
            "task": interface.task.to_json(),
        }

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """A result for each candidate. Failures: unbuildable, and diverged where an output or a return is no number.

        Candidates go together whatever the unit's width, since a candidate's bits depend on the candidate alone.
        """
        started, interface = perf_counter(), self._ready.interface
        able, failed = decoded(self.space, unit.candidates, interface.observations, interface.actions)
        yield from failed
        if not able:
            return
        played = play([policy for _, policy in able], self.simulation, interface)
        seconds = (perf_counter() - started) / len(able)
        for (candidate, policy), own in zip(able, played, strict=True):
            yield self._result(candidate, policy, own, seconds)

    def _result(self, candidate: Candidate[Any], policy: Neurons, played: Played, seconds: float) -> Result:
        mean = fmean(played.returns)
        stopped = played.stopped or (None if isfinite(mean) else f"the return is {mean}")
        if stopped is not None:
            return Result(candidate.id, "failed", error=Failure("diverged", stopped), seconds=seconds)
        threshold = self._ready.interface.threshold
        metrics = {
            "return": mean,
            "solved": fmean(float(total >= threshold) for total in played.returns),
            "links": float(policy.parameters),
            "hidden": float(policy.n_hidden),
            "cost": float(played.steps),
        }
        point = self._described(played, mean)
        return Result(candidate.id, "ok", metrics, seconds=seconds, descriptor=point)

    def _described(self, played: Played, mean: float) -> Descriptor:
        """The observations, and the return in units of the size of the threshold, of 1 for a threshold of 0."""
        if self.descriptor is None:
            return ()
        observations = played.end if self.descriptor == "end" else played.seen
        return (*observations, mean / (abs(self._ready.interface.threshold) or 1.0))

    @cached_property
    def _ready(self) -> _Ready:
        return _Ready(self.simulation.interface(), ready("cpu", self.deterministic, self.threads))
