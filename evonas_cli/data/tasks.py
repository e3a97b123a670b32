"""Several classifications with inputs of one shape as one data set, for a network that learns all of them.

    (x of task t, class c of task t) -> ((x, t), c + the number of classes of the tasks before t)

The last channel of an image or series, or the last feature of a vector, is the number of the example's task, from 0. A
training part has `samples` examples of each task, as in the experiments on few samples of Meyerson and Miikkulainen
(Beyond Shared Hierarchies: Deep Multitask Learning through Soft Layer Ordering, ICLR 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.core.sources import Member
from evonas_cli.data.arrays import Inputs, Labels
from evonas_cli.data.dataset import Source
from evonas_cli.data.splits import Augmentation, Splits, moments, stratified
from evonas_cli.network.task import Kind, Task

MANY = "a data set of tasks has two members or more: dataset.members=[{name:digit_task,labels:parity},digits]"


@dataclass(frozen=True, kw_only=True)
class Tasks(Source):
    """Several classifications with inputs of one shape, its `members`, for networks that learn all of them at once.

    `samples` says how many training examples each member keeps, drawn with its classes in proportion, for each member
    others where they have the same images (null: all); validation and test parts are the members' own. With `only`, the
    number of a member from 1, that member is left alone, with the same examples: what one task learns by itself.

    Raises UsageError for fewer than two members, and for members that are no classifications. Members whose examples
    differ in shape or type, or that augment them, are refused by `prepare`.
    """

    known_kind: ClassVar[Kind | None] = "classes"

    members: Sequence[Member]
    samples: int | None = 50
    only: int | None = None
    valid_fraction: float | str | None = field(default=None, init=False)
    test_fraction: float | str | None = field(default=None, init=False)
    limit: int | None = field(default=None, init=False)
    limit_per_class: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.members) < 2:
            raise UsageError(f"dataset.members has {len(self.members)} of them; {MANY}")
        for place, member in enumerate(self.members):
            if not isinstance(member, Source) or member.task_kind != "classes":
                kind = member.task_kind if isinstance(member, Source) else getattr(member, "known_kind", "tokens")
                cure = "; give it kind: classes" if kind == "auto" else ""
                raise UsageError(
                    f"dataset.members[{place}], {type(member).__name__}, has targets of the kind {kind}; all members "
                    f"must have classes{cure}"
                )
        for key, value, most in (("samples", self.samples, None), ("only", self.only, len(self.members))):
            if value is not None and (type(value) is not int or value < 1 or (most is not None and value > most)):
                wanted = "of at least 1" if most is None else f"from 1 to {most}, the number of a member"
                raise UsageError(f"dataset.{key} is {value!r}; it must be an integer {wanted}, or null")

    @property
    def tasks(self) -> int:
        """As Source.tasks."""
        return 0 if self.only else len(self.members)

    @property
    def layout(self) -> str:
        """As Source.layout."""
        return self._sources[0].layout

    def looked_up_outputs(self) -> int | None:
        """As Source.looked_up_outputs."""
        counts = [one.looked_up_outputs() for one in self._chosen]
        return None if None in counts else sum(count or 0 for count in counts)

    def looked_up_sizes(self, seed: int) -> dict[str, int] | None:
        """As Source.looked_up_sizes."""
        found = {"train": 0, "valid": 0, "test": 0}
        for one in self._chosen:
            sizes = one.looked_up_sizes(seed)
            if sizes is None:
                return None
            kept = sizes["train"] if self.samples is None else min(self.samples, sizes["train"])
            found = {part: found[part] + (kept if part == "train" else sizes[part]) for part in found}
        return found

    def check_there(self) -> None:
        """As Source.check_there, for each member."""
        for member in self._sources:
            member.check_there()

    def task(self) -> Task:
        """As Source.task. Raises UsageError for examples of different shapes."""
        tasks = [one.task() for one in self._sources]
        for place, task in enumerate(tasks):
            if (task.inputs, task.vocabulary) != (tasks[0].inputs, 0):
                raise UsageError(
                    f"dataset.members[{place}], {self._sources[place].name}, has {task.examples}, and dataset."
                    f"members[0], {self._sources[0].name}, has {tasks[0].examples}; all members must have numbers of "
                    "one shape, which one network can read"
                )
        if self.only:
            return tasks[self.only - 1]
        outputs = tuple([task.outputs for task in tasks])
        inputs = (tasks[0].inputs[0] + 1, *tasks[0].inputs[1:])
        return Task(inputs, sum(outputs), "classes", members=outputs)

    def prepare(self, seed: int) -> Splits:
        """As Source.prepare."""
        task, parts = self.task(), [self._sampled(place, seed) for place in range(len(self.members))]
        if self.only:
            return parts[self.only - 1]
        self._check(parts)
        mean, std = moments(np.concatenate([part.x_train for part in parts]))
        return Splits(
            x_train=_indexed([part.x_train for part in parts]),
            y_train=_shifted([part.y_train for part in parts], task),
            x_valid=_indexed([part.x_valid for part in parts]),
            y_valid=_shifted([part.y_valid for part in parts], task),
            mean=np.append(mean, 0.0),
            std=np.append(std, 1.0),
            task=task,
            augmentation=Augmentation(),
            fingerprint=sha256(" ".join(part.fingerprint for part in parts).encode()).hexdigest(),
            names=tuple([f"{one.name}: {name}" for one, part in zip(self._sources, parts, strict=True)
                         for name in part.names]),
        )  # fmt: skip

    def test(self, seed: int) -> tuple[Inputs, Labels]:
        """As Source.test."""
        if self.only:
            return self._sources[self.only - 1].test(seed)
        inputs, targets = zip(*[one.test(seed) for one in self._sources], strict=True)
        return _indexed(inputs), _shifted(targets, self.task())

    def fingerprint(self, seed: int) -> str:
        """As Source.fingerprint."""
        return self.prepare(seed).fingerprint

    @property
    def _sources(self) -> list[Source]:
        return [one for one in self.members if isinstance(one, Source)]

    @property
    def _chosen(self) -> list[Source]:
        return [self._sources[self.only - 1]] if self.only else self._sources

    def _sampled(self, place: int, seed: int) -> Splits:
        """The parts of a member with the training examples that it keeps, and the digest of both."""
        source = self._sources[place]
        splits = source.prepare(seed)
        if self.samples is None or self.samples >= len(splits.y_train):
            return splits
        what = f"dataset.members[{place}], {source.name}: dataset.samples={self.samples}"
        rng = stream(seed, "samples", place)
        kept, _ = stratified(splits.y_train, self.samples, 1, rng, what, splits.names)
        digest = sha256(f"{splits.fingerprint} {kept.tolist()}".encode()).hexdigest()
        x = splits.x_train[kept]
        mean, std = moments(x)
        return replace(splits, x_train=x, y_train=splits.y_train[kept], mean=mean, std=std, fingerprint=digest)

    def _check(self, parts: Sequence[Splits]) -> None:
        """Raises UsageError for members that augment their examples, or of which some alone have bytes."""
        for place, (source, part) in enumerate(zip(self._sources, parts, strict=True)):
            if part.augmentation != replace(Augmentation(), magnitude=part.augmentation.magnitude):
                raise UsageError(
                    f"dataset.members[{place}], {source.name}, augments its images, which would change the number of "
                    "the task as well; leave crop, flip, cutout, mixup and randaugment out"
                )
            if part.x_train.dtype != parts[0].x_train.dtype:
                raise UsageError(
                    f"dataset.members[{place}], {source.name}, has inputs of the type {part.x_train.dtype}, and "
                    f"dataset.members[0] of the type {parts[0].x_train.dtype}; all members must have the same"
                )


def _indexed(inputs: Sequence[Inputs]) -> Inputs:
    """Inputs (N, C, ...) of all tasks with the task's number as a further channel, (sum of N, C + 1, ...)."""
    found = []
    for number, x in enumerate(inputs):
        channel: NDArray[Any] = np.full((len(x), 1, *x.shape[2:]), number, dtype=x.dtype)
        found.append(np.concatenate([x, channel], axis=1))
    return np.concatenate(found)


def _shifted(targets: Sequence[Labels], task: Task) -> Labels:
    """Classes (N,) of all tasks, each after those of the tasks before."""
    first = np.cumsum([0, *task.members[:-1]])
    return np.concatenate([y + start for y, start in zip(targets, first, strict=True)])
