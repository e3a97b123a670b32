"""What is made anew at each evaluation behaves as a frozen dataclass does, though Python does not guard its fields."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, fields, replace

from evonas_cli.core.types import Candidate, Proposal, Result, value


@value
class Ours:
    """A value."""

    id: int
    names: tuple[str, ...] = ()
    more: dict[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Theirs:
    """The same, frozen."""

    id: int
    names: tuple[str, ...] = ()
    more: dict[str, int] = field(default_factory=dict, hash=False)


def test_a_value_compares_hashes_and_shows_as_a_frozen_dataclass() -> None:
    ours, theirs = Ours(1, ("a",)), Theirs(1, ("a",))
    assert hash(ours) == hash(theirs)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert ours == Ours(1, ("a",)) != Ours(2, ("a",))
    assert replace(ours, id=2) == Ours(2, ("a",))
    assert [f.name for f in fields(Ours)] == list(Ours.__slots__)  # type: ignore[attr-defined, arg-type]
    assert not hasattr(ours, "__dict__")


def test_values_travel_to_workers() -> None:
    candidate = Candidate(3, 1, 7, Proposal(("a", 2), parents=(1,)))
    assert pickle.loads(pickle.dumps(candidate)) == candidate
    assert pickle.loads(pickle.dumps(Result(3, "ok", {"loss": 0.5}))) == Result(3, "ok", {"loss": 0.5})
