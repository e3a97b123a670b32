"""A plan as boxes: normalisations and activations share a box with the layer that they belong to."""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.network.op import Shape
from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Node, Plan
from evonas_cli.report.drawing.diagram import Box, Diagram, Kind

ATTACHED = frozenset(
    {"batch_norm", "layer_norm", "relu", "gelu", "tanh", "sigmoid", "identity", "dropout", "activation"}
)
"""Operations that are shown as a part of a layer."""
_SIZES = ("channels", "features", "outputs", "hidden", "width")
_WORDS = {"same": "padding"}
"""Settings whose names do not say what they do."""
_MERGES = ("add", "concat")
_ALONE = ("input", *_MERGES)
"""Boxes to which nothing is attached, so that the last of several equal parts looks as the others do."""


def boxes_of(plan: Plan) -> Diagram:
    """The plan's nodes as boxes, with the shape of what leaves each box.

    A chain of `conv`, `batch_norm`, `relu` is one box. Operations of ATTACHED that follow a node with several readers
    go into the box of the layer that reads them, as in networks that normalise first.
    """
    members = grouped(plan)
    owner = {node: place for place, nodes in enumerate(members) for node in nodes}
    boxes = tuple([_box(plan, nodes) for nodes in members])
    arrows = {
        (owner[source], owner[index])
        for index, node in enumerate(plan.nodes)
        for source in node.inputs
        if owner[source] != owner[index]
    }
    return Diagram(boxes, tuple(sorted(arrows)))


def grouped(plan: Plan) -> list[list[int]]:
    """The nodes of each box of `boxes_of`, in topological order of boxes."""
    readers = [0] * len(plan.nodes)
    for node in plan.nodes:
        for source in node.inputs:
            readers[source] += 1
    groups: list[list[int]] = []
    owner: dict[int, list[int]] = {}
    for index, node in enumerate(plan.nodes):
        joined = None
        if len(node.inputs) == 1 and readers[node.inputs[0]] == 1:
            before = owner[node.inputs[0]]
            prefix = all(plan.nodes[member].op in ATTACHED for member in before)
            if prefix or (node.op in ATTACHED and plan.nodes[before[0]].op not in _ALONE):
                joined = before
        if joined is None:
            joined = []
            groups.append(joined)
        joined.append(index)
        owner[index] = joined
    return sorted(groups, key=lambda group: group[-1])


def _box(plan: Plan, nodes: Sequence[int]) -> Box:
    lines: list[str] = []
    attached: list[str] = []
    kind: Kind = "other"
    for index in nodes:
        node = plan.nodes[index]
        if node.op in ATTACHED:
            attached.append(label(node))
            continue
        if attached:
            lines.append(", ".join(attached))
            attached = []
        lines.append(label(node))
        kind = _kind(plan, index)
    if attached:
        lines.append(", ".join(attached))
    return Box(tuple(lines), kind, shape_text(plan.shapes[nodes[-1]]))


def _kind(plan: Plan, index: int) -> Kind:
    node = plan.nodes[index]
    if index == 0:
        return "end"
    if OPS[node.op].multiply_adds is not None:
        return "layer"
    if node.op in _MERGES:
        return "merge"
    return "pool" if "pool" in node.op or node.op.endswith("_time") else "other"


def label(node: Node) -> str:
    """The operation with its settings, those with their default value left out: `conv 3x3, 64, stride 2`."""
    if node.op == "input":
        return "input"
    settings: dict[str, object] = dict(node.params)
    words = [node.op.replace("_", " ")]
    kernel = _pair(settings, "kernel")
    if kernel is not None:
        words[0] += f" {kernel}" if "x" in kernel else f" {kernel}x{kernel}" if _is_map(node) else f" {kernel}"
    words += [str(settings.pop(name)) for name in _SIZES if name in settings]
    stride = _pair(settings, "stride")
    if stride not in (None, "1"):
        words.append(f"stride {stride}")
    for name, value in settings.items():
        setting, word = OPS[node.op].settings[name], _WORDS.get(name, name.replace("_", " "))
        if value != setting.default:
            switch = isinstance(value, int) and (setting.least, setting.most) == (0, 1)
            words.append((word if value else f"no {word}") if switch else f"{word} {_number(value)}")
    return ", ".join(words)


def _is_map(node: Node) -> bool:
    """Whether one number for the kernel means as many rows as columns."""
    return not node.op.endswith("1d")


def _pair(settings: dict[str, object], name: str) -> str | None:
    """Takes `name`, or `name_h` and `name_w`, out of the settings: `3` where both are equal, else `1x7`; None: none."""
    if name in settings:
        return str(settings.pop(name))
    if f"{name}_h" not in settings:
        return None
    height, width = settings.pop(f"{name}_h"), settings.pop(f"{name}_w")
    return str(height) if height == width else f"{height}x{width}"


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def shape_text(shape: Shape) -> str:
    """`16x8x8`: the sizes of one example, without the batch."""
    return "x".join(map(str, shape))
