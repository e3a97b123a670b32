"""What the language job has from the training loop: checkpoints, continuation, caps, foreseen work."""

from __future__ import annotations

from math import exp
from pathlib import Path
from typing import Any

import pytest
from benches import bench, unit
from language_jobs import GENOME, Folders, Raising, candidate, job, result, unmeasured

from evonas_cli.core.errors import EnvironmentFailure
from evonas_cli.core.types import Candidate, Proposal, Result, Unit
from evonas_cli.training.checkpoint import CHECKPOINT, KEPT, Checkpoint


@pytest.mark.parametrize("last", [1, 3, 6])
def test_an_interrupted_candidate_ends_with_equal_bits(
    last: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"dropout": 0.3, "checkpoint_seconds": 0, "save_state": True, "schedule": "cosine"}
    whole = result(job(**settings), root=tmp_path / "whole")
    save = Checkpoint.save

    def killed(self: Checkpoint, place: Any, progress: Any) -> None:
        save(self, place, progress)
        if progress.epoch == last:
            raise OSError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoint, "save", killed)
        with pytest.raises(EnvironmentFailure, match="killed"):
            result(job(**settings), root=tmp_path / "run")
    assert (tmp_path / "run" / CHECKPOINT).exists()
    found = result(job(**settings), root=tmp_path / "run")
    assert unmeasured(found) == unmeasured(whole) and found.labels["state"] == whole.labels["state"]
    assert [path.name for path in (tmp_path / "run").iterdir()] == [KEPT]


class Numbered(Folders):
    """A context with a folder for each candidate."""

    def folder(self, id: int) -> Path | None:
        return None if self.root is None else self.root / str(id)


def test_a_continued_candidate_is_the_whole_one(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"dropout": 0.3, "save_state": True}
    made = job(**settings)

    def evaluated(asked: Candidate[Any]) -> list[Result]:
        return list(bench(made).evaluate(unit([asked]), Numbered(tmp_path)))

    [whole] = evaluated(candidate())
    [half] = evaluated(Candidate(id=1, step=0, seed=3, proposal=Proposal(GENOME, fidelity=0.5)))
    [rest] = evaluated(Candidate(id=2, step=1, seed=8, proposal=Proposal(GENOME, continues=1)))
    assert rest.metrics["valid_loss"] == whole.metrics["valid_loss"] != half.metrics["valid_loss"]
    assert rest.metrics["epochs"] == 6 and rest.metrics["cost"] == half.metrics["cost"] == whole.metrics["cost"] / 2
    started = Proposal(GENOME, continues=1, options={"start": "weights"})
    [anew] = evaluated(Candidate(id=3, step=1, seed=8, proposal=started))
    assert anew.metrics["cost"] == whole.metrics["cost"] and anew.metrics["valid_loss"] < whole.metrics["valid_loss"]
    (tmp_path / "1" / KEPT).unlink()
    with pytest.raises(EnvironmentFailure, match="candidate 4 continues another one, whose weights are lost"):
        evaluated(Candidate(id=4, step=1, seed=8, proposal=Proposal(GENOME, continues=1)))


@pytest.mark.parametrize(("cap", "what"), [("max_parameters", "parameters"), ("max_multiply_adds", "multiply-adds")])
def test_models_above_a_cap_are_not_trained(cap: str, what: str) -> None:
    size = int(result(job()).metrics[cap.removeprefix("max_")])
    assert result(job(**{cap: size})).status == "ok"
    found = result(job(**{cap: size - 1}))
    assert found.error is not None and found.error.kind == "over_cap"
    assert found.error.text == f"{size} {what}, more than the {size - 1} allowed"


def test_work_is_foreseen_without_training() -> None:
    made = job()
    environment = bench(made).environment()
    full, half, capped = (
        one.work(Unit((candidate(fidelity=fidelity),)), environment)
        for one, fidelity in ((made, 1.0), (made, 0.5), (job(max_parameters=1), 1.0))
    )
    assert full is not None and half is not None
    assert full == 2 * half == 6 * result(made).metrics["multiply_adds"] and capped is None
    assert job(space=Raising()).work(Unit((candidate([KeyError("x")]),)), environment) is None


def test_the_training_part_is_measured_on_demand() -> None:
    made = job(measure_train=True)
    found = result(made).metrics
    assert set(found) == set(made.metrics) and found["train_eval_perplexity"] == exp(found["train_eval_loss"])
    assert found["train_eval_loss"] != found["train_loss"]


def test_a_language_model_has_a_learning_curve(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"dropout": 0.3, "save_state": True, "checkpoint_seconds": 0}
    whole = result(job(**settings, validate_every=1), root=tmp_path / "whole")
    plain = result(job(**settings, validate_every=None), root=tmp_path / "plain")
    assert whole.metrics["valid_loss"] == plain.metrics["valid_loss"]
    assert whole.labels["state"] == plain.labels["state"]
    assert whole.curves["epoch"] == [1, 2, 3, 4, 5, 6] and plain.curves["epoch"] == [6]
    assert whole.curves["valid_perplexity"][-1] == whole.metrics["valid_perplexity"]
    best = result(job(**settings, keep="best"), root=tmp_path / "best")
    assert best.metrics["valid_perplexity"] == min(best.curves["valid_perplexity"])  # type: ignore[type-var]
