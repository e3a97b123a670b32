"""Runs of several jobs: dispatch, candidates without a genome, and how such a run is resumed, verified, replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Generic

import pytest

from evonas_cli.config.compose import compose
from evonas_cli.core.demands import Demands
from evonas_cli.core.errors import UsageError
from evonas_cli.core.evaluating import Context, Place
from evonas_cli.core.types import Evaluation, G, Metric, Proposal, Result, Unit
from evonas_cli.report.reading import Reading
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.replay import replay
from evonas_cli.run.search import search
from evonas_cli.run.session import Session, create, reopen
from evonas_cli.run.verify import verify
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.journal import Journal


class Ones:
    """A cheap job: the number of ones; without a genome -1."""

    needs: tuple[type, ...] = ()
    metrics = {"ones": Metric("max")}

    def open(self, place: Place) -> Ones:
        return self

    def environment(self) -> dict[str, Any]:
        return {"version": 3}

    def evaluate(self, unit: Unit[Any], context: Context) -> Iterator[Result]:
        for candidate in unit.candidates:
            genome = candidate.proposal.genome
            yield Result(candidate.id, "ok", {"ones": -1.0 if genome is None else float(sum(genome))})


@dataclass(frozen=True)
class Looked(Generic[G]):
    """Steps asked, and the genome with most ones of those looked at last (None: nothing was looked at)."""

    steps: int = 0
    best: G | None = None


@dataclass(frozen=True)
class Looking:
    """Each third step looks at four samples with the cheap job, the next one evaluates the best of them, and one asks
    the cheap job without a genome."""

    space: Any
    job: str = "ones"

    least_evaluations = 1

    @property
    def demands(self) -> Demands:
        return Demands(jobs=(self.job,))

    def init(self, rng: Random) -> Looked[G]:
        return Looked()

    def ask(self, state: Looked[G], rng: Random) -> tuple[list[Proposal[G]], Looked[G]]:
        after = replace(state, steps=state.steps + 1)
        if state.steps % 3 == 0:
            return [Proposal(self.space.sample(rng), job=self.job) for _ in range(4)], after
        if state.steps % 3 == 1:
            return [Proposal(state.best, operator="chosen")], after
        return [Proposal(None, job=self.job), Proposal(self.space.sample(rng))], after

    def tell(self, state: Looked[G], told: Sequence[Evaluation[G]], rng: Random) -> Looked[G]:
        if len(told) != 4:
            return state
        assert all(evaluation.losses is None for evaluation in told)
        best = max(told, key=lambda evaluation: (evaluation.metrics.get("ones", -9), -evaluation.id))
        return replace(state, best=best.genome)

    def population(self, state: Looked[G]) -> tuple[int, ...]:
        return ()


MINE = f"{__name__}."


def parts(evaluations: int, *more: str, strategy: str = "Looking", **settings: Any) -> Parts:
    words = ("space=bits", "job=landscape", "strategy=random", "window=1", f"budget.evaluations={evaluations}", *more)
    config = compose([*words, f"jobs={{ones: {{_target_: {MINE}Ones}}}}"]).config
    config["strategy"] = {"_target_": f"{MINE}{strategy}", **settings}
    return assemble(config, (__name__,))


def finish(session: Session) -> None:
    try:
        search(session.fold, session.evaluator, session.recorder, session.deadline, session.cache, session.gate)
        session.recorder.finish(session.fold, "done")
    finally:
        session.close()


@pytest.mark.parametrize("more", [(), ("evaluator=fake", "dedupe=string")])
def test_a_run_of_two_jobs_is_extended_verified_and_replayed(more: Sequence[str], tmp_path: Path) -> None:
    choices, watch = {"strategy": "looking", "space": "bits"}, lambda candidate, result: None
    whole, broken = RunDirectory(tmp_path / "whole"), RunDirectory(tmp_path / "broken")
    finish(create(whole, parts(28, *more), choices, watch, []))
    finish(create(broken, parts(9, *more), choices, watch, []))
    finish(reopen(broken, parts(28, *more), watch))
    verdicts = [verify(run, parts(28, *more)) for run in (whole, broken)]
    assert [verdict.problems for verdict in verdicts] == [[], []]
    assert verdicts[0].digest == verdicts[1].digest
    assert {found for _, found in replay(whole, parts(28, *more))} == {None}
    journal = list(Journal(whole.journal, write=False))
    looked = [entry for entry in journal if entry.get("job") == "ones"]
    assert {entry["step"] % 3 for entry in looked} == {0, 2}
    assert [entry["metrics"] for entry in looked if entry["genome"] is None] == [{"ones": -1.0}] * 4
    for entry in journal:
        if entry["operator"] == "chosen":
            group = [other for other in looked if other["step"] == entry["step"] - 1]
            assert sum(map(int, entry["genome"])) == max(other["metrics"]["ones"] for other in group)
    front = Reading(whole, parts(28, *more), Journal(whole.journal, write=False)).front()["front"]
    assert front and all(member["id"] not in {entry["id"] for entry in looked} for member in front)
    assert json.loads((whole.root / "run.json").read_text())["environment"]["jobs"] == {"ones": {"version": 3}}


class Fidelity(Looking):
    """Asks the cheap job for half a training."""

    def ask(self, state: Any, rng: Random) -> Any:
        return [Proposal(self.space.sample(rng), job=self.job, fidelity=0.5)], state


class Bare(Looking):
    """Asks the run's own job without a genome."""

    def ask(self, state: Any, rng: Random) -> Any:
        return [Proposal(None)], state


@pytest.mark.parametrize(
    ("strategy", "says"),
    [
        ("Fidelity", "candidate 0 asks for fidelity, which the job ones does not honour"),
        ("Bare", "candidate 0 has no genome, which only a candidate of one of the further jobs may lack"),
    ],
)
def test_what_a_job_does_not_honour_ends_the_run_in_one_line(strategy: str, says: str) -> None:
    fold = parts(9, strategy=strategy).fold()
    with pytest.raises(UsageError) as refused:
        fold.ask()
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_wrong_further_jobs_are_refused_before_anything_runs() -> None:
    with pytest.raises(UsageError, match="strategy Looking needs a further job named twos; add it: jobs="):
        parts(9, job="twos")
    with pytest.raises(UsageError, match=r"^jobs\.one: job has no key nois"):
        assemble(compose(["space=bits", "job=landscape", "jobs={one: {_target_: evonas_cli.jobs.landscape.Landscape, "
                          "nois: 1}}"]).config)  # fmt: skip
    with pytest.raises(UsageError, match=r"^jobs\.1x is .*; further jobs are named in small letters"):
        compose(["jobs={1x: {}}"])
