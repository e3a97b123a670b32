"""The job `supernet`: epochs continue each other bit by bit, scores belong to a file, and bad orders are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.evaluating import Place
from evonas_cli.core.types import LOST, Candidate, Heir, Origin, Proposal, Result, Unit
from evonas_cli.genomes.supernet import JOB, Scoring, Training
from evonas_cli.run.assembly import further_jobs
from evonas_cli.store.directory import RunDirectory
from evonas_cli.training.supernet.held import Held
from evonas_cli.training.supernet.parts import Parts

WEIGHTS = {
    "batch_size": 32,
    "learning_rate": 0.1,
    "learning_rate_end": 0.0,
    "momentum": 0.9,
    "weight_decay": 1e-4,
    "clip_norm": 5.0,
}
GROUPS = (((1, 2, 3),), ((3, 1, 2), (2, 3, 1)))
PATHS = ((1, 2, 3), (3, 3, 3), (0, 0, 0))


def bench() -> Any:
    config = compose(
        [
            *("strategy=one_shot", "space=nasbench201", "space.channels=2", "space.nodes=3", "dataset=digits"),
            *("space.operations=[none,skip_connect,nor_conv_1x1,nor_conv_3x3]", "dataset.limit=120", "device=cpu"),
        ]
    ).config
    return further_jobs(config)[JOB].open(Place())


RULES: dict[str, dict[str, Any]] = {
    "paths": {},
    "darts": {
        "order": "second",
        "xi": None,
        "alpha_learning_rate": 0.01,
        "alpha_weight_decay": 0.001,
        "eigenvalue_every": 2,
    },
    "xnas": {"bound": 1.0, "eta": None, "wipe_out": True},
    "bayesnas": {"lambda_origin": 0.1, "lambda_child": 0.1, "switch_learning_rate": 0.1, "least_gamma": 0.01},
}


def epoch(number: int, rule: str = "paths") -> Candidate[Any]:
    groups = GROUPS if rule == "paths" else ()
    settings = RULES.get(rule, {})
    order = Training(rule=rule, epoch=number, epochs=3, weights=WEIGHTS, settings=settings, groups=groups)
    source = None if number == 0 else number - 1
    return Candidate(number, number, 50 + number, Proposal(None, job=JOB, continues=source, options=order.to_json()))


def scoring(id: int, source: int | None = 1, **more: Any) -> Candidate[Any]:
    order = Scoring(paths=PATHS, batch_size=8, **more)
    return Candidate(id, id, 50 + id, Proposal(None, job=JOB, continues=source, options=order.to_json()))


def evaluate(opened: Any, candidate: Candidate[Any], folder: Path) -> Result:
    source, own = candidate.proposal.continues, candidate
    if source is not None:
        own = Heir(own.id, own.step, own.seed, own.proposal, Origin(50 + source, source + 1.0))
    [result] = opened.evaluate(Unit((own,)), RunDirectory(folder))
    return result


@pytest.mark.parametrize("rule", RULES)
def test_epochs_continue_each_other_exactly_in_one_bench_and_in_several(rule: str, tmp_path: Path) -> None:
    one, found = bench(), []
    for number in range(3):
        together = evaluate(one, epoch(number, rule), tmp_path / "one")
        apart = evaluate(bench(), epoch(number, rule), tmp_path / "several")
        assert together.status == apart.status == "ok", together.error
        assert together.labels == apart.labels and together.payload == apart.payload
        assert together.metrics["supernet_loss"] == apart.metrics["supernet_loss"]
        assert together.metrics["epochs"] == number + 1 and together.metrics["cost"] > 0
        found.append(together.labels["state"])
    assert len(set(found)) == 3
    assert (
        evaluate(one, scoring(3, 2), tmp_path / "one").payload
        == evaluate(bench(), scoring(3, 2), tmp_path / "one").payload
    )


def test_scores_are_those_of_the_epoch_that_is_continued(tmp_path: Path) -> None:
    opened = bench()
    for number in range(3):
        evaluate(opened, epoch(number), tmp_path)
    early, late = (evaluate(opened, scoring(9, source), tmp_path) for source in (0, 2))
    assert early.payload != late.payload
    assert evaluate(opened, scoring(9, 0), tmp_path).payload == early.payload
    losses, errors = late.payload["losses"], late.payload["errors"]
    assert len(losses) == len(errors) == 3 and all(0 <= error <= 1 for error in errors)
    assert late.metrics["supernet_loss"] == pytest.approx(sum(losses) / 3) and late.metrics["epochs"] == 3


def test_rewards_are_those_of_one_mini_batch_each(tmp_path: Path) -> None:
    opened = bench()
    for number in range(2):
        evaluate(opened, epoch(number), tmp_path)
    whole, one, other = (evaluate(opened, scoring(9, first_batch=first), tmp_path) for first in (None, 0, 1))
    assert whole.payload["losses"] != one.payload["losses"] != other.payload["losses"]
    assert one.metrics["cost"] < whole.metrics["cost"]


def test_a_supernet_that_is_gone_damaged_or_another_one_is_lost(tmp_path: Path) -> None:
    opened = bench()
    evaluate(opened, epoch(0), tmp_path)
    state = tmp_path / "candidates" / "0" / "state.pt"
    kept = state.read_bytes()
    for damage in (lambda: state.write_bytes(kept[:-9]), state.unlink):
        damage()
        result = evaluate(bench(), epoch(1), tmp_path)
        assert result.error is not None and result.error.kind == LOST
    state.write_bytes(kept)
    one = epoch(1)
    other = Heir(one.id, one.step, one.seed, one.proposal, Origin(51, 1.0))
    [result] = bench().evaluate(Unit((other,)), RunDirectory(tmp_path))
    assert result.error is not None and result.error.kind == LOST and "seed 50" in result.error.text
    with pytest.raises(EnvironmentFailure, match="candidate 1 continues another one"):
        state.unlink()
        list(bench().evaluate(Unit((epoch(1),)), RunDirectory(tmp_path)))


def test_a_file_of_another_rule_is_not_gone_on_with(tmp_path: Path) -> None:
    evaluate(bench(), epoch(0, "darts"), tmp_path)
    result = evaluate(bench(), epoch(1, "bayesnas"), tmp_path)
    assert result.error is not None and result.error.kind == LOST and "another rule" in result.error.text


def test_halves_need_two_examples() -> None:
    with pytest.raises(UsageError, match="only one example"):
        Parts(SimpleNamespace(n_train=1), 8, 0, True)  # type: ignore[arg-type]
    halves = Parts(SimpleNamespace(n_train=9), 8, 0, True)._halves  # type: ignore[arg-type]
    assert sorted(torch.cat(halves).tolist()) == list(range(9)) and [len(half) for half in halves] == [4, 5]


def test_what_is_no_order_is_refused(tmp_path: Path) -> None:
    opened = bench()
    for options, says in (
        (None, "knows no options None"),
        ({"do": "prune"}, "can train and score, not 'prune'"),
        ({"do": "score", "paths": [[1]], "colour": 1}, "knows no options"),
        (epoch(0, "dreams").proposal.options, "no rule 'dreams'"),
    ):
        candidate = replace(epoch(0), proposal=replace(epoch(0).proposal, options=options))
        with pytest.raises(UsageError, match=says):
            list(opened.evaluate(Unit((candidate,)), RunDirectory(tmp_path)))
    with pytest.raises(UsageError, match="scores paths and continues no supernet"):
        list(opened.evaluate(Unit((scoring(1, None),)), RunDirectory(tmp_path)))


def test_a_supernet_that_diverges_fails(tmp_path: Path) -> None:
    wild = Training(rule="paths", epoch=0, epochs=1, weights={**WEIGHTS, "learning_rate": 1e38}, groups=GROUPS)
    candidate = Candidate(0, 0, 1, Proposal(None, job=JOB, options=wild.to_json()))
    result = evaluate(bench(), candidate, tmp_path)
    assert result.error is not None and result.error.kind == "diverged" and result.payload is None


def test_weights_that_took_no_part_stay_as_they_are(tmp_path: Path) -> None:
    opened = bench()
    files = []
    for number in range(2):
        order = Training(rule="paths", epoch=number, epochs=3, weights=WEIGHTS, groups=(((1, 2, 3),),))
        candidate = replace(epoch(number), proposal=replace(epoch(number).proposal, options=order.to_json()))
        evaluate(opened, candidate, tmp_path)
        files.append(torch.load(tmp_path / "candidates" / str(number) / "state.pt", weights_only=True)["model"])
    moved = {name for name in files[0] if not torch.equal(files[0][name], files[1][name])}
    assert moved and moved < set(files[0]), "the operations of one path have moved, and no others"


def test_a_supernet_that_does_not_fit_into_memory_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*arguments: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")

    monkeypatch.setattr(Held, "train", exhausted)
    with pytest.raises(UsageError, match=r"does not fit into the memory of the device .*lower space.channels"):
        list(bench().evaluate(Unit((epoch(0),)), RunDirectory(tmp_path)))


def test_a_run_whose_own_job_has_no_task_is_refused() -> None:
    job = further_jobs(compose(["strategy=one_shot", "space=nasbench201"]).config)[JOB]
    assert job.beside({"task": {"inputs": [1, 8, 8]}}) is job
    with pytest.raises(UsageError, match="which the run's own job does not have; use job=train"):
        job.beside({})
