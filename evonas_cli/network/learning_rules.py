"""Rules of learning as formulas (Neural Optimizer Search: Bello et al., ICML 2017).

A rule is the direction u of the update w <- w (1 - rate decay) - rate u, a formula of

    g   the gradient                 m   its moving average, with the trainer's momentum as its decay
    v   the moving average of its squares, with a decay of 0.999

Both averages are corrected for their start at 0 (Adam: Kingma and Ba, ICLR 2015). `g` is stochastic gradient descent,
`m` momentum, `div(m, sqrt(v))` Adam, `sign(g)` sign descent, and the paper's PowerSign is
`mul(exp(mul(sign(g), sign(m))), g)`. The paper's operands and functions are more.
"""

from __future__ import annotations

from typing import Any

from evonas_cli.network.formulas import formula, number
from evonas_cli.network.trees import Tree

NONE = "none"
FUNCTIONS = ("neg", "sign", "abs", "square", "sqrt", "exp", "tanh", "add", "sub", "mul", "div", "max", "min")
LEAVES = ("g", "m", "v", "1", "2")
SGD, MOMENTUM, ADAM, POWER_SIGN = "g", "m", "div(m, sqrt(v))", "mul(exp(mul(sign(g), sign(m))), g)"
PROBES = ((0.5, 0.5, 0.25), (-0.5, -0.5, 0.25), (1e-4, 1e-3, 1e-6), (0.0, 0.0, 0.0))
"""Values of g, m and v at which a rule must have a finite value; it must differ between the first two."""
LARGEST = 1e6


def rule_of(text: Any) -> Tree | None:
    """The formula of a text; None for `none`. Raises ValueError, in one line, for what is no rule."""
    if text == NONE:
        return None
    tree = formula(text, FUNCTIONS, LEAVES, ADAM)
    if (reason := rule_fault(tree)) is not None:
        raise ValueError(reason)
    return tree


def rule_fault(tree: Tree) -> str | None:
    """Why a formula is no rule: it has no finite value, or does not follow the gradient; None: it is one."""
    try:
        found = [number(tree, dict(zip("gmv", probe, strict=True))) for probe in PROBES]
    except OverflowError:
        return f"{tree} has no finite value"
    if not all(abs(value) <= LARGEST for value in found):
        return f"{tree} has a value above {LARGEST:g}, or none"
    return None if found[0] > found[1] else f"{tree} does not follow the gradient: its sign changes no sign"
