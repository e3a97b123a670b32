"""Which layers have their channels in common: what changes with the channels of one layer."""

from __future__ import annotations

from collections.abc import Iterable

from evonas_cli.network.morphs.edit import MorphError, readers
from evonas_cli.network.op import Settings
from evonas_cli.network.plan import Plan

CHANNELWISE = frozenset(
    {"batch_norm", "relu", "gelu", "tanh", "sigmoid", "identity", "activation"}
    | {"max_pool", "avg_pool", "global_avg_pool", "dropout", "shift", "pad", "resize", "upsample", "zero"}
)
"""Operations that compute each channel of their output from that channel of their input."""
WIDTH = {"conv": "channels", "linear": "features"}
"""Layers that mix channels, with the setting that counts those of the output."""


def settings_of(plan: Plan, node: int) -> Settings:
    """The settings of a node by name."""
    return dict(plan.nodes[node].params)


def is_depthwise(plan: Plan, node: int) -> bool:
    """Whether the node is a convolution with one filter for each channel."""
    if plan.nodes[node].op != "conv":
        return False
    settings = settings_of(plan, node)
    return bool(plan.shapes[plan.nodes[node].inputs[0]][0] == settings["groups"] == settings["channels"] > 1)


def is_layer(plan: Plan, node: int) -> bool:
    """Whether the node is a convolution that mixes all channels, or a linear layer."""
    op = plan.nodes[node].op
    return op == "linear" or (op == "conv" and settings_of(plan, node)["groups"] == 1)


def linked(plan: Plan, at: int) -> list[int]:
    """The layers, `at` among them, and depthwise convolutions that must have as many channels as the layer `at`.

    Sums tie their terms together. Raises MorphError where a term is no layer's output, or where `at` is no layer.
    """
    if not is_layer(plan, at):
        raise MorphError(f"node {at} is {plan.nodes[at].op}, no linear layer or convolution without groups")
    read_by = readers(plan)
    found, left = {at}, [at]
    while left:
        node = left.pop()
        near = [reader for reader in read_by[node] if _keeps(plan, reader)]
        if not is_layer(plan, node):
            near += plan.nodes[node].inputs
        for other in near:
            if not (is_layer(plan, other) or _keeps(plan, other)):
                raise MorphError(f"node {other} ({plan.nodes[other].op}) has a fixed number of channels")
            if other not in found:
                found.add(other)
                left.append(other)
    return sorted(node for node in found if plan.nodes[node].op in WIDTH)


def _keeps(plan: Plan, node: int) -> bool:
    """Whether the output has the channels of the input."""
    op = plan.nodes[node].op
    return op in CHANNELWISE or op == "add" or is_depthwise(plan, node)


def non_negative(plan: Plan, node: int) -> bool:
    """Whether a value is never below 0, so that ReLU changes nothing of the value."""
    op, inputs = plan.nodes[node].op, plan.nodes[node].inputs
    if op in ("relu", "sigmoid", "zero"):
        return True
    passed = op in ("add", "concat", "max_pool", "avg_pool", "global_avg_pool", "flatten", "identity", "dropout")
    return passed and all(non_negative(plan, source) for source in inputs)


def mixers(plan: Plan, values: Iterable[int]) -> list[int]:
    """The layers that read these values, or what is computed of them channel by channel."""
    read_by, found, left = readers(plan), set(), list(values)
    seen = set(left)
    while left:
        for reader in read_by[left.pop()]:
            if is_layer(plan, reader):
                found.add(reader)
            elif reader not in seen:
                seen.add(reader)
                left.append(reader)
    return sorted(found)
