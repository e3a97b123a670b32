"""Reports on their way from a worker: few, together, the newest; no worker waits for a pool that does not listen."""

from __future__ import annotations

import threading
from multiprocessing import Pipe
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from evonas_cli.core.types import Training
from evonas_cli.evaluation.reports import SECONDS, Reporting
from evonas_cli.evaluation.transport import Reported
from evonas_cli.evaluation.worker import tell
from evonas_cli.store.directory import RunDirectory

Times = st.lists(st.tuples(st.floats(0, 0.3), st.integers(0, 2)), max_size=60)


@given(Times)
def test_messages_are_few_and_lose_only_what_is_older(reports: list[tuple[float, int]]) -> None:
    now, sent = 0.0, list[tuple[float, list[Training]]]()
    context = Reporting(RunDirectory(Path()), lambda found: sent.append((now, list(found))), lambda: now)
    newest: dict[int, Training] = {}
    for epoch, (seconds, id) in enumerate(reports):
        now += seconds
        newest[id] = Training((id,), epoch, 100)
        before = len(sent)
        context.report(newest[id])
        if len(sent) > before:
            assert newest[id] in sent[-1][1] and all(newest[one.ids[0]] == one for one in sent[-1][1])
            assert len({one.ids for one in sent[-1][1]}) == len(sent[-1][1])
    times = [time for time, _ in sent]
    assert all(later - time >= SECONDS for time, later in zip(times, times[1:], strict=False))
    assert times[:1] == [seconds for seconds, _ in reports[:1]], "the first goes at once"


def test_a_training_beside_another_is_not_forgotten() -> None:
    now, sent = 0.0, list[list[int]]()
    context = Reporting(RunDirectory(Path()), lambda found: sent.append([one.epoch for one in found]), lambda: now)
    for epoch, id in ((1, 0), (2, 1), (3, 1)):
        context.report(Training((id,), epoch, 9))
    now = SECONDS
    context.report(Training((0,), 4, 9))
    context.report(Training((0,), 5, 9))
    assert sent == [[1], [3, 4]]


def test_files_are_those_of_the_context(tmp_path: Path) -> None:
    assert Reporting(RunDirectory(tmp_path), lambda found: None).folder(3) == tmp_path / "candidates" / "3"


def test_no_worker_waits_for_a_pool_that_does_not_listen() -> None:
    ours, theirs = Pipe()
    report = [Training((0,), 1, 8, values={"train_loss": 0.5})]

    def often() -> None:
        for _ in range(5000):
            tell(theirs, report)

    worker = threading.Thread(target=often, daemon=True)
    worker.start()
    worker.join(20.0)
    assert not worker.is_alive()
    assert ours.recv() == Reported(report)
    theirs.send("a result")  # there is room for it, and it is not lost
    ours.close()
    tell(theirs, report)
    theirs.close()
