"""Candidates that violate a constraint on what is known before training are not evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.core.gate import Gate
from evonas_cli.core.types import Candidate, Constraint, Json, Proposal

LIMITS = (Constraint("size", 10.0), Constraint("size", 2.0, "at least"), Constraint("error", 0.5))


class Sized:
    """Knows the size of a number: the number itself; 0 has none, -1 and -2 raise."""

    static_names = ("size",)

    def static_metrics(self, genome: int, environment: Mapping[str, Json]) -> Mapping[str, float] | None:
        assert environment == {"task": 3}
        if genome == -1:
            raise ZeroDivisionError
        if genome == -2:
            raise UsageError("a wrong setting")
        return {"size": float(genome)} if genome else None


def asked(*numbers: int, **more: Any) -> list[Candidate[int]]:
    return [Candidate(id, 0, 0, Proposal(number, **more)) for id, number in enumerate(numbers)]


def test_a_candidate_that_misses_a_limit_or_cannot_be_measured_fails_with_the_reason() -> None:
    gate = Gate(Sized(), LIMITS, {"task": 3})
    assert [c.proposal.genome for c in gate.admit(asked(10, 11, 2, 1, 0, -1))] == [10, 2, 0]
    large, small, broken = gate.refused()
    assert (large.id, large.status, large.metrics) == (1, "failed", {"size": 11.0})
    assert large.error is not None and large.error.kind == "refused"
    assert large.error.text == "refused before training: size is 11, constraints has size <= 10"
    assert small.error is not None and small.error.text.endswith("size is 1, constraints has size >= 2")
    assert broken.error is not None and broken.error.kind == "error" and broken.id == 5
    assert broken.error.text.startswith("no metrics before training, which constraints need: ")
    assert broken.error.text.endswith("in Sized.static_metrics: ZeroDivisionError")
    assert gate.refused() == []


def test_further_jobs_pass_and_wrong_settings_are_raised() -> None:
    gate = Gate(Sized(), LIMITS, {"task": 3})
    assert len(gate.admit(asked(11, job="size"))) == 1
    with pytest.raises(UsageError, match="a wrong setting"):
        gate.admit(asked(-2))


def test_without_constraints_on_what_is_known_no_genome_is_measured() -> None:
    candidates = asked(-2, 11)
    assert Gate(Sized(), LIMITS[2:], {}).admit(candidates) == candidates
    assert Gate(None, LIMITS).admit(candidates) == candidates
