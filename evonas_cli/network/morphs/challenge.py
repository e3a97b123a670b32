"""The morph `challenge`: the routes of the next champions and challengers (Liang, Meyerson and Miikkulainen, 2018).

`made` says, for each task, how they came about: "1:2 0:0" is a first task whose challenger has won and is the champion
now, and whose new challenger has the new node 2, and a second task whose champion stays and whose challenger has no
new node.
"""

from __future__ import annotations

from evonas_cli.network.morphs.edit import Change, MorphError
from evonas_cli.network.plan import Graph, Param, Plan, PlanError


def made_of(text: str) -> list[tuple[bool, int]]:
    """For each task whether the challenger has won, and the new challenger's new node. Raises MorphError."""
    found = []
    for word in text.split():
        won, _, node = word.partition(":")
        if won not in ("0", "1") or not node.isdecimal():
            raise MorphError(f"made must be pairs such as 1:2, with spaces between them; {word!r} is none")
        found.append((won == "1", int(node)))
    return found


def challenge(plan: Plan, at: int, routes: str, rivals: int, made: str) -> Change:
    """Other routes at the last node of the plan, `task_routes`; with `rivals` of challengers, too."""
    node = plan.nodes[at]
    if node.op != "task_routes" or at != plan.output:
        raise MorphError(f"{node.op} is no last node task_routes")
    if len(made_of(made)) != len(str(dict(node.params)["classes"]).split()):
        raise MorphError("made must say of each task how its routes came about")
    graph = Graph(plan.shapes[0])
    try:
        for index, one in enumerate(plan.nodes[1:], start=1):
            changed: dict[str, Param] = {"routes": routes, "rivals": rivals} if index == at else {}
            graph.add(one.op, *one.inputs, **{**dict(one.params), **changed})
    except PlanError as error:
        raise MorphError(str(error)) from None
    return Change(graph.plan(at), tuple(range(len(plan.nodes))))
