"""The operation `activation`: a formula of the one leaf x, number by number: formula="mul(x, sigmoid(x))".

Searched activations are those of Bingham, Macke and Miikkulainen (GECCO 2020) and of PANGAEA (Bingham and Miikkulainen,
Neural Networks 2022). The papers' functions are more; ours are those that stay finite for a network's numbers. A
formula must have a finite value at each of PROBES, in the range of float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.network.formulas import formula, number, source
from evonas_cli.network.op import Op, Settings, Shape, Text
from evonas_cli.network.source import Source
from evonas_cli.network.trees import Tree

FUNCTIONS = ("neg", "abs", "square", "tanh", "sigmoid", "relu", "sin", "exp", "add", "mul", "max")
LEAVES = ("x",)
RELU, SWISH = "relu(x)", "mul(x, sigmoid(x))"
PROBES = (-10.0, 0.0, 10.0)
LARGEST = 3e38
"""Just below the largest number of float32."""


def activation_of(text: Any) -> Tree:
    """The formula of a text. Raises ValueError, in one line, where it is none, or has no finite value at a probe."""
    tree = formula(text, FUNCTIONS, LEAVES, SWISH)
    if (reason := activation_fault(tree)) is not None:
        raise ValueError(reason)
    return tree


def activation_fault(tree: Tree) -> str | None:
    """Why a formula is no activation; None: it is one."""
    for x in PROBES:
        try:
            found = abs(number(tree, {"x": x}))
        except OverflowError:
            found = 2 * LARGEST
        if not found <= LARGEST:
            return f"{tree} has no finite value at {x:g}"
    return None


def _shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    activation_of(settings["formula"])
    return shapes[0]


def _source(shapes: Sequence[Shape], settings: Settings) -> Source:
    return Source(call=source(activation_of(settings["formula"]), {"x": "{0}"}))


ACTIVATION_OPS: Mapping[str, Op] = {
    "activation": Op(
        shape=_shape,
        build="evonas_cli.nn.layers.formula:activation",
        stack="same",
        settings={"formula": Text()},
        keeps_zero=False,
        source=_source,
    )
}
"""The operation by its name."""
