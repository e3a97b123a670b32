"""Every configured strategy keeps the contract of Strategy on every configured space that it can serve.

The heart of it: broken off after every third result and resumed from disk, a run ends as if it had never stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evonas_cli.config.build import build, spaces
from evonas_cli.config.folders import options
from evonas_cli.core.codec import decode, encode, state_hint
from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.evaluating import Context
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.protocols import Strategy
from evonas_cli.core.rng import stream
from evonas_cli.core.types import Candidate, Evaluation, Failure, Json, Metric, Objective, Result
from evonas_cli.evaluation.fake import Fake
from evonas_cli.run.search import search
from evonas_cli.store import records
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.recorder import Recorder

OBJECTIVES = (Objective("first", "min"), Objective("second", "max"))
EVALUATIONS = 60


class Pretend:
    """A job that measures numbers derived from the genome alone; every seventh candidate fails."""

    needs: tuple[type, ...] = ()
    metrics = {"first": Metric("min"), "second": Metric("max"), "cost": Metric("min")}

    def __init__(self, space: Any) -> None:
        self.space = space

    def environment(self) -> dict[str, Json]:
        return {}

    def __call__(self, candidates: Sequence[Candidate[Any]], context: Context) -> Iterator[Result]:
        for candidate in candidates:
            rng = stream(0, json.dumps(self.space.to_json(candidate.proposal.genome)))
            metrics = {"first": round(rng.random(), 2), "second": round(rng.random(), 2), "cost": 1.0}
            if candidate.id % 7 == 3:
                yield Result(candidate.id, "failed", {}, None, Failure("error", "every seventh fails"), 0.1)
            else:
                yield Result(candidate.id, "ok", metrics, None, None, 0.1)


@cache
def all_spaces() -> dict[str, Any]:
    return spaces()


def configured(name: str, space: Any) -> Any:
    from omegaconf import OmegaConf

    node: Any = OmegaConf.to_container(OmegaConf.load(options("strategy")[name]))
    return build(node, "strategy", space=space)


def serves(strategy: Any, space: Any) -> bool:
    """Whether the space has what the strategy needs, and the strategy does not refuse it in `init`."""
    if not all(isinstance(space, need) for need in strategy.demands.space):
        return False
    try:
        strategy.init(Random(0))
    except UsageError:
        return False
    return True


def pairs() -> list[Any]:
    found = []
    for name in options("strategy"):
        for label, space in all_spaces().items():
            if serves(configured(name, space), space):
                found.append(pytest.param((name, label), id=f"{name}-{label}"))
    return found


@pytest.fixture(params=pairs())
def case(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    name, label = request.param
    space = all_spaces()[label]
    return configured(name, space), space


def new_fold(strategy: Any, window: int, evaluations: int = EVALUATIONS, seed: int = 5) -> Fold[Any]:
    return Fold(strategy, OBJECTIVES, seed, window, Budget(evaluations=max(evaluations, strategy.least_evaluations)))


def outcome(root: Path, space: Any, fold: Fold[Any], breaks: Callable[[int], int | None], shuffle: int) -> str:
    """Runs to the end, resuming after each breakdown; returns the run's digest and the strategy's figures."""
    run, sessions = RunDirectory(root), 0
    root.mkdir(exist_ok=True)
    while True:
        recorder = Recorder(run, space, lambda: 0.0, every=7)
        fold = new_fold(fold.strategy, fold.window, fold.budget.evaluations or 0, fold.seed)
        evaluator = Fake(lambda: Pretend(space), run, shuffle + sessions, breaks(sessions))
        try:
            search(fold, evaluator, recorder)
        except EnvironmentFailure:
            sessions += 1
            continue
        finally:
            recorder.finish(fold, "done")
            recorder.close()
        recorder = Recorder(run, space, lambda: 0.0)
        front = [id for id, _ in fold.front.members]
        digest = records.digest(recorder.journal, fold.strategy.population(fold.state), front, ())
        recorder.close()
        return digest + (run.figures.read_text() if run.figures.exists() else "")


def test_every_strategy_serves_some_space() -> None:
    assert {param.values[0][0] for param in pairs()} == set(options("strategy"))


def test_conforms(case: tuple[Any, Any]) -> None:
    strategy, _ = case
    assert isinstance(strategy, Strategy)
    assert strategy.least_evaluations >= 1


@pytest.mark.parametrize("window", [1, 3])
def test_broken_off_after_every_third_result_it_ends_the_same(
    case: tuple[Any, Any], window: int, tmp_path: Path
) -> None:
    strategy, space = case
    fold = new_fold(strategy, window)
    whole = outcome(tmp_path / "whole", space, fold, lambda session: None, shuffle=1)
    broken = outcome(tmp_path / "broken", space, fold, lambda session: 3, shuffle=2)
    assert broken == whole


def test_a_longer_budget_continues_a_shorter_one(case: tuple[Any, Any], tmp_path: Path) -> None:
    strategy, space = case
    short, long = new_fold(strategy, 2, EVALUATIONS - 13), new_fold(strategy, 2, EVALUATIONS + 9)
    whole = outcome(tmp_path / "whole", space, long, lambda session: None, shuffle=1)
    outcome(tmp_path / "extended", space, short, lambda session: None, shuffle=2)
    extended = outcome(tmp_path / "extended", space, long, lambda session: None, shuffle=3)
    assert extended == whole


def test_state_survives_the_codec_at_every_step(case: tuple[Any, Any]) -> None:
    strategy, space = case
    hint, job = state_hint(strategy), Pretend(space)
    state = strategy.init(stream(1, "init"))
    next_id = 0
    for step in range(30):
        text = json.dumps(encode(hint, state, space.to_json))
        restored = decode(hint, json.loads(text), space.from_json)
        assert restored == state
        proposals, state = strategy.ask(state, stream(1, "ask", step))
        again, _ = strategy.ask(restored, stream(1, "ask", step))
        assert again == proposals
        told = []
        for id, proposal in enumerate(proposals, next_id):
            assert space.from_json(space.to_json(proposal.genome)) == proposal.genome
            [result] = job([Candidate(id, step, 0, proposal)], None)  # type: ignore[arg-type]
            losses = (result.metrics["first"], result.metrics["second"]) if result.status == "ok" else None
            told.append(Evaluation(id, proposal.genome, losses))
        next_id += len(proposals)
        state = strategy.tell(state, told, stream(1, "tell", step))
        members = strategy.population(state)
        assert len(set(members)) == len(members)
        assert all(0 <= id < next_id for id in members)


def test_failed_candidates_are_never_parents(case: tuple[Any, Any], tmp_path: Path) -> None:
    strategy, space = case
    fold = new_fold(strategy, 1, 120)
    outcome(tmp_path / "run", space, fold, lambda session: None, shuffle=0)
    recorder = Recorder(RunDirectory(tmp_path / "run"), space, lambda: 0.0)
    entries = {entry["id"]: entry for entry in recorder.journal}
    recorder.close()
    assert sum(entry["status"] == "failed" for entry in entries.values()) >= 17
    for entry in entries.values():
        for parent in entry["parents"]:
            assert parent < entry["id"]
            assert entries[parent]["status"] == "ok"


def test_a_run_in_which_everything_fails_still_ends(case: tuple[Any, Any]) -> None:
    strategy, _ = case
    fold = new_fold(strategy, 2)
    while fold.wants_ask():
        for candidate in fold.ask():
            fold.add(candidate, Result(candidate.id, "failed", {}, None, Failure("error", "all fail")))
        while fold.ready():
            fold.tell()
    assert fold.position.next_id >= EVALUATIONS
    assert fold.front.members == ()


def test_other_seeds_give_other_runs(case: tuple[Any, Any]) -> None:
    strategy, space = case
    first = [new_fold(strategy, 1, seed=seed).ask() for seed in (1, 1, 2)]
    genomes = [[space.to_json(c.proposal.genome) for c in batch] for batch in first]
    assert genomes[0] == genomes[1] != genomes[2]


def test_the_generators_state_is_all_that_differs_between_streams() -> None:
    assert stream(1, "ask", 2).random() == stream(1, "ask", 2).random()
    assert stream(1, "ask", 2).random() != stream(1, "tell", 2).random()
    assert isinstance(stream(1, "ask"), Random)
