"""Tables of candidates, and the ancestors of one of them."""

from __future__ import annotations

import math
from typing import Any

from evonas_cli.core.types import Objective
from evonas_cli.report.frames import candidates_frame, curves_frame, lineage

ERROR = Objective("error", "min")


def entry(id: int, parents: tuple[int, ...] = (), error: float | None = 0.5, **more: Any) -> dict[str, Any]:
    found = {"id": id, "step": id, "status": "ok", "operator": f"op{id}", "parents": list(parents), "seconds": 1.5}
    metrics = {} if error is None else {"error": error, "b": 1, "a": 2.0}
    return {**found, "metrics": metrics, "genome": [id, "ö"], **more}


def test_a_row_for_each_candidate() -> None:
    failed = entry(1, (0,), None, status="failed", fidelity=0.5) | {"error": {"kind": "oom", "text": "too large"}}
    frame = candidates_frame([entry(0), failed], [ERROR])
    assert list(frame.columns) == [
        *("id", "step", "status", "operator", "parents", "fidelity"),
        *("error", "a", "b", "seconds", "failure", "genome"),
    ]
    row = frame.drop(columns="failure").iloc[0].tolist()
    assert row == [0, 0, "ok", "op0", (), 1.0, 0.5, 2.0, 1.0, 1.5, '[0, "ö"]']
    assert (
        list(frame.failure.isna()) == [True, False]
        and frame.failure[1] == "oom"
        and frame.parents[1] == (0,)
        and math.isnan(frame.error[1])
    )
    assert frame.fidelity[1] == 0.5
    assert list(candidates_frame([], [ERROR]).columns) == [*frame.columns[:7], *frame.columns[9:]]


def test_a_metric_with_the_name_of_a_column_has_another_one() -> None:
    frame = candidates_frame([{**entry(0), "metrics": {"error": 0.5, "seconds": 3.0}}], [ERROR])
    assert (frame.metric_seconds[0], frame.seconds[0]) == (3.0, 1.5)


def test_curves_with_holes() -> None:
    frame = curves_frame({"curves": {"epoch": [1, 2], "loss": [None, 0.5]}})
    assert math.isnan(frame.loss[0]) and frame.loss[1] == 0.5 and list(frame.epoch) == [1, 2]
    assert curves_frame({}).empty


def test_the_line_follows_the_better_parent() -> None:
    entries = [entry(0, error=0.9), entry(1, error=0.3), entry(2, (0,), 0.2), entry(3, (0, 1, 2), 0.1)]
    entries += [entry(4, (3, 2), error=None, status="failed", error_kind="oom"), entry(5, (4, 0)), entry(6, (1, 1, 7))]
    by_id = {one["id"]: one for one in entries}
    assert lineage(by_id.__getitem__, 3, ERROR) == [(0, "op0"), (2, "op2"), (3, "op3")]
    assert [id for id, _ in lineage(by_id.__getitem__, 5, ERROR)] == [0, 5]
    assert [id for id, _ in lineage(by_id.__getitem__, 6, ERROR)] == [1, 6]
    assert [id for id, _ in lineage(by_id.__getitem__, 3, Objective("error", "max"))] == [0, 3]
    assert [id for id, _ in lineage(by_id.__getitem__, 4, ERROR)] == [0, 2, 3, 4]
