"""The clock around phases, and the profile of a small population."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch
from benchmarks import profile
from benchmarks.phases import PHASES, Clock, Point

from evonas_cli.bench.workloads import MNIST, Size, Workload, mlp


def batches(count: int) -> Iterator[int]:
    for number in range(count):
        time.sleep(0.01)
        yield number


def test_calls_count_once_for_the_outer_and_batches_while_they_are_fetched() -> None:
    own = SimpleNamespace(batches=batches, inner=lambda: time.sleep(0.02), other=lambda: own.inner())
    own.outer = lambda: own.inner()
    before = dict(vars(own))
    points = [
        Point(own, "inner", "forward"),
        Point(own, "outer", "backward"),
        Point(own, "batches", "data", feeds=True),
    ]
    clock = Clock()
    with clock.watching([*points, Point(own, "other", None)]):
        for number in own.batches(3):
            assert number in range(3)
            own.outer()
        own.other()
        assert clock.seconds["forward"] == 0
        own.inner()
    assert vars(own) == before
    assert clock.seconds["data"] >= 0.03 and clock.seconds["backward"] >= 0.06 and clock.seconds["forward"] >= 0.02
    assert clock.seconds["optimiser"] == 0


def test_what_raises_is_put_back() -> None:
    def broken() -> None:
        raise ValueError

    own = SimpleNamespace(broken=broken)
    clock = Clock()
    with pytest.raises(ValueError), clock.watching([Point(own, "broken", "data")]):
        own.broken()
    assert own.broken is broken


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A workload of seconds; its loops change the number of threads."""
    threads = torch.get_num_threads()
    size = Size(4, 128, 1, 4)
    monkeypatch.setattr(profile, "WORKLOADS", (Workload("tiny", MNIST, lambda _: [mlp()], size, size),))
    yield "tiny"
    torch.set_num_threads(threads)


@pytest.mark.parametrize("way", profile.WAYS)
def test_every_phase_of_every_loop_is_found(tiny: str, way: str) -> None:
    row = profile._engine(tiny, False, 1) if way == "engine" else profile._practice(tiny, way, False, 1)
    shares = row["shares"]
    assert set(shares) == {*PHASES, "rest"} and sum(shares.values()) == pytest.approx(1)
    assert all(share > 0 for share in shares.values()), shares
    if way == "engine":
        assert row["width"] == 2
        times = [each["microseconds"] for each in row["limits"]]
        assert len(times) > 3 and times == sorted(times, reverse=True)
        assert len(row["operators"]) == profile.TOP
