"""Candidates that are graphs of neurons: from genomes to metrics, all of a unit as one program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context
from evonas_cli.core.halting import NEVER, Halt
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Candidate, Descriptor, Failure, Json, Result, Unit
from evonas_cli.data.shared import shared
from evonas_cli.data.splits import Splits
from evonas_cli.network.neurons import Neurons, ends
from evonas_cli.network.task import Task
from evonas_cli.nn.neurons.order import order
from evonas_cli.nn.neurons.program import Program
from evonas_cli.training.candidates.environment import environment, ready
from evonas_cli.training.candidates.graphs import decoded
from evonas_cli.training.device.errors import reading_data
from evonas_cli.training.neurons.columns import Part
from evonas_cli.training.neurons.descent import descend
from evonas_cli.training.neurons.equipment import NeuralEquipment
from evonas_cli.training.neurons.heads import Binary, Numbers, head_of
from evonas_cli.training.neurons.measuring import Worth, means


@dataclass(frozen=True)
class _Loaded:
    """`probes` are the examples at which candidates are described; None: they are not."""

    parts: dict[str, Part]
    probes: Part | None
    task: Task
    fingerprint: str
    device: torch.device


class NeuronsBench:
    """The data on its device, and the evaluation of populations on it."""

    def __init__(self, equipment: NeuralEquipment, file: int | None = None, halt: Halt = NEVER) -> None:
        """`file` is a descriptor through which processes on one machine share the prepared data (`data.shared`), `halt`
        that of the place."""
        self.equipment, self.file, self.halt = equipment, file, halt

    def environment(self) -> dict[str, Json]:
        """Device, torch, threads, the task, and a digest of data and split. Raises UsageError, EnvironmentFailure."""
        loaded = self._loaded
        return environment(loaded.device, self.equipment.threads, loaded.task, loaded.fingerprint)

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        """A result for each candidate. Failures: unbuildable, and diverged where a loss is no finite number.

        Candidates go together whatever the unit's width, since a candidate's bits depend on the candidate alone. Raises
        UsageError for options that the job does not know, and what torch raises for lack of memory.
        """
        started = perf_counter()
        able, failed = decoded(self.equipment.space, unit.candidates, *ends(self._loaded.task))
        yield from failed
        if able:
            yield from self._together(able, started)

    def _together(self, able: Sequence[tuple[Candidate[Any], Neurons]], started: float) -> Iterator[Result]:
        population = [neurons for _, neurons in able]
        limits = [self.equipment.updates(candidate) for candidate, _ in able]
        weights, updates, seconds = self._trained(population, limits)
        columns, descriptors = self._measured(population, weights), self._described(population, weights)
        ends_at = np.cumsum([neurons.parameters for neurons in population])
        seconds_each = (perf_counter() - started) / len(able)
        for place, (candidate, neurons) in enumerate(able):
            found = {name: values[place] for name, values in columns.items()}
            broken = [name for name, value in found.items() if not isfinite(value)]
            if broken:
                failure = Failure("diverged", f"{broken[0]} is {found[broken[0]]} after {updates[place]} updates")
                yield Result(candidate.id, "failed", error=failure, seconds=seconds_each)
                continue
            found |= self._counted(neurons, updates[place])
            found["fitness_loss"] = self.equipment.penalty.penalised(
                found[f"{self.equipment.fitness}_loss"], neurons.parameters
            )
            found["train_seconds"] = seconds / len(able)
            own = weights[ends_at[place] - neurons.parameters : ends_at[place]]
            payload: Json = None if self.equipment.weights == "evolved" else {"weights": own.tolist()}
            point = descriptors[place]
            yield Result(candidate.id, "ok", found, payload=payload, seconds=seconds_each, descriptor=point)

    def _trained(self, population: Sequence[Neurons], limits: Sequence[int]) -> tuple[Tensor, list[int], float]:
        """The weights of all links, the updates of each member, and the seconds that all of these took."""
        loaded, own = self._loaded, self.equipment
        started = perf_counter()
        values = [weight for neurons in population for weight in neurons.weights]
        weights = torch.tensor(values, dtype=torch.float32, device=loaded.device)
        head = head_of(loaded.task)
        train = loaded.parts["train"]
        found = descend(population, limits, weights, own.descent, head, train, own.seed, self.halt)
        return found.weights, found.updates, perf_counter() - started

    def _measured(self, population: Sequence[Neurons], weights: Tensor) -> dict[str, list[float]]:
        """Metrics by name, with a number for each member."""
        plan, device, head = order(population), self._loaded.device, head_of(self._loaded.task)
        programs: dict[int, Program] = {}
        found: dict[str, list[float]] = {}
        for name, part in self._loaded.parts.items():
            if part.width not in programs:
                programs[part.width] = Program(plan, part.width, device, gradients=False)
            worths: dict[str, Worth] = {f"{name}_loss": head.losses}
            if name != "train" and not isinstance(head, Numbers):
                worths[f"{name}_error"] = lambda outputs, targets: head.wrong(outputs, targets)
            if name == "train" and isinstance(head, Binary):
                worths["distance"] = head.distances
            measured = means(programs[part.width], part, weights, list(worths.values()))
            found |= {key: values.tolist() for key, values in zip(worths, measured, strict=True)}
        if "distance" in found:
            count = self._loaded.parts["train"].count
            found["squared_fitness"] = [(count - count * distance) ** 2 for distance in found.pop("distance")]
        return found

    def _described(self, population: Sequence[Neurons], weights: Tensor) -> list[Descriptor]:
        """What each member answers at the probes, answer after answer; nothing where there are none."""
        probes = self._loaded.probes
        if probes is None:
            return [()] * len(population)
        program = Program(order(population), probes.width, self._loaded.device, gradients=False)
        [piece] = probes.pieces  # a descriptor is shorter than a piece
        answers = head_of(self._loaded.task).answers(program.forward(piece.inputs, weights))
        return [tuple(own) for own in answers[:, :, : piece.count].flatten(1).tolist()]

    def _counted(self, neurons: Neurons, updates: int) -> dict[str, float]:
        passes = self.equipment.passes(self._loaded.parts["train"].count, updates)
        return {
            "links": float(neurons.parameters),
            "hidden": float(neurons.n_hidden),
            "updates": float(updates),
            "cost": passes * neurons.parameters / 1e9,
        }

    @cached_property
    def _loaded(self) -> _Loaded:
        own = self.equipment
        device = ready(own.device, own.deterministic, own.threads)
        with reading_data():
            splits = shared(self.file, self._prepare)
            test = own.dataset.test(own.seed) if own.test else None
        found = splits.augmentation
        if found.moves or found.mixup or found.randaugment:
            raise UsageError(
                "job=neurons changes no images; set dataset.crop, cutout, mixup, randaugment to 0, flip to false"
            )
        try:
            ends(splits.task)
        except ValueError as error:
            raise UsageError(f"job=neurons: {error}; pass dataset=spirals, or others of these") from error
        arrays = {"train": (splits.x_train, splits.y_train), "valid": (splits.x_valid, splits.y_valid)}
        arrays |= {} if test is None else {"test": test}
        parts = {name: Part(self._inputs(x, splits), y, splits.task, device) for name, (x, y) in arrays.items()}
        return _Loaded(parts, self._probes(splits, device), splits.task, splits.fingerprint, device)

    def _probes(self, splits: Splits, device: torch.device) -> Part | None:
        """Examples of the training part, drawn from the run's seed. Raises UsageError for too many of them."""
        own, there = self.equipment, len(splits.x_train)
        if own.probes is None:
            return None
        if own.probes > there:
            raise UsageError(
                f"job.probes={own.probes} exceeds the {there} examples of the training part; set job.probes={there} or "
                "fewer"
            )
        own.check_probes(ends(splits.task)[1])
        chosen = sorted(stream(own.seed, "probes").sample(range(there), own.probes))
        return Part(self._inputs(splits.x_train[chosen], splits), splits.y_train[chosen], splits.task, device)

    def _prepare(self) -> Splits:
        return self.equipment.dataset.prepare(self.equipment.seed)

    def _inputs(self, x: NDArray[Any], splits: Splits) -> NDArray[Any]:
        """Vectors; the numbers of an image come channel by channel and row by row."""
        if self.equipment.standardise:
            shape = (-1, *[1] * (x.ndim - 2))
            x = (x - splits.mean.reshape(shape)) / splits.std.reshape(shape)
        return x.reshape(len(x), -1)
