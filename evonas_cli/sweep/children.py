"""The children of a sweep: their names, and the check of all of them before any starts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import UsageError
from evonas_cli.run.assembly import assemble
from evonas_cli.run.fit import check_data
from evonas_cli.run.graphs import check_ahead
from evonas_cli.sweep.expansion import Axis, axes, product

_LONGEST = 80


@dataclass(frozen=True)
class Child:
    """One search of a sweep. `refused` says why its configuration cannot run; such a child is skipped."""

    name: str
    overrides: tuple[str, ...]
    refused: str | None = None


def children(overrides: Sequence[str], folders: Sequence[Path] = ()) -> list[Child]:
    """The named children of a sweep. Raises UsageError for words that cannot be read or enumerated."""
    found = axes(overrides, folders)
    combinations = product(found)
    digits = max(3, len(str(len(combinations) - 1)))
    return [Child(_name(n, digits, found, combination), combination) for n, combination in enumerate(combinations)]


def _name(n: int, digits: int, found: Sequence[Axis], combination: Sequence[str]) -> str:
    """`007-strategy-random_seed-1`: the number makes it unique, the swept settings make it readable."""
    swept = [text.partition("=") for axis, text in zip(found, combination, strict=True) if len(axis) > 1]
    words = [[key.rpartition(".")[2], *re.findall(r"[A-Za-z0-9._-]+", value)] for key, _, value in swept]
    readable = "_".join("-".join(word) for word in words)
    return f"{n:0{digits}d}-{readable}"[:_LONGEST].rstrip("-_.")


def check(
    found: Sequence[Child],
    folders: Sequence[Path],
    allowed: Sequence[str],
    keep_going: bool,
    tell: Callable[[int, Child], None],
) -> list[Child]:
    """Composes and assembles every child, and looks whether its data is there.

    `tell` is called with the number checked so far and each child. With `keep_going` a child that cannot run comes back
    with `refused` set. Raises UsageError for the first such child otherwise, and when no child can run.
    """
    checked: list[Child] = []
    first: UsageError | None = None
    for child in found:
        try:
            parts = assemble(compose(child.overrides, folders).config, allowed, folders)
            check_data(parts.job, parts.goals.asked)
            check_ahead(parts.space, parts.job, parts.config["seed"], allowed)
        except UsageError as error:
            said = UsageError(f"child {child.name} ({' '.join(child.overrides) or 'no overrides'}): {error}")
            if not keep_going:
                raise said from error
            first = first or said
            child = replace(child, refused=str(error))
        checked.append(child)
        tell(len(checked), child)
    if first is not None and all(child.refused is not None for child in checked):
        raise UsageError(f"no child can run; {first}" if len(checked) > 1 else str(first)) from first
    return checked
