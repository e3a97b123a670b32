"""A child's weights where no morph is known: what corresponds to the parent by name and shape is copied."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import TypeAlias

from torch import Tensor

from evonas_cli.network.plan import Plan
from evonas_cli.nn.inherit.weights import Weights, of_node, prefix

Key: TypeAlias = tuple[str, tuple[tuple[str, tuple[int, ...]], ...]]


def matched(before: Plan, weights: Mapping[str, Tensor], after: Plan, start: Weights) -> tuple[Weights, int]:
    """The child's weights, with those of matching nodes from the parent; and how many tensors these are.

    `start` are the child's initial weights, which all other nodes keep. Nodes match in the order of both plans: the
    sequences of the nodes that have weights are aligned (longest common runs first), where two nodes are equal when
    their operations, and names and shapes of their weights, are. So a node that was inserted shifts no later one.
    """
    old = [node for node in range(1, len(before.nodes)) if of_node(before, weights, node)]
    new = [node for node in range(1, len(after.nodes)) if of_node(after, start, node)]
    keys = [_key(before, weights, node) for node in old], [_key(after, start, node) for node in new]
    found, copied = dict(start), 0
    for run in SequenceMatcher(None, *keys, autojunk=False).get_matching_blocks():
        for step in range(run.size):
            source, target = old[run.a + step], new[run.b + step]
            for name, value in of_node(before, weights, source).items():
                found[prefix(after, target) + name] = value
                copied += 1
    return found, copied


def _key(plan: Plan, weights: Mapping[str, Tensor], node: int) -> Key:
    own = of_node(plan, weights, node)
    return plan.nodes[node].op, tuple((name, tuple(value.shape)) for name, value in own.items())
