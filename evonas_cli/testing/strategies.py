"""What every strategy keeps to on every space that has what it demands.

The heart of it: broken off after every third result and resumed from disk, a run ends as if it had never stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from evonas_cli.core.capability import unknown
from evonas_cli.core.codec import decode, encode, state_hint
from evonas_cli.core.demands import HONOURED, check_proposal
from evonas_cli.core.errors import EnvironmentFailure, UsageError
from evonas_cli.core.evaluating import Context, Place
from evonas_cli.core.fold import Budget, Fold
from evonas_cli.core.protocols import OF_STRATEGIES, Confirming, Strategy
from evonas_cli.core.rng import stream
from evonas_cli.core.types import (
    Candidate,
    Curves,
    Evaluation,
    Failure,
    Json,
    Metric,
    Objective,
    Proposal,
    Result,
    Unit,
)
from evonas_cli.evaluation.fake import Fake
from evonas_cli.genomes.capabilities import Linear, Modular, Walkable
from evonas_cli.genomes.supernet import JOB
from evonas_cli.run.search import search
from evonas_cli.store import records
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.recorder import Recorder
from evonas_cli.testing.supernet import pretended

OBJECTIVES = (Objective("first", "min"), Objective("second", "max"))
EVALUATIONS, RESUMED = 60, 40
STEPPED = 120


class Pretend:
    """A job that measures numbers derived from the genome alone, which are also its behaviour; every seventh candidate
    fails.

    It stands for further jobs, too: candidates of the job `supernet` have results derived from their options.
    Learning curves have the last four of 16 epochs times the fidelity.
    """

    needs: tuple[type, ...] = ()
    honours = frozenset({"fidelity", "continues", "options"})
    metrics = {"first": Metric("min"), "second": Metric("max"), "cost": Metric("min")}

    def __init__(self, space: Any) -> None:
        self.space = space

    def open(self, place: Place) -> Pretend:
        """The job itself."""
        return self

    def environment(self) -> dict[str, Json]:
        """Nothing."""
        return {}

    def evaluate(self, unit: Unit[Any], context: Context | None) -> Iterator[Result]:
        """One result each."""
        for candidate in unit.candidates:
            rng = stream(0, written(self.space, candidate.proposal))
            metrics = {"first": round(rng.random(), 2), "second": round(rng.random(), 2), "cost": 1.0}
            if candidate.id % 7 == 3:
                yield Result(candidate.id, "failed", {}, None, Failure("error", "every seventh fails"), 0.1)
            elif candidate.proposal.job == JOB:
                yield pretended(candidate, self.space)
            else:
                curves = _curves(metrics["first"], max(4, round(16 * candidate.proposal.fidelity)))
                behaviour = (metrics["first"], metrics["second"])
                yield Result(candidate.id, "ok", metrics, None, None, 0.1, curves=curves, descriptor=behaviour)


def _curves(end: float, last: int) -> Curves:
    """Four rows of a curve that falls towards `end`, up to this epoch."""
    epochs = range(last - 3, last + 1)
    return {"epoch": list(epochs), "valid_error": [end + 0.5 / epoch for epoch in epochs]}


def written(space: Any, proposal: Proposal[Any]) -> str:
    """What is proposed as text: the genome, and the options of a candidate without one."""
    return json.dumps(proposal.options if proposal.genome is None else space.to_json(proposal.genome))


def serves(strategy: Any, space: Any) -> bool:
    """Whether the space has what the strategy demands, and the strategy does not refuse it in `init`."""
    if not all(isinstance(space, need) for need in strategy.demands.space):
        return False
    try:
        strategy.init(Random(0))
    except UsageError:
        return False
    return True


def kind_of(space: Any) -> str:
    """What kind of genome a space has: spaces of one kind differ in details that a strategy does not see."""
    kinds = {"linear": Linear, "modular": Modular, "walkable": Walkable}
    return next((kind for kind, capability in kinds.items() if isinstance(space, capability)), "other")


def conforms(strategy: Any, space: Any) -> None:
    """The interface is whole, and every public name is part of it."""
    assert isinstance(strategy, Strategy)
    assert strategy.least_evaluations >= 1
    assert unknown(strategy, OF_STRATEGIES) == {}, "no part of the interface, with the nearest name that is one"


def proposals_are_what_the_demands_say(strategy: Any, space: Any) -> None:
    """Every proposal of a run has a job that the demands name; of the run's own job it has a fidelity, weights and
    options that they name. A further job is the strategy's own choice, so that it may honour all."""
    demands, fold = strategy.demands, new_fold(strategy, 1)
    jobs = {"": frozenset(demands.honoured), **dict.fromkeys(demands.jobs, frozenset(HONOURED))}
    job = Pretend(space)
    while fold.wants_ask():
        for candidate in fold.ask():
            check_proposal(candidate.proposal, candidate.id, jobs)
            if not candidate.proposal.job:
                near = [abs(candidate.proposal.fidelity - known) < 1e-9 for known in demands.fidelities]
                assert any(near), f"fidelity {candidate.proposal.fidelity} is not in the demands"
            [result] = job.evaluate(Unit((candidate,)), None)
            fold.add(candidate, result)
        while fold.ready():
            fold.tell()


def new_fold(strategy: Any, window: int, evaluations: int = EVALUATIONS, seed: int = 5) -> Fold[Any]:
    """A fold with a budget of so many evaluations, or of those that the strategy needs, and with a window that the
    strategy allows."""
    window = min(window, strategy.demands.window or window)
    return Fold(strategy, OBJECTIVES, seed, window, Budget(evaluations=max(evaluations, strategy.least_evaluations)))


def outcome(root: Path, space: Any, fold: Fold[Any], breaks: Callable[[int], int | None], shuffle: int) -> str:
    """Runs to the end, resuming after each breakdown; returns the run's digest and the strategy's figures."""
    run, sessions = RunDirectory(root), 0
    root.mkdir(exist_ok=True)
    while True:
        recorder = Recorder(run, space, lambda: 0.0, every=7)
        fold = new_fold(fold.strategy, fold.window, fold.budget.evaluations or 0, fold.seed)
        evaluator = Fake(Pretend(space), run, shuffle + sessions, breaks(sessions))
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


def broken_off_after_every_third_result_it_ends_the_same(strategy: Any, space: Any, folder: Path) -> None:
    """A run that is broken off and resumed is the run that never stopped, under windows of 1 and 3.

    The runs are shorter than those of other laws, because each of them is resumed after every third result.
    """
    for window in (1, 3):
        root = folder / str(window)
        root.mkdir(parents=True)
        fold = new_fold(strategy, window, RESUMED)
        whole = outcome(root / "whole", space, fold, lambda session: None, shuffle=1)
        broken = outcome(root / "broken", space, fold, lambda session: 3, shuffle=2)
        assert broken == whole


def a_longer_budget_continues_a_shorter_one(strategy: Any, space: Any, folder: Path) -> None:
    """A run that is resumed under a larger budget is the run that had it from the start."""
    short, long = new_fold(strategy, 2, EVALUATIONS - 13), new_fold(strategy, 2, EVALUATIONS + 9)
    whole = outcome(folder / "whole", space, long, lambda session: None, shuffle=1)
    outcome(folder / "extended", space, short, lambda session: None, shuffle=2)
    extended = outcome(folder / "extended", space, long, lambda session: None, shuffle=3)
    assert extended == whole


def state_survives_the_codec_at_every_step(strategy: Any, space: Any) -> None:
    """A state that is written and read is equal, and asks for the same; members were asked for.

    The steps end after 30, or with the first one after `STEPPED` candidates: a population of 20 is bred six times.
    """
    hint, job = state_hint(strategy), Pretend(space)
    state = strategy.init(stream(1, "init"))
    next_id = 0
    for step in range(30):
        if next_id > STEPPED:
            break
        text = json.dumps(encode(hint, state, space.to_json))
        restored = decode(hint, json.loads(text), space.from_json)
        assert restored == state
        proposals, state = strategy.ask(state, stream(1, "ask", step))
        again, _ = strategy.ask(restored, stream(1, "ask", step))
        assert again == proposals
        if not proposals:
            break
        told = []
        for id, proposal in enumerate(proposals, next_id):
            if proposal.genome is not None:
                assert space.from_json(space.to_json(proposal.genome)) == proposal.genome
            [result] = job.evaluate(Unit((Candidate(id, step, 0, proposal),)), None)
            measured = result.status == "ok" and not proposal.job
            losses = (result.metrics["first"], result.metrics["second"]) if measured else None
            told.append(
                Evaluation(
                    id,
                    proposal.genome,
                    losses,
                    result.payload,
                    result.metrics,
                    curves=result.curves,
                    descriptor=result.descriptor if measured else (),
                    parents=proposal.parents,
                )
            )
        next_id += len(proposals)
        state = strategy.tell(state, told, stream(1, "tell", step))
        members = strategy.population(state)
        assert len(set(members)) == len(members)
        assert all(0 <= id < next_id for id in members)


def failed_candidates_are_never_parents(strategy: Any, space: Any, folder: Path) -> None:
    """Every parent is an earlier candidate that succeeded."""
    fold = new_fold(strategy, 1, 120)
    outcome(folder / "run", space, fold, lambda session: None, shuffle=0)
    recorder = Recorder(RunDirectory(folder / "run"), space, lambda: 0.0)
    entries = {entry["id"]: entry for entry in recorder.journal}
    recorder.close()
    assert sum(entry["status"] == "failed" for entry in entries.values()) >= 17
    for entry in entries.values():
        for parent in entry["parents"]:
            assert parent < entry["id"]
            assert entries[parent]["status"] == "ok"


def a_run_in_which_everything_fails_still_ends(strategy: Any, space: Any) -> None:
    """The strategy asks on until the budget ends, and no failure stands on the front."""
    fold = new_fold(strategy, 2)
    while fold.wants_ask():
        for candidate in fold.ask():
            fold.add(candidate, Result(candidate.id, "failed", {}, None, Failure("error", "all fail")))
        while fold.ready():
            fold.tell()
    assert fold.position.next_id >= EVALUATIONS
    assert fold.front.members == ()


def other_seeds_give_other_runs(strategy: Any, space: Any) -> None:
    """The first ask is a function of the seed. It differs between seeds unless it is given: a strategy that begins with
    certain genomes, such as those of a list or the smallest network, draws nothing for them."""
    first = [new_fold(strategy, 1, seed=seed).ask() for seed in (1, 1, 2)]
    genomes = [[written(space, c.proposal) for c in batch] for batch in first]
    assert genomes[0] == genomes[1]
    given = not _draws(strategy)
    assert given == (genomes[1] == genomes[2])
    assert given or not isinstance(strategy, Confirming)


def _draws(strategy: Any) -> bool:
    """Whether a strategy draws a random number before its first proposals."""
    rng = Random(1)
    before = rng.getstate()
    strategy.ask(strategy.init(rng), rng)
    return rng.getstate() != before


LAWS: tuple[Callable[[Any, Any], None], ...] = (
    conforms,
    proposals_are_what_the_demands_say,
    state_survives_the_codec_at_every_step,
    a_run_in_which_everything_fails_still_ends,
    other_seeds_give_other_runs,
)
"""Cheap checks of a strategy on a space: for every pair."""

LAWS_ON_DISK: tuple[Callable[[Any, Any, Path], None], ...] = (
    broken_off_after_every_third_result_it_ends_the_same,
    a_longer_budget_continues_a_shorter_one,
    failed_candidates_are_never_parents,
)
"""Checks of whole runs, in an empty folder: for one space of each kind of genome."""
