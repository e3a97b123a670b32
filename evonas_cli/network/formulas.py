"""Formulas: expression trees over elementary functions, as activations, losses and rules of learning are searched.

Functions are protected, so that they and their slopes are finite where their arguments are: `log` and `sqrt` take
|x| + epsilon, `div` keeps its denominator away from 0, `exp` cuts its argument off at 10. Leaves are the names that a
use of formulas has, and the numbers 1 and 2. `nn/formulas.py` computes formulas on tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evonas_cli.network.trees import Tree, parsed

EPSILON = 1e-7
"""Added to the argument of `log`, and the least denominator of `div`."""
ROOT_EPSILON = 1e-12
"""Added to the argument of `sqrt`."""
EXP_LIMIT = 10.0
"""The largest argument of `exp`."""
CONSTANTS: Mapping[str, float] = {"1": 1.0, "2": 2.0}
"""Leaves that are numbers."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of numbers: `of` computes it, `source` is its PyTorch form with `{0}` and `{1}` for the arguments.

    A source is None where it needs an argument twice, since texts of nested formulas would grow exponentially.
    """

    of: Callable[..., float]
    source: str | None = None
    arity: int = 1
    commutative: bool = False


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _div(x: float, y: float) -> float:
    return x / (y - EPSILON if y < 0 else y + EPSILON)


FUNCTIONS: Mapping[str, Function] = {
    "neg": Function(lambda x: -x, "(-{0})"),
    "abs": Function(abs, "torch.abs({0})"),
    "sign": Function(lambda x: float((x > 0) - (x < 0)), "torch.sign({0})"),
    "square": Function(lambda x: x * x, "torch.square({0})"),
    "sqrt": Function(lambda x: math.sqrt(abs(x) + ROOT_EPSILON), f"torch.sqrt(torch.abs({{0}}) + {ROOT_EPSILON})"),
    "exp": Function(lambda x: math.exp(min(x, EXP_LIMIT)), f"torch.exp(torch.clamp({{0}}, max={EXP_LIMIT}))"),
    "log": Function(lambda x: math.log(abs(x) + EPSILON), f"torch.log(torch.abs({{0}}) + {EPSILON})"),
    "sin": Function(math.sin, "torch.sin({0})"),
    "tanh": Function(math.tanh, "torch.tanh({0})"),
    "sigmoid": Function(_sigmoid, "torch.sigmoid({0})"),
    "relu": Function(lambda x: max(x, 0.0), "F.relu({0})"),
    "add": Function(lambda x, y: x + y, "({0} + {1})", 2, True),
    "sub": Function(lambda x, y: x - y, "({0} - {1})", 2),
    "mul": Function(lambda x, y: x * y, "({0} * {1})", 2, True),
    "div": Function(_div, None, 2),
    "max": Function(max, "torch.maximum({0}, {1})", 2, True),
    "min": Function(min, "torch.minimum({0}, {1})", 2, True),
}
"""All functions by name."""


def fault(tree: Tree, functions: Sequence[str], leaves: Sequence[str]) -> str | None:
    """Why a tree is no formula of these functions and leaves, of which at least one is a name; None: it is one."""
    named = False
    for _, node in tree.places():
        if not node.children:
            if node.label not in leaves:
                return f"{node.label} is no leaf; leaves are {', '.join(leaves)}"
            named = named or node.label not in CONSTANTS
        elif node.label not in functions:
            return f"{node.label} is no function here; there are {', '.join(functions)}"
        elif len(node.children) != FUNCTIONS[node.label].arity:
            return f"{node.label} takes {FUNCTIONS[node.label].arity}, not {len(node.children)}, arguments"
    if not named:
        return f"{tree} is a number; it must read {' or '.join(leaf for leaf in leaves if leaf not in CONSTANTS)}"
    return None


def formula(text: Any, functions: Sequence[str], leaves: Sequence[str], example: str) -> Tree:
    """The formula of a text. Raises ValueError, in one line, for anything else."""
    if not isinstance(text, str):
        raise ValueError(f"a formula is a text such as {example}; this is {text!r}")
    tree = parsed(text)
    if (reason := fault(tree, functions, leaves)) is not None:
        raise ValueError(reason)
    return tree


def number(tree: Tree, values: Mapping[str, float]) -> float:
    """The value of a formula for values of its leaves. Raises OverflowError where a number is too large."""
    if not tree.children:
        return CONSTANTS[tree.label] if tree.label in CONSTANTS else values[tree.label]
    return FUNCTIONS[tree.label].of(*[number(child, values) for child in tree.children])


def source(tree: Tree, leaves: Mapping[str, str]) -> str:
    """The formula as a PyTorch expression, in which leaves stand for texts.

    Raises ValueError for a function without a source.
    """
    if not tree.children:
        return leaves.get(tree.label, tree.label)
    form = FUNCTIONS[tree.label].source
    if form is None:
        raise ValueError(f"{tree.label} has no plain form")
    return form.format(*[source(child, leaves) for child in tree.children])


def canonical(tree: Tree) -> Tree:
    """The formula with the arguments of commutative functions in the order of their texts."""
    children = [canonical(child) for child in tree.children]
    if children and FUNCTIONS[tree.label].commutative:
        children.sort(key=str)
    return Tree(tree.label, tuple(children))
