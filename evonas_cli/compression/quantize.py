"""Post-training quantisation to int8: linear layers and convolutions of maps become their int8 forms
(network/int8_ops.py), everything else stays in float32. No data is needed: the inputs of linear layers are rounded as
they come.

torch.ao.quantization is deprecated, and its successor torchao is a package apart; the product of int8 matrices here is
torch's own.
"""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor

from evonas_cli.compression.removal import Weights
from evonas_cli.core.errors import UsageError
from evonas_cli.network.plan import Graph, Plan
from evonas_cli.nn.layers.int8 import quantised as rounded

FORMS = {"linear": "linear_int8", "conv": "conv_int8"}
"""The int8 form of an operation."""


@torch.no_grad()
def quantised(plan: Plan, weights: Weights) -> tuple[Plan, dict[str, Tensor]]:
    """The plan with int8 layers, and its weights; nodes keep their numbers. Raises UsageError as `check_has_form`."""
    check_has_form(plan)
    graph = Graph(plan.shapes[0])
    found: dict[str, Tensor] = {}
    for index, node in enumerate(plan.nodes[1:], start=1):
        op = FORMS.get(node.op, node.op)
        graph.add(op, *node.inputs, **dict(node.params))
        start, after = f"layers.{index}_{node.op}.", f"layers.{index}_{op}."
        found |= {after + name.removeprefix(start): one for name, one in weights.items() if name.startswith(start)}
        if op != node.op:
            found[f"{after}weight"], found[f"{after}scale"] = rounded(found[f"{after}weight"].float().cpu())
    return graph.plan(len(plan.nodes) - 1), found


def check_has_form(plan: Plan) -> None:
    """Raises UsageError for a plan without a layer that has an int8 form."""
    if not any(node.op in FORMS for node in plan.nodes):
        raise UsageError(f"--quantize int8: the network has none of the layers {', '.join(FORMS)}; leave it out")


def is_quantised(plan: Plan) -> bool:
    """Whether a layer of the plan has int8 weights."""
    return any(node.op in FORMS.values() for node in plan.nodes)


def described(plan: Plan) -> str:
    """Which layers are int8, in one line."""
    kinds = Counter(node.op for node in plan.nodes)
    words = {
        "linear_int8": "linear (int8 weights and inputs)",
        "conv_int8": "conv (int8 weights, computed in float32)",
    }
    ours = [f"{kinds[op]} {text}" for op, text in words.items() if kinds[op]]
    others = [op for op in ("conv1d", "embedding", "lstm", "gru", "attention") if kinds[op]]
    rest = f"; float32: {', '.join(f'{kinds[op]} {op}' for op in others)}" if others else ""
    return f"int8: {', '.join(ours)}{rest}"
