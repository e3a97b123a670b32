"""Trackers follow a search and change nothing of it, whatever they raise."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from evonas_cli.cli.app import run
from evonas_cli.core.errors import UsageError
from evonas_cli.run import tracking
from evonas_cli.trackers import installed

BITS = ("space=bits", "job=landscape", "strategy=genetic", "strategy.population_size=6", "evaluator=serial", "-q")
DIGITS = (
    *("dataset=digits", "dataset.limit=200", "device=cpu", "trainer.epochs=3", "strategy=random", "evaluator=serial"),
    *("space=hyperparameters", "space.channels=[2,4]", "space.hidden=8", "budget.evaluations=2", "-q"),
)
MODULE = """
from evonas_cli.core.errors import UsageError

calls = []


class Mine:
    def __init__(self, breaks: str):
        self.breaks = breaks

    def _heard(self, name, *what):
        calls.append((name, *what))
        if name == self.breaks:
            raise ValueError(f"broken in {name}")

    def start(self, run):
        self._heard("start", run)
        return self.breaks != "silent"

    def told(self, candidate, result, figures):
        self._heard("told", candidate.id, result.metrics, figures)

    def end(self, status):
        self._heard("end", status)
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A user's tracker: the words that choose it, and what it has heard."""
    (tmp_path / "conf/tracker").mkdir(parents=True)
    (tmp_path / "conf/tracker/mine.yaml").write_text("_target_: mine_tracker.Mine\nbreaks: ''\n")
    (tmp_path / "mine_tracker.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine_tracker", raising=False)
    import mine_tracker  # type: ignore[import-not-found]

    words = ("--config-dir", str(tmp_path / "conf"), "--allow-module", "mine_tracker", "tracker=mine")
    return words, mine_tracker.calls


def digest(root: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    capsys.readouterr()
    assert run(["verify", str(root), "--json", *more]) == 0
    found: str = json.loads(capsys.readouterr().out)["digest"]
    return found


def test_a_tracker_hears_what_is_recorded_and_a_resume_goes_on(
    tmp_path: Path, mine: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    words, calls = mine
    root = tmp_path / "run"
    assert run(["search", *BITS, *words, "budget.evaluations=12", "--run-dir", str(root)]) == 0
    first, told, last = calls[0][1], calls[1:-1], calls[-1]
    assert (calls[0][0], last) == ("start", ("end", "done")) and [call[1] for call in told] == list(range(12))
    assert first.name == "run" and first.folder == root / "tracking" and first.recorded == 0
    assert [objective.name for objective in first.objectives] == ["valid_error"]
    errors: list[float] = []
    for number, (_, _, metrics, figures) in enumerate(told, 1):
        errors.append(metrics["valid_error"])
        assert figures["evaluations"] == number and figures["best/valid_error"] == min(errors)
    assert "figures/diversity" in told[-1][3] and "figures/diversity" not in told[0][3]
    calls.clear()
    assert run(["resume", str(root), "budget.evaluations=18", "--allow-module", "mine_tracker", "-q"]) == 0
    assert calls[0][1].mark == first.mark and calls[0][1].recorded == 12 and calls[-1] == ("end", "done")
    assert [call[1] for call in calls[1:-1]] == list(range(12, 18))
    assert calls[1][3]["evaluations"] == 13 and calls[1][3]["best/valid_error"] <= min(errors)
    assert "figures/diversity" in calls[1][3]


@pytest.mark.parametrize("breaks", ["told", "end"])
def test_what_a_tracker_raises_is_said_once_and_changes_nothing(
    breaks: str, tmp_path: Path, mine: Any, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    words, calls = mine
    search = ("search", *BITS, "budget.evaluations=12")
    assert run([*search, "--run-dir", str(tmp_path / "plain")]) == 0
    assert run([*search, *words, f"tracker.breaks={breaks}", "--run-dir", str(tmp_path / "run")]) == 0
    warned = [record.getMessage() for record in caplog.records if "tracker" in record.getMessage()]
    assert len(warned) == 1 and "tracker Mine is switched off, the search goes on: mine_tracker.py:" in warned[0]
    assert warned[0].endswith(f"in Mine._heard: ValueError: broken in {breaks}")
    assert [call[0] for call in calls].count(breaks) == 1
    own = digest(tmp_path / "run", capsys, "--allow-module", "mine_tracker")
    assert own == digest(tmp_path / "plain", capsys)


def test_a_tracker_that_cannot_start_stops_before_the_run(
    tmp_path: Path, mine: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    words, calls = mine
    root = tmp_path / "run"
    assert run(["search", *BITS, *words, "tracker.breaks=start", "--run-dir", str(root)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("evonas: tracker Mine cannot start; correct its settings or pass tracker=none: mine_tracker")
    assert not root.exists()
    assert run(["search", *BITS, *words, "tracker.breaks=silent", "budget.evaluations=6", "--run-dir", str(root)]) == 0
    assert [call[0] for call in calls] == ["start", "start"]


def test_a_search_that_is_stopped_tells_its_tracker(tmp_path: Path, mine: Any) -> None:
    words, calls = mine
    broken = [*(word for word in BITS if word != "evaluator=serial"), "evaluator=fake", "evaluator.break_after=7"]
    assert run(["search", *broken, *words, "budget.evaluations=12", "--run-dir", str(tmp_path / "run")]) == 4
    recorded = len((tmp_path / "run/journal.jsonl").read_text().splitlines())
    assert [call[0] for call in calls] == ["start", *["told"] * recorded, "end"] and recorded > 0
    assert calls[-1] == ("end", "interrupted")


def test_a_tracker_that_hangs_holds_nothing_up(
    tmp_path: Path, mine: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import mine_tracker

    words, _ = mine
    free = threading.Event()
    monkeypatch.setattr(tracking, "PATIENCE", 0.1)
    monkeypatch.setattr(mine_tracker.Mine, "told", lambda *given: free.wait(60))
    began = time.monotonic()
    assert run(["search", *BITS, *words, "budget.evaluations=12", "--run-dir", str(tmp_path / "run")]) == 0
    free.set()
    assert time.monotonic() - began < 50
    assert "tracker Mine has not ended within 0.1 seconds and lacks results" in caplog.text


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_a_missing_package_is_named_before_the_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda package: None)
    for more in ((), ("--dry-run",)):
        words = ["search", *BITS, f"tracker={name}", "--run-dir", str(tmp_path / "run"), *more]
        assert run(words) == 2
        assert capsys.readouterr().err == (
            f"evonas: tracker={name} needs the package {name}, which is not installed; "
            f"pip install 'evonas[{name}]', or pass tracker=none\n"
        )
    assert not (tmp_path / "run").exists()


def test_a_run_is_read_and_resumed_without_the_tracker_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboard")
    root = str(tmp_path / "run")
    assert run(["search", *BITS, "tracker=tensorboard", "budget.evaluations=6", "--run-dir", root]) == 0
    monkeypatch.setattr(installed, "find_spec", lambda package: None)
    assert run(["show", root]) == run(["verify", root]) == 0
    assert run(["resume", root, "budget.evaluations=12", "-q"]) == 2
    assert "pass tracker=none" in capsys.readouterr().err
    assert run(["resume", root, "budget.evaluations=12", "tracker=none", "-q"]) == 0
    assert run(["verify", root]) == 0


def test_a_run_from_before_there_were_trackers_takes_one(tmp_path: Path, mine: Any) -> None:
    _, calls = mine
    root = tmp_path / "run"
    assert run(["search", *BITS, "budget.evaluations=6", "--run-dir", str(root)]) == 0
    text = (root / "config.yaml").read_text()
    older = text.replace("tracker:\n  _target_: evonas_cli.trackers.none.Untracked\n", "")
    assert older != text
    (root / "config.yaml").write_text(older)
    assert run(["resume", str(root), "budget.evaluations=12", "tracker=none", "-q"]) == 0
    assert run(["verify", str(root)]) == 0 and calls == []


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    read.Reload()
    return {tag: [(event.step, event.value) for event in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def test_tensorboard_shows_the_search_and_its_curves(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    root = tmp_path / "run"
    assert run(["search", *DIGITS, "tracker=tensorboard", "--run-dir", str(root)]) == 0
    assert run(["resume", str(root), "budget.evaluations=3", "-q"]) == 0
    entries = [json.loads(line) for line in (root / "journal.jsonl").read_text().splitlines()]
    found = scalars(root / "tracking")
    errors = [entry["metrics"]["valid_error"] for entry in entries]
    assert found["candidate/valid_error"] == [(id, pytest.approx(error)) for id, error in enumerate(errors)]
    best = [(number, pytest.approx(min(errors[:number]))) for number in (1, 2, 3)]
    assert found["best/valid_error"] == best
    for entry in entries:
        curve = scalars(root / f"tracking/candidate-{entry['id']}")["curve/valid_error"]
        assert curve == [(epoch, pytest.approx(entry["curves"]["valid_error"][epoch - 1])) for epoch in (1, 2, 3)]


def test_settings_of_tensorboard_are_checked(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from evonas_cli.trackers.tensorboard import TensorBoard

    with pytest.raises(UsageError, match="tracker.seconds is 0; it must be above 0"):
        TensorBoard(True, 0.0)


def test_mlflow_has_a_run_for_the_search_and_one_for_each_candidate(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    root, uri = tmp_path / "run", f"sqlite:///{tmp_path}/mlflow.db"
    words = ("tracker=mlflow", f"tracker.uri={uri}", "tracker.children=true")
    assert run(["search", *DIGITS, *words, "--run-dir", str(root)]) == 0
    assert run(["resume", str(root), "budget.evaluations=3", "-q"]) == 0
    entries = [json.loads(line) for line in (root / "journal.jsonl").read_text().splitlines()]
    client = mlflow.MlflowClient(tracking_uri=uri)
    place = client.get_experiment_by_name("evonas").experiment_id
    every = client.search_runs([place])
    [own] = [one for one in every if "mlflow.parentRunId" not in one.data.tags]
    assert own.info.status == "FINISHED" and own.info.run_name == "run"
    assert own.data.params["trainer.epochs"] == "3" and own.data.params["objectives"] == '["valid_error", "parameters"]'
    history = client.get_metric_history(own.info.run_id, "candidate/valid_error")
    errors = [entry["metrics"]["valid_error"] for entry in entries]
    assert [(one.step, one.value) for one in history] == list(enumerate(errors))
    assert own.data.metrics["best/valid_error"] == min(errors)
    children = {one.info.run_name: one for one in every if one.info.run_id != own.info.run_id}
    assert sorted(children) == ["candidate 0", "candidate 1", "candidate 2"]
    curve = client.get_metric_history(children["candidate 2"].info.run_id, "curve/valid_error")
    assert [one.value for one in curve] == entries[2]["curves"]["valid_error"]
    assert json.loads(children["candidate 1"].data.params["genome"]) == entries[1]["genome"]
