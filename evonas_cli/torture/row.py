"""A row of the table of torture: what is injected, what must be observed, and how both are carried out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from evonas_cli.torture.ground import Ground

Verdict: TypeAlias = Literal["ok", "DIFFERS", "skipped"]


class Differs(Exception):
    """Something else than expected was observed, which the text says."""


class Unable(Exception):
    """The row cannot be carried out on this machine or with this configuration; the text says why."""


@dataclass(frozen=True)
class Row:
    """What is injected into a search, and what must follow.

    `act` carries it out and returns what was observed in words. It raises Differs or Unable. `searches` is about how
    many searches it takes in forked processes, `cold` in processes of their own; `kills`: as many for each kill.
    """

    name: str
    injected: str
    expected: str
    act: Callable[[Ground], str]
    searches: float = 0.0
    cold: float = 0.0
    kills: bool = False


@dataclass(frozen=True)
class Outcome:
    """A row that was carried out: what was observed, or why the row was skipped, and the seconds that it took."""

    row: Row
    verdict: Verdict
    observed: str
    seconds: float


def same(found: object, expected: object, what: str) -> None:
    """Raises Differs unless both are equal: `same(digest, whole, "digest")`."""
    if found != expected:
        raise Differs(f"{what} {found}, expected {expected}")


def holds(condition: object, otherwise: str) -> None:
    """Raises Differs with the words where the condition does not hold."""
    if not condition:
        raise Differs(otherwise)
