"""The parts of a network that can be left out while it stays one: layers, pools, and branches of sums.

A part is a box of the network's drawing (`report/drawing/boxes.py`): a layer with its normalisation and activation, or
a pool. Without it what read its output reads its input. An input of a sum or a concatenation is a part, too, with all
that only it needs. The layer that gives the answers is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Graph, Node, Plan, PlanError
from evonas_cli.report.drawing.boxes import grouped, label

MERGES = ("add", "concat")
LARGER = 2.0
"""A network without a part may have so many times the parameters, or multiply-adds, of the whole one."""

Edge = tuple[int, int]
"""A node and the place of one of its inputs."""


@dataclass(frozen=True)
class Cut:
    """What is left out: `nodes` whose readers read their input instead, and `edges` that merges lose."""

    nodes: frozenset[int] = frozenset()
    edges: frozenset[Edge] = frozenset()


@dataclass(frozen=True)
class Part:
    """A part, or several that are `alike`: its name, the network without it, and how many parts it stands for."""

    name: str
    plan: Plan
    cut: Cut = Cut()
    alike: int = 1


@dataclass(frozen=True)
class Parts:
    """The parts of a network, and why others stay: a line each."""

    parts: tuple[Part, ...]
    kept: tuple[str, ...]


def without(plan: Plan, cut: Cut) -> Plan:
    """The network without what is cut. Raises PlanError where there is none."""
    graph, place = Graph(plan.shapes[0]), [0]
    for index, node in enumerate(plan.nodes[1:], start=1):
        inputs = [place[source] for k, source in enumerate(node.inputs) if (index, k) not in cut.edges]
        if not inputs:
            raise PlanError(f"{node.op} {index} would read nothing")
        alone = node.op in MERGES and len(inputs) == 1 and len(node.inputs) > 1
        if index in cut.nodes or alone:
            place.append(inputs[0])
        else:
            place.append(graph.add(node.op, *inputs, **dict(node.params)))
    found = graph.plan(place[plan.output])
    if found.shapes[found.output] != plan.shapes[plan.output]:
        raise PlanError("the answers would have another shape")
    return found


def parts_of(plan: Plan, most: int, genes: Parts | None = None) -> Parts:
    """At most `most` parts, in the order of the network.

    Where there are more, the parts of `genes` (`explain/gene_parts.py`) stand for them, which a network of repeated
    cells has often; without these, those with equal names and equal surroundings are left out together. Of what is
    still too much the parts with the most parameters are kept. Parts without which the network would be the same
    as without an earlier one, or as the whole one, are not listed twice.
    """
    found, kept = _each(plan)
    if len(found) > most:
        found = _alike(plan, found) if genes is None else list(genes.parts)
        kept = kept if genes is None else list(genes.kept)
    if len(found) > most:
        ranked = sorted(range(len(found)), key=lambda k: (found[k].plan.parameters - plan.parameters, k))
        rest = len(found) - most
        found = [found[k] for k in sorted(ranked[:most])]
        kept.append(f"{rest} smaller part{'' if rest == 1 else 's'} (--parts {most + rest} takes all)")
    return Parts(tuple(found), tuple(kept))


def _each(plan: Plan) -> tuple[list[Part], list[str]]:
    known, found, kept, tight = {canonical_hash(plan)}, [], [], []
    for name, cut in _cuts(plan):
        try:
            smaller = without(plan, cut)
        except PlanError:
            tight.append(name)
            continue
        key = canonical_hash(smaller)
        if max(_growth(plan, smaller)) > LARGER:
            kept.append(f"{name}: without it the network would be {max(_growth(plan, smaller)):.1f} times as large")
        elif key not in known:
            known.add(key)
            found.append(Part(name, smaller, cut))
    return found, [*kept, *([f"{'; '.join(tight)}: what follows would not fit"] if tight else [])]


def _growth(plan: Plan, other: Plan) -> tuple[float, float]:
    return other.parameters / max(1, plan.parameters), other.multiply_adds / max(1, plan.multiply_adds)


def _cuts(plan: Plan) -> list[tuple[str, Cut]]:
    """What may be cut, each with its name."""
    found: list[tuple[int, str, Cut]] = []
    for box in grouped(plan):
        nodes = frozenset(box)
        entering = {source for index in box for source in plan.nodes[index].inputs if source not in nodes}
        single = all(len(plan.nodes[index].inputs) == 1 for index in box)
        if 0 not in nodes and plan.output not in nodes and single and len(entering) == 1:
            found.append((box[-1], _name(plan, box), Cut(nodes=nodes)))
    for index, node in enumerate(plan.nodes):
        if node.op in MERGES and len(node.inputs) > 1:
            for k, source in enumerate(node.inputs):
                what = "the input" if source == 0 else f"{_short(plan.nodes[source])} ({source})"
                found.append((index, f"{what} as an input of {node.op} ({index})", Cut(edges=frozenset([(index, k)]))))
    return [(name, cut) for _, name, cut in sorted(found, key=lambda one: one[0])]


def _name(plan: Plan, box: Sequence[int]) -> str:
    """The layer of the box and its place: `conv 3x3, 16 (4)`."""
    layer = next((i for i in box if OPS[plan.nodes[i].op].multiply_adds is not None), box[0])
    return f"{label(plan.nodes[layer])} ({layer})"


def _short(node: Node) -> str:
    return node.op.replace("_", " ")


def _alike(plan: Plan, found: Sequence[Part]) -> list[Part]:
    """Parts with equal names, numbers left out, and equal surroundings, as one; those that cannot go together stay."""
    near = _surroundings(plan)
    groups: dict[tuple[object, ...], list[Part]] = {}
    for part in found:
        places = sorted([*part.cut.nodes, *[index for index, _ in part.cut.edges]])
        edges = tuple([(near[plan.nodes[index].inputs[k]]) for index, k in sorted(part.cut.edges)])
        groups.setdefault((tuple([near[place] for place in places]), edges), []).append(part)
    joined: list[Part] = []
    for group in groups.values():
        cut = Cut(
            frozenset[int]().union(*[part.cut.nodes for part in group]),
            frozenset[Edge]().union(*[part.cut.edges for part in group]),
        )
        try:
            joined.append(Part(group[0].name, without(plan, cut), cut, len(group)))
        except PlanError:
            joined += group
    return joined


def _surroundings(plan: Plan) -> Mapping[int, int]:
    """A number for each node: equal for nodes whose operations, apart from sizes, and those of what they read and what
    reads them, two steps far, are equal."""
    readers: list[list[int]] = [[] for _ in plan.nodes]
    for index, node in enumerate(plan.nodes):
        for source in node.inputs:
            readers[source].append(index)
    colours = [_kind(node) for node in plan.nodes]
    for _ in range(2):
        colours = [
            repr((own, sorted(colours[i] for i in plan.nodes[k].inputs), sorted(colours[i] for i in readers[k])))
            for k, own in enumerate(colours)
        ]
    numbers = {colour: n for n, colour in enumerate(dict.fromkeys(colours))}
    return {index: numbers[colour] for index, colour in enumerate(colours)}


_SIZES = frozenset({"channels", "features", "groups"})


def _kind(node: Node) -> str:
    return repr((node.op, [pair for pair in node.params if pair[0] not in _SIZES]))


def named(part: Part) -> str:
    """The name, with how many parts it stands for."""
    return part.name if part.alike == 1 else f"{part.name} and {part.alike - 1} alike"
