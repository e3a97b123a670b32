"""Learning curves in the results of the train job, and whose state may be the best one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from benches import bench, unit
from training_jobs import GENOME, Folders, candidate, job, run

from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Unit


def test_alone_and_together_candidates_have_curves() -> None:
    [alone] = run(job(epochs=3))
    assert alone.curves["epoch"] == [1, 2, 3]
    for name, column in alone.curves.items():
        assert name == "epoch" or column[-1] == alone.metrics[name]
    both = tuple(candidate(id) for id in (0, 1))
    together = list(bench(job(epochs=3)).evaluate(Unit(both, 2, (0, 1)), Folders()))
    assert [result.curves["epoch"] for result in together] == [[1, 2, 3]] * 2
    assert together[0].curves["train_loss"] != together[1].curves["train_loss"]


def test_a_candidate_that_diverges_has_the_curve_up_to_there() -> None:
    [result] = run(job(epochs=3, learning_rate=1e30))
    assert result.error is not None and result.error.kind == "diverged" and result.curves == {}


def test_a_candidate_that_continues_has_absolute_epochs(tmp_path: Path) -> None:
    made, context = job(epochs=4, save_state=True), Folders(tmp_path)
    [half] = bench(made).evaluate(unit([candidate(0, fidelity=0.5)]), context)
    [rest] = bench(made).evaluate(unit([candidate(1, GENOME, continues=0)]), context)
    assert half.curves["epoch"] == [1, 2] and rest.curves["epoch"] == [3, 4]


def test_what_continues_trainings_needs_their_last_state() -> None:
    settings: dict[str, Any] = {"epochs": 4, "save_state": True, "keep": "best"}
    job(**settings).check_demands(Demands())
    with pytest.raises(UsageError, match=r"continues trainings where they ended.*set trainer.keep=last"):
        job(**settings).check_demands(Demands(continues=True))
