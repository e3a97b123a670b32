"""Editing a plan: settings changed, nodes inserted or left out, and which node of the old plan each new node is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evonas_cli.network.plan import Graph, Param, Plan, PlanError

INSERTED = -1
"""The first of the inserted nodes, where an `Insert` reads one of them; the second is -2, and so on."""


class MorphError(ValueError):
    """The plan cannot be changed so: one line that names the morph, the node and the reason."""


@dataclass(frozen=True, slots=True)
class Insert:
    """An operation to insert: `inputs` are nodes of the old plan, or inserted ones (`INSERTED`)."""

    op: str
    inputs: tuple[int, ...]
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """The plan after an edit; `old` has for each of its nodes that of the old plan (None: inserted)."""

    plan: Plan
    old: tuple[int | None, ...]

    def new(self, node: int) -> int:
        """The index that a node of the old plan has now. Raises ValueError for a node that was left out."""
        return self.old.index(node)

    @property
    def inserted(self) -> list[int]:
        """The inserted nodes, in order."""
        return [index for index, old in enumerate(self.old) if old is None]


def edited(
    plan: Plan,
    settings: Mapping[int, Mapping[str, Param]] | None = None,
    after: int | None = None,
    inserts: Sequence[Insert] = (),
    left_out: Sequence[int] = (),
) -> Change:
    """The plan with other `settings` of nodes, with `inserts` after a node, and without the nodes `left_out`.

    What read the node `after` reads the last insert. Who read a node that is left out reads the first input of that
    node. Raises MorphError where the operations do not fit each other any more, or the output changes its shape.
    """
    graph, old = Graph(plan.shapes[0]), [0]
    place: list[int] = [0]
    for index, node in enumerate(plan.nodes[1:], start=1):
        if index in left_out:
            place.append(place[node.inputs[0]])
            continue
        params = {**dict(node.params), **(settings or {}).get(index, {})}
        place.append(_added(graph, node.op, [place[source] for source in node.inputs], params))
        old.append(index)
        if index == after:
            made: list[int] = []
            for insert in inserts:
                inputs = [place[source] if source >= 0 else made[INSERTED - source] for source in insert.inputs]
                made.append(_added(graph, insert.op, inputs, insert.params))
            place[index] = made[-1]
            old += [-1] * len(made)
    found = graph.plan(place[plan.output])
    if len(found.nodes) != len(old) or found.shapes[found.output] != plan.shapes[plan.output]:
        raise MorphError("the network's output would change: no later layer makes up for the change")
    return Change(found, tuple([None if index < 0 else index for index in old]))


def readers(plan: Plan) -> list[list[int]]:
    """For each node, the nodes that read it."""
    found: list[list[int]] = [[] for _ in plan.nodes]
    for index, node in enumerate(plan.nodes):
        for source in dict.fromkeys(node.inputs):
            found[source].append(index)
    return found


def _added(graph: Graph, op: str, inputs: Sequence[int], params: Mapping[str, Param]) -> int:
    try:
        return graph.add(op, *inputs, **params)
    except PlanError as error:
        raise MorphError(str(error)) from None
