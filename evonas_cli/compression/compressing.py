"""From a network to a smaller one, step by step: pruned, then distilled, then quantised; each step is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from evonas_cli.compression.distil import Lesson, Teacher, trained
from evonas_cli.compression.measuring import Row, measured
from evonas_cli.compression.pruning import METHODS, Pruning, prune, rebuilt, targets
from evonas_cli.compression.quantize import check_has_form, described, quantised
from evonas_cli.compression.subject import Subject
from evonas_cli.compression.units import units_of
from evonas_cli.core.errors import UsageError
from evonas_cli.export.checking import Part
from evonas_cli.export.outgoing import Outgoing
from evonas_cli.network.plan import Plan
from evonas_cli.nn.build import Network

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Steps:
    """What is done, None where a step is left out; `compare` measures for each step what it has to be better than: the
    other methods of pruning at the same size, and for distillation the same further training without a teacher.
    Raises UsageError where there is nothing to do."""

    pruning: Pruning | None = None
    lesson: Lesson | None = None
    int8: bool = False
    compare: bool = False

    def __post_init__(self) -> None:
        if self.pruning is None and self.lesson is None and not self.int8:
            raise UsageError("there is nothing to do; pass --prune, --distil or --quantize int8")

    @property
    def networks(self) -> int:
        """How many networks are measured."""
        more = (len(METHODS) - 1) * (self.pruning is not None) + (self.lesson is not None)
        return 1 + sum((self.pruning is not None, self.lesson is not None, self.int8)) + more * self.compare


@dataclass(frozen=True)
class Compressed:
    """The smaller network; a row for the given one, for each step, and for what steps are compared with; and what is to
    be said of the layers, a line each."""

    outgoing: Outgoing
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def check(subject: Subject, steps: Steps) -> None:
    """Raises UsageError for a network that cannot be pruned so far, or has no layer with an int8 form."""
    if steps.pruning is not None:
        targets(subject.outgoing.plan, steps.pruning.sparsity)
    if steps.int8:
        check_has_form(subject.outgoing.plan)


def compress(
    subject: Subject, steps: Steps, teacher: Teacher | None, test: Part | None, tell: Tell = lambda text: None
) -> Compressed:
    """Does the steps; `teacher` is that of the lesson, `test` the test part (None: it is not read).

    Raises as `check`.
    """
    check(subject, steps)
    valid, data, outgoing = subject.valid, subject.data, subject.outgoing
    rows, notes = [measured("given", outgoing, valid, test)], list[str]()

    def take(name: str, network: Network) -> Outgoing:
        made = _outgoing(outgoing, network)
        rows.append(measured(name, made, valid, test))
        return made

    network = rebuilt(outgoing.plan, outgoing.weights, data)
    if steps.pruning is not None:
        notes += _whole(network.plan)
        for how in _methods(steps.pruning, steps.compare):
            smaller = prune(network, how, data, tell)
            made = take(f"{how.method} {how.sparsity:.0%}".replace("%", " %"), smaller)
            if how == steps.pruning:
                pruned = smaller, made
        network, outgoing = pruned
    if steps.lesson is not None:
        if steps.compare:
            take("trained alone", trained(network, steps.lesson, subject.trainer, data, None))
        network = trained(network, steps.lesson, subject.trainer, data, teacher)
        outgoing = take("distilled", network)
    if steps.int8:
        plan, weights = quantised(outgoing.plan, outgoing.weights)
        outgoing = replace(outgoing, plan=plan, weights=weights)
        rows.append(measured("int8", outgoing, valid, test))
        notes.append(described(plan))
    return Compressed(outgoing, tuple(rows), tuple(notes))


def _methods(own: Pruning, compare: bool) -> Sequence[Pruning]:
    return [own, *[replace(own, method=name) for name in METHODS if compare and name != own.method]]


def _whole(plan: Plan) -> list[str]:
    """A line on the layers that keep their units, but for the last one, whose outputs are the answers."""
    left = {node: why for node, why in units_of(plan).whole.items() if "answers" not in why}
    if not left:
        return []
    named = ", ".join(f"{plan.nodes[node].op} {node} ({why})" for node, why in left.items())
    return [f"kept whole: {named}"]


def _outgoing(before: Outgoing, network: Network) -> Outgoing:
    weights = {name: tensor.cpu() for name, tensor in network.state_dict().items()}
    return replace(before, plan=network.plan, weights=weights)
