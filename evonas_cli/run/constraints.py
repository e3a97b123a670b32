"""The root key `constraints`: bounds on metrics that candidates must keep to."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from evonas_cli.config.settings import nearest
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import SIGNS, Constraint, Metric

_FORM = re.compile(r"\s*(<=|>=)\s*(\S+)\s*")


def constraints(
    stated: Mapping[str, Any],
    metrics: Mapping[str, Metric],
    static: Sequence[str],
    deterministic: bool,
    offered: Sequence[str] = (),
) -> tuple[Constraint, ...]:
    """The constraints in the order in which they are stated.

    `metrics` are those of results, `static` the names of what the job knows before training, `offered` what a job could
    measure if it were asked.

    A value is a bound such as "<= 500000", or a list with one bound of each direction. Raises UsageError for another
    form, for a metric that the job neither measures nor knows before training, for one of the test part, for one that
    is measured in a deterministic run, and for bounds that no number satisfies.
    """
    found = []
    for name, bounds in stated.items():
        if name not in metrics and name not in static:
            known = sorted({*metrics, *static, *offered})
            raise UsageError(
                f"constraints: the job measures no {name}{nearest(str(name), known)} (known: {', '.join(known)})"
            )
        if name in metrics and metrics[name].test:
            raise UsageError(
                f"constraints: {name} is measured on the test part, which no search may see; name one of the "
                "validation part"
            )
        if name in metrics and metrics[name].measured and deterministic:
            raise UsageError(
                f"constraints: {name} is measured, so the run could not resume exactly; set deterministic=false to "
                "accept that"
            )
        own = [_constraint(name, bound) for bound in (bounds if isinstance(bounds, list | tuple) else [bounds])]
        limits = {constraint.bound: constraint.limit for constraint in own}
        if len(limits) < len(own) or not own:
            raise UsageError(f"constraints.{name} is {bounds!r}; state one bound, or a list of one <= and one >=")
        if limits.get("at least", -math.inf) > limits.get("at most", math.inf):
            raise UsageError(f"constraints.{name}: no number is {' and '.join(map(str, bounds))}; change one of them")
        found += own
    return tuple(found)


def _constraint(name: str, bound: Any) -> Constraint:
    form = _FORM.fullmatch(bound) if isinstance(bound, str) else None
    try:
        limit = float(form[2]) if form else math.nan
    except ValueError:
        limit = math.nan
    if form is None or not math.isfinite(limit):
        raise UsageError(f'constraints.{name} is {bound!r}; write a bound, such as "<= 500000" or ">= 0.5"')
    direction = next(direction for direction, sign in SIGNS.items() if sign == form[1])
    return Constraint(name, limit, direction)
