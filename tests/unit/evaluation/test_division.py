"""How a pool shares out a machine, and what its workers are told about waiting."""

from __future__ import annotations

import logging
import os
from multiprocessing import get_context
from typing import Any

import pytest

from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.evaluation import division
from evonas_cli.evaluation.division import Division
from evonas_cli.evaluation.parcel import packed
from evonas_cli.evaluation.scratch import Scratch
from evonas_cli.evaluation.transport import Ready
from evonas_cli.evaluation.worker import serve


@pytest.fixture
def four_cores_two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(division, "available_cores", lambda: 4)
    monkeypatch.setattr(division, "visible_gpus", lambda: [0, 1])


@pytest.mark.parametrize(
    ("settings", "slots", "places"),
    [
        ({}, 2, ["cuda:0", "cuda:1"]),
        ({"device": "cpu"}, 4, [None]),
        ({"device": "cpu", "threads": 3}, 1, [None]),
        ({"device": "cpu", "threads": 64}, 1, [None]),
        ({"device": "cuda:1"}, 4, [None]),
        ({"devices": [1]}, 1, ["cuda:1"]),
        ({"devices": [1], "workers": 3}, 3, ["cuda:1"]),
    ],
)
@pytest.mark.usefixtures("four_cores_two_gpus")
def test_workers_and_their_devices(settings: dict[str, Any], slots: int, places: list[str | None]) -> None:
    assert (Division(**settings).slots, Division(**settings).places) == (slots, places)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"threads": 0}, "evaluator.threads is 0; it must be 1 or more"),
        ({"workers": 1025}, "at most 1024 processes"),
        ({"devices": []}, r"evaluator.devices=\[\] names no device"),
        ({"devices": [-1]}, "device numbers begin at 0"),
        ({"devices": [0], "device": "cpu"}, "contradict each other"),
    ],
)
def test_what_fits_no_machine_is_refused(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        Division(**settings)


@pytest.mark.usefixtures("four_cores_two_gpus")
def test_devices_that_are_not_there() -> None:
    Division(devices=[0, 1]).check()
    with pytest.raises(EnvironmentFailure, match=r"evaluator.devices=\[1, 2\]: there is no CUDA device 2 \(torch sees"):
        Division(devices=[1, 2]).check()


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({"device": "cpu"}, False),
        ({"device": "cpu", "workers": 2, "threads": 2}, False),
        ({"device": "cpu", "workers": 2, "threads": 3}, True),
        ({"device": "cpu", "threads": 5}, True),
        ({"workers": 8}, False),
    ],
)
@pytest.mark.usefixtures("four_cores_two_gpus")
def test_more_threads_than_cores(settings: dict[str, Any], warned: bool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Division(**settings).check()
    assert ("are more than the 4 cores" in caplog.text) == warned


class Listening:
    """A job that says how threads are to wait."""

    needs: tuple[type, ...] = ()
    metrics: dict[str, Any] = {}

    def open(self, place: Place) -> Listening:
        return self

    def environment(self) -> dict[str, Any]:
        return {"waiting": os.environ["OMP_WAIT_POLICY"]}

    def evaluate(self, unit: Any, context: Any) -> Any:
        return []


@pytest.mark.parametrize(("before", "after"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_of_a_worker_sleep_while_they_wait(
    before: str | None, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if before is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", before)
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    scratch = Scratch()
    arguments = (theirs, packed(Listening()), None, None, scratch)
    worker = context.Process(target=serve, args=arguments, daemon=True)
    worker.start()
    scratch.close()
    theirs.close()
    assert ours.recv() == Ready({"waiting": after})
    ours.close()
    worker.join(10)
    assert worker.exitcode == 0
