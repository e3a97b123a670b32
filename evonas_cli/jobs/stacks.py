"""Which candidates of an ask are trained as one program, and how wide it is: a function of the ask alone.

Candidates go together when their networks have the same structure and their trainings differ only in what a stack keeps
for each member: learning rate, momentum, decay, schedule, rates of dropout, initialisation, and a loss or a rule of
learning that is not the standard one. All members of a program see the same images, so that policies of augmentation
keep them apart.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from math import isqrt, prod
from typing import Any, NamedTuple, TypeAlias

from evonas_cli.core.types import Candidate, Json, Unit
from evonas_cli.genomes.capabilities import Buildable
from evonas_cli.network.initialisations import STANDARD as INITIAL
from evonas_cli.network.learning_rules import NONE, SGD
from evonas_cli.network.losses import CROSS_ENTROPY, STANDARD
from evonas_cli.network.plan import Plan
from evonas_cli.network.task import Task
from evonas_cli.training.trainer import Trainer

WIDEST = {"cpu": 20, "cuda": 64}
CUDA_WORK = 4_000_000_000
"""Multiply-adds of an image over all members beyond which stacking further gains nothing on CUDA devices."""
CPU_WORK, CPU_WEIGHTS = {"fp32": 22_000_000, "bf16": 50_000_000}, 1_200_000
"""On CPUs: multiply-adds of an image times the square of the members, by precision, and weights of all members, beyond
which stacking gains nothing, or holds results back for longer than four trainings take (`scripts/stack_widths`)."""
SHORT_VECTORS, SHORT_WORK = "AVX2", 320_000
"""On CPUs that compute with AVX2 and no longer vectors, in fp32, for networks that read maps: the limit of the
multiply-adds of an image for each node, times the square of the members. Beyond it stacks of convolutions gain little
more, or are slower than fewer members (`scripts/stack_widths`)."""
FIRST_ALONE = 50_000
"""Multiply-adds of an image from which the first candidate of a run is trained alone. The results of a stack come
together, after minutes where networks are large and images many, and a user wants to see a first one before."""
INDEXED = 2**31 - 1
"""Numbers that a batch's maps of all members may have on CUDA, where many kernels index with 32 bits."""

Key: TypeAlias = tuple[Any, ...]

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # shown, though the command shows warnings alone


class Machine(NamedTuple):
    """The properties of a place of training that decide how wide stacks pay.

    `device` is the type of the device, `auto` the precision that `trainer.precision=auto` stands for there. `vectors`
    are the vector instructions of a CPU as torch names them (AVX2, AVX512), an empty text where they are unknown.
    """

    device: str
    auto: str = "fp32"
    vectors: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, Json]) -> Machine:
        """The machine that a job's environment describes. The name of a CPU ends with its vector instructions."""
        name = str(environment.get("device_name", ""))
        return cls(str(environment["device"]), str(environment.get("precision", "fp32")), name.rpartition(" ")[2])


def units(
    asked: Sequence[Candidate[Any]], space: Buildable[Any], trainer: Trainer, task: Task, machine: Machine
) -> list[Unit[Any]]:
    """A partition of the ask, in order of first ids; candidates that cannot be built stay alone."""
    groups: dict[Key, list[Candidate[Any]]] = {}
    trainings: dict[Key, tuple[Trainer, Plan]] = {}
    for candidate in asked:
        key: Key
        try:
            phenotype = space.decode(candidate.proposal.genome, task)
            own = trainer.override(phenotype.hyper)
            key = (*_structure(phenotype.plan), _shared(own))
            trainings[key] = own, phenotype.plan
        except Exception:  # whatever it is, evaluating the candidate meets it again and records it
            key = ("alone", candidate.id)
        groups.setdefault(key, []).append(candidate)
    found = []
    for key, members in groups.items():
        widest = width(*trainings[key], machine) if len(members) > 1 else 1
        first = 1 if widest > 1 and _comes_first(members[0], *trainings[key], machine.device) else 0
        for part in [members[:first], *parts(members[first:], widest, spread=machine.device != "cuda")]:
            if part:
                found.append(Unit(tuple(part), len(part), tuple(range(len(part)))))
    return sorted(found, key=lambda unit: unit.candidates[0].id)


def _comes_first(candidate: Candidate[Any], trainer: Trainer, plan: Plan, device: str) -> bool:
    """Whether the candidate has the first result of a run, and its training takes long; a given width is kept."""
    first = candidate.id == 0 and device != "cuda" and trainer.stack is None
    return first and plan.multiply_adds >= FIRST_ALONE


def width(trainer: Trainer, plan: Plan, machine: Machine) -> int:
    """The most members of a program: `trainer.stack`, or what its work allows; on CUDA also what can be indexed.

    One where an operation has no stacked form; a log line says so once for each operation.
    """
    if plan.unstackable is not None:
        _say(plan.unstackable)
        return 1
    kind = machine.device if machine.device in WIDEST else "cpu"
    precision = machine.auto if trainer.precision == "auto" else trainer.precision
    widest = trainer.stack or min(WIDEST[kind], _paying(plan, kind, precision, machine.vectors))
    if kind == "cuda":
        widest = min(widest, INDEXED // (trainer.batch_size * max(map(prod, plan.shapes))))
    return max(1, widest)


def _paying(plan: Plan, kind: str, precision: str, vectors: str) -> int:
    """Members of a program up to which each of them makes the others' training cheaper."""
    work = max(1, plan.multiply_adds)
    if kind == "cuda":
        return CUDA_WORK // work
    short = vectors == SHORT_VECTORS and precision == "fp32" and plan.maps
    most = SHORT_WORK * len(plan.nodes) if short else CPU_WORK[precision]
    return min(isqrt(most // work), CPU_WEIGHTS // max(1, plan.parameters))


@cache
def _say(op: str) -> None:
    log.info("the operation %s has no stacked form: networks with it are trained one by one", op)


def _structure(plan: Plan) -> Key:
    nodes = tuple([replace(node, params=()) if node.op == "dropout" else node for node in plan.nodes])
    return plan.shapes[0], nodes


def _shared(trainer: Trainer) -> Trainer:
    """The settings with those made equal that each member has for itself."""
    return replace(
        trainer,
        learning_rate=1.0,
        momentum=0.5,
        weight_decay=0.0,
        schedule="constant",
        step_size=1,
        gamma=1.0,
        warmup=0.0,
        epochs=1,
        loss=STANDARD if trainer.loss == STANDARD else CROSS_ENTROPY,
        initialisation=INITIAL,
        rule=NONE if trainer.rule == NONE else SGD,
    )


def parts(members: Sequence[Candidate[Any]], widest: int, spread: bool) -> list[Sequence[Candidate[Any]]]:
    """Parts of nearly equal size, none above `widest`; a power of two of them, so that workers have equal shares.

    With `spread` four candidates or more are at least two parts.
    """
    least = -(-len(members) // widest)
    count = 2 if spread and len(members) >= 4 and widest > 1 else 1
    while count < least:
        count *= 2
    count = min(count, len(members))
    bounds = [len(members) * index // count for index in range(count + 1)]
    return [members[start:end] for start, end in zip(bounds, bounds[1:], strict=False)]
