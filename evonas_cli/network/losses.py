"""Losses of a training as text: `standard`, `taylor` with eight numbers, or a formula of the target y and prediction p.

A loss is summed over the classes of an example, and averaged over several labels or numbers, as the standard losses
are. y is 1 for the true class and 0 for the others (with mixup and label smoothing in between), p the probability that
the network gives; for regression both are standardised numbers.

Taylor polynomials of third order (TaylorGLO; Gonzalez and Miikkulainen, GECCO 2021): without the terms that have no
gradient, with d = p - theta1 and e = y - theta0,

    loss = -(theta2 d + theta3 d^2 / 2 + theta4 d^3 / 6 + theta5 e d + theta6 e d^2 / 2 + theta7 e^2 d / 2).

The paper divides by the number of classes, which is a factor of the coefficients. Formulas are those of genetic
loss-function optimisation (GLO; Gonzalez and Miikkulainen, CEC 2020), whose functions are log, square, sqrt and the
four operations: `neg(mul(y, log(p)))` is the cross-entropy.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, TypeAlias

from evonas_cli.network.formulas import formula
from evonas_cli.network.plan import PlanError
from evonas_cli.network.task import Task
from evonas_cli.network.trees import Tree

STANDARD = "standard"
TAYLOR = "taylor"
COEFFICIENTS = 8
FUNCTIONS = ("neg", "log", "square", "sqrt", "add", "sub", "mul", "div")
LEAVES = ("y", "p", "1")
CROSS_ENTROPY = "neg(mul(y, log(p)))"

Loss: TypeAlias = tuple[float, ...] | Tree | None
"""Coefficients theta0 to theta7, a formula, or None: the standard loss of the data's kind."""


def taylor(coefficients: Sequence[float]) -> str:
    """The text of a polynomial; every number survives as it is."""
    return " ".join([TAYLOR, *map(repr, map(float, coefficients))])


def loss_of(text: Any) -> Loss:
    """What a text stands for. Raises ValueError, in one line, for a text that is no loss."""
    if text == STANDARD:
        return None
    if not isinstance(text, str) or text.split()[:1] != [TAYLOR]:
        return formula(text, FUNCTIONS, LEAVES, CROSS_ENTROPY)
    words = text.split()[1:]
    try:
        numbers = tuple(map(float, words))
    except ValueError:
        numbers = ()
    if len(numbers) != COEFFICIENTS or not all(map(isfinite, numbers)):
        raise ValueError(f"{TAYLOR} needs {COEFFICIENTS} finite numbers, theta0 to theta7; it has {' '.join(words)!r}")
    return numbers


def unfit(task: Task) -> str | None:
    """Why polynomials and formulas are no losses of networks for the task, as a clause; None: they may be."""
    if task.kind == "boxes":
        return "is of classes, labels or numbers, and the data has boxes"
    return "is over all classes, while each of several tasks has classes of its own" if task.members else None


def check_fit(task: Task, where: str) -> None:
    """Raises PlanError, which begins with `where`, for a task whose networks polynomials and formulas cannot train."""
    if (reason := unfit(task)) is not None:
        raise PlanError(f"{where}: a loss that is a polynomial or formula {reason}")


def kind_of(text: str) -> str:
    """standard, taylor or formula."""
    found = loss_of(text)
    return STANDARD if found is None else "formula" if isinstance(found, Tree) else TAYLOR
