"""The benchmark of the engine measures every variant in every round and takes ratios within rounds."""

from __future__ import annotations

import pytest

from evonas_cli.bench import rounds
from evonas_cli.bench.rounds import interleave, measure
from evonas_cli.bench.workloads import MNIST, Size, Workload, mlp

SIZE = Size(3, 128, 2, 4)


def test_every_second_round_is_in_reverse() -> None:
    seen: list[str] = []
    found = interleave({"a": lambda: seen.append("a"), "b": lambda: seen.append("b")}, 3)
    assert "".join(seen) == "abbaab" and {name: len(each) for name, each in found.items()} == {"a": 3, "b": 3}


def test_workloads_of_the_same_data_share_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = tuple(Workload(name, MNIST, lambda _: [mlp()], SIZE, SIZE) for name in ("first", "second", "third"))
    monkeypatch.setattr(rounds, "WORKLOADS", tiny)
    started: list[object] = []
    start = rounds.Engine.start
    monkeypatch.setattr(rounds.Engine, "start", lambda engine: (started.append(engine), start(engine)))
    rows = list(measure(["first", "third"], 1, "cpu", bf16=False))
    assert [row["name"] for row in rows] == ["first", "third"] and len(started) == 1
    for row in rows:
        assert set(row["absolute"]) == {"(a) loader", "(b) resident", "engine fp32"}
        assert set(row["ratios"]) == {"engine fp32 / (a)", "engine fp32 / (b)"}
        assert set(row["share_of_peak"]) == {"engine fp32"}
