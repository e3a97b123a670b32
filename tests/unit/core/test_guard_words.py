"""Whatever a job returns can be recorded, and read back as it was recorded."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from evonas_cli.core.guard import guard
from evonas_cli.core.types import Candidate, Failure, Proposal, Result
from evonas_cli.spaces.bits import Bits
from evonas_cli.store.journal import line, parse
from evonas_cli.store.records import entry, is_entry, result_of

DEEP: Any = 1
for _ in range(10_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "result",
    [
        Result(0, "ok", {"error": 1.0}, labels={"net\udc80": "w\ud800"}),
        Result(0, "ok", {"error": 1.0}, labels={"width": 3}),  # type: ignore[dict-item]
        Result(0, "ok", {"error": 1.0}, payload="\ud800"),
        Result(0, "ok", {"error": 1.0}, payload=DEEP),
        Result(0, "ok", {"error": 1.0}, payload={"n": 10**5000}),
        Result(0, "ok", {"error": 1.0, "m\udc80": 2.0}),
        Result(0, "ok", {"error": 1.0, 5: 2.0}),  # type: ignore[dict-item]
        Result(0, "ok", {"error": np.int64(3)}),  # type: ignore[dict-item]
        Result(0, "ok", {"error": np.float64(0.5)}),
        Result(0, "ok", {"error": True}),
        Result(0, "ok", {"error": 1.0}, seconds=float("nan")),
        Result(0, "ok", {"error": 1.0}, seconds=-1.0),
        Result(0, "failed", error=Failure("error", "bad byte \udc80")),
        Result(0, "failed", error=Failure("error", ValueError("x"))),  # type: ignore[arg-type]
        Result(0, "failed"),
        Result(0, "failed", {"error": float("inf")}, payload={1, 2}),  # type: ignore[arg-type]
    ],
)
def test_it_comes_back_from_the_journal(result: Result) -> None:
    space = Bits()
    recorded = guard(result, ["error"])
    read = parse(line(entry(Candidate(0, 0, 0, Proposal(space.sample(Random(0)))), recorded, space, 0.0)))
    assert read is not None and is_entry(read) and result_of(read) == recorded
    assert guard(recorded, ["error"]) == recorded


def test_words_keep_what_can_be_read_of_them() -> None:
    failed = guard(Result(0, "failed", error=Failure("error", "bad byte \udc80 in a name")), [])
    assert failed.error == Failure("error", "bad byte \\udc80 in a name")
    kept = guard(Result(0, "ok", {"error": 1.0}, labels={"file": "\udcff.bin"}), ["error"])
    assert kept.status == "ok" and kept.labels == {"file": "\\udcff.bin"}


def test_names_that_cannot_be_recorded_fail_the_candidate() -> None:
    bad = guard(Result(0, "ok", {"error": 1.0, "m\udc80": 1.0}), ["error"])
    assert bad.error == Failure("not_finite", "not_finite: m\\udc80")
