"""A plan as the class of a plain PyTorch module: one layer a line, then one line of the forward pass for each node."""

from __future__ import annotations

import inspect
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.export.outgoing import normalises
from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Plan
from evonas_cli.network.signature import Signature
from evonas_cli.network.source import Source
from evonas_cli.nn.build import finished

INDENT = "        "


@dataclass(frozen=True, slots=True)
class NetworkSource:
    """The text of the class `Model`, with what it needs.

    `layers` has for each node with a layer its index, the name of the attribute and its `Source`.
    """

    text: str
    classes: tuple[str, ...]
    lines: tuple[str, ...]
    layers: tuple[tuple[int, str, Source], ...]

    def weights(self, plan: Plan, given: Mapping[str, Any]) -> dict[str, Any]:
        """The weights of a `Network` of the plan by the names, and in the shapes, that they have in `Model`.

        Raises UsageError for weights of an operation whose plain form has no place for them.
        """
        left, found = dict(given), {}
        for index, name, source in self.layers:
            start = f"layers.{index}_{plan.nodes[index].op}.{source.prefix}"
            for key in [key for key in left if key.startswith(start)]:
                own = key.removeprefix(start)
                shape = source.shapes.get(own, tuple(given[key].shape))
                found[f"{name}.{own}"] = left.pop(key).reshape(shape)
        if left:
            op = next(iter(left)).split(".")[1].partition("_")[2]
            raise UsageError(f"the operation {op} has weights that its plain form (Op.source) does not hold")
        return found


def check_sources(plan: Plan) -> None:
    """Raises UsageError for a plan with an operation that has no plain form."""
    for node in plan.nodes[1:]:
        if OPS[node.op].source is None:
            raise UsageError(
                f"the operation {node.op} has no plain PyTorch form, which --format dir and py need; give its record a "
                "`source`, or export onnx or pt2"
            )


def network_source(plan: Plan, signature: Signature) -> NetworkSource:
    """The class `Model` of a plan. Raises UsageError as `check_sources`."""
    check_sources(plan)
    sources = [
        rule(plan.input_shapes(node), dict(node.params))
        for node in plan.nodes[1:]
        if (rule := OPS[node.op].source) is not None
    ]
    names = _attributes([source.name or node.op for node, source in zip(plan.nodes[1:], sources, strict=True)], sources)
    layers = [(index, name, source) for index, (name, source) in enumerate(zip(names, sources, strict=True), 1) if name]
    made = [f"self.{name} = {source.layer}" for _, name, source in layers]
    steps, last = _steps(plan, sources, names, _input(signature))
    before = ["x = (x - self.mean) / self.std"] if normalises(signature) else []
    scaled = f"{last}.double() * self.target_std + self.target_mean" if signature.task.kind == "numbers" else last
    lines = [
        "class Model(nn.Module):",
        f'    """{_about(plan, signature)}"""',
        "",
        "    def __init__(self) -> None:",
        f"{INDENT}super().__init__()",
        *[INDENT + line for line in (*_buffers(signature), *made)],
        "",
        f"    def forward(self, {_input(signature)}: Tensor) -> Tensor:",
        *[INDENT + line for line in (*before, *steps, f"return {scaled}")],
    ]
    classes = tuple(dict.fromkeys(one for source in sources for one in source.classes))
    heads = tuple(dict.fromkeys(line for source in sources for line in source.lines))
    return NetworkSource("\n".join(lines), classes, heads, tuple(layers))


def class_text(path: str) -> str:
    """The definition of the class "module:name" as its file has it."""
    module, name = path.split(":")
    return textwrap.dedent(inspect.getsource(getattr(import_module(module), name))).rstrip()


def _attributes(bases: list[str], sources: list[Source]) -> list[str]:
    """The attribute of each node's layer, numbered within its kind; "" for nodes without a layer."""
    counts: Counter[str] = Counter()
    names = []
    for base, source in zip(bases, sources, strict=True):
        if source.layer is None:
            names.append("")
            continue
        counts[base] += 1
        names.append(f"{base}{'_' if base[-1].isdigit() else ''}{counts[base]}")
    return names


def _input(signature: Signature) -> str:
    return "ids" if signature.task.vocabulary else "x"


def _about(plan: Plan, signature: Signature) -> str:
    task = signature.task
    given = (
        f"Token ids (batch, {task.inputs[0]})" if task.vocabulary else f"(batch, {', '.join(map(str, task.inputs))})"
    )
    scale = ", pixels of 0 to 255," if signature.preparation.get("bytes") or _pictures(signature) else ""
    words = {"classes": "scores", "labels": "scores", "numbers": "numbers", "boxes": "scores and sides"}
    words["actions"] = "scores"
    made = words.get(task.kind, "outputs")
    return f"{given}{scale} to {made} (batch, {task.outputs}); {plan.parameters:,} parameters."


def _pictures(signature: Signature) -> bool:
    return signature.preparation.get("form") == "pictures"


def _buffers(signature: Signature) -> list[str]:
    """The lines that register what normalises inputs and scales outputs."""
    lines = []
    if normalises(signature):
        shape = ", ".join(map(str, (len(signature.mean), *(1 for _ in signature.task.inputs[1:]))))
        lines += [
            f'self.register_buffer("mean", torch.zeros({shape}))',
            f'self.register_buffer("std", torch.ones({shape}))',
        ]
    if signature.task.kind == "numbers":
        size = f"{signature.task.outputs}, dtype=torch.float64"
        lines += [f'self.register_buffer("target_mean", torch.zeros({size}))']
        lines += [f'self.register_buffer("target_std", torch.ones({size}))']
    return lines


def _steps(plan: Plan, sources: list[Source], names: list[str], first: str) -> tuple[list[str], str]:
    """One line for each node, and the variable of the output; a variable is used again once its value is not needed."""
    over, held = finished(plan), {0: first}
    lines = []
    for index, (source, name) in enumerate(zip(sources, names, strict=True), start=1):
        inputs = [held[one] for one in plan.nodes[index].inputs]
        for one in over[index]:
            del held[one]
        taken = set(held.values())
        held[index] = next(free for free in _variables() if free not in taken)
        call = source.call.format(*inputs, layer=f"self.{name}")
        if call != held[index]:
            lines.append(f"{held[index]} = {call}")
    return lines, held[plan.output]


def _variables() -> Iterator[str]:
    yield "x"
    number = 1
    while True:
        yield f"x{number}"
        number += 1
