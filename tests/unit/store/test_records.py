"""Journal entries that are about another candidate: the message shows where they begin to differ."""

from __future__ import annotations

import json

import pytest

from evonas_cli.core.errors import RunError
from evonas_cli.core.types import Candidate, Proposal, Result
from evonas_cli.spaces.bits import Bits
from evonas_cli.store.records import check_same, entry, is_entry, result_of


def candidate(*genome: int) -> Candidate[tuple[int, ...]]:
    return Candidate(5, 1, 0, Proposal(genome))


def refusal(ours: tuple[int, ...], theirs: tuple[int, ...]) -> str:
    space = Bits(len(ours))
    recorded = entry(candidate(*theirs), Result(5, "ok", {"valid_error": 0.5}), space, 0.0)
    with pytest.raises(RunError) as refused:
        check_same(candidate(*ours), recorded, space)
    return str(refused.value)


def test_short_genomes_are_shown_whole() -> None:
    line = refusal((0, 1, 0), (0, 1, 1))
    assert "candidate 5: the journal has genome=[0, 1, 1], this evonas proposes [0, 1, 0]; resume with" in line


def test_long_genomes_are_shown_where_they_differ() -> None:
    ours, theirs = [0] * 1000, [0] * 1000
    theirs[700] = 1
    line = refusal(tuple(ours), tuple(theirs))
    assert len(line) < 400 and line.count("...") == 4
    shown = line.partition("genome=...")[2].partition("..., this")[0]
    assert shown.count("1") == 1 and set(shown) <= set("01, ")


def test_a_difference_at_the_beginning_is_not_cut_there() -> None:
    line = refusal((1, *[0] * 500), (0, *[0] * 500))
    assert "genome=[0, 0" in line and "proposes [1, 0" in line and line.count("...") == 2


def test_a_descriptor_comes_back_to_the_last_bit() -> None:
    result = Result(5, "ok", {"valid_error": 0.5}, descriptor=(0.1 + 0.2, -0.0, 1e-300, 7.0))
    recorded = json.loads(json.dumps(entry(candidate(0, 1), result, Bits(2), 0.0)))
    assert is_entry(recorded) and repr(result_of(recorded).descriptor) == repr(result.descriptor)
    assert "descriptor" not in entry(candidate(0, 1), Result(5, "ok", {"valid_error": 0.5}), Bits(2), 0.0)
    for wrong in ("0.5", [None], {"x": 1.0}):
        assert not is_entry({**recorded, "descriptor": wrong})
