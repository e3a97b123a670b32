"""Asks, results in any order, crashes, torn tails and resumes, strung together by hypothesis, without processes."""

from __future__ import annotations

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from evonas_cli.config.compose import compose
from evonas_cli.core.types import Candidate, Unit
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.verify import verify
from evonas_cli.store.directory import RunDirectory
from evonas_cli.store.recorder import Recorder

TOY = ("space=bits", "space.length=12", "job=landscape", "budget.evaluations=14", "window=3", "snapshot.every=3")
STRATEGIES = (
    ("strategy=regularized_evolution", "strategy.population_size=4"),
    ("strategy=genetic", "strategy.population_size=4"),
    ("strategy=random",),
)


@cache
def parts_of(strategy: tuple[str, ...]) -> Parts:
    return assemble(compose([*TOY, *strategy]).config)


@cache
def undisturbed(strategy: tuple[str, ...]) -> str:
    """The digest of a run in which everything arrives in order and nothing breaks."""
    machine = Searching()
    machine.begin(strategy)
    try:
        machine.to_the_end()
        return machine.digest()
    finally:
        machine.clear()


class Searching(RuleBasedStateMachine):
    """A run on disk, with or without a session that works on it; what the loop of `run/search.py` does, in steps."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.session: Recorder | None = None

    @initialize(strategy=st.sampled_from(STRATEGIES))
    def begin(self, strategy: tuple[str, ...]) -> None:
        self.strategy, self.parts = strategy, parts_of(strategy)
        self.run = RunDirectory(self.folder / "run")
        empty: dict[str, Any] = {"identity": {}, "environment": {}, "choices": {}}
        self.run.create("", {**empty, "allowed_modules": [], "created": "2026-01-01"})
        self.resume()

    @precondition(lambda self: self.session is None)
    @rule()
    def resume(self) -> None:
        self.session = Recorder(self.run, self.parts.space, lambda: 0.0, every=3, growth=1.0, mark=self.run.mark())
        self.fold, self.in_flight = self.parts.fold(), dict[int, Candidate[Any]]()
        self.feed(self.session.restore(self.fold))
        self.advance()

    def feed(self, candidates: Any) -> None:
        for candidate in candidates:
            known = self.session.result(candidate)
            if known is None:
                self.in_flight[candidate.id] = candidate
            else:
                self.fold.add(candidate, known)

    def advance(self) -> None:
        """Asks and tells whatever the window allows."""
        while True:
            while self.fold.wants_ask():
                self.feed(self.fold.ask())
            if not self.fold.ready() or self.fold.wants_ask():
                return
            self.fold.tell()
            self.session.told(self.fold)

    @precondition(lambda self: self.session is not None and self.in_flight)
    @rule(data=st.data(), together=st.integers(1, 3))
    def finish(self, data: st.DataObject, together: int) -> None:
        ids = data.draw(st.permutations(sorted(self.in_flight)))[:together]
        self.arrive(ids)

    def arrive(self, ids: list[int]) -> None:
        arrived = []
        for id in ids:
            candidate = self.in_flight.pop(id)
            [result] = self.parts.job.open(None).evaluate(Unit((candidate,)), self.run)
            arrived.append((candidate, result))
        self.session.record(arrived)
        for candidate, result in arrived:
            self.fold.add(candidate, result)
        self.advance()

    @precondition(lambda self: self.session is not None)
    @rule()
    def crash(self) -> None:
        """The process is gone: nothing more is written."""
        self.session.journal.close()
        self.session = None

    @precondition(lambda self: self.session is None)
    @rule(lost=st.integers(0, 900), garbage=st.binary(max_size=8))
    def tear(self, lost: int, garbage: bytes) -> None:
        """The last lines are lost, down to some byte, and garbage may stand there."""
        raw = self.run.journal.read_bytes()
        self.run.journal.write_bytes(raw[: max(0, len(raw) - lost)] + garbage.replace(b"\n", b""))

    @precondition(lambda self: self.session is None)
    @rule(data=st.data(), garble=st.booleans())
    def lose(self, data: st.DataObject, garble: bool) -> None:
        """A derived file is gone, or a snapshot holds something else."""
        files = sorted(self.run.root.glob("snapshots/*.json" if garble else "*/*.json"))
        if files:
            path = data.draw(st.sampled_from(files))
            path.write_text("{}") if garble else path.unlink()

    @invariant()
    def nothing_is_recorded_twice(self) -> None:
        if self.session is not None:
            lines = [json.loads(line)["id"] for line in self.run.journal.read_bytes().splitlines()]
            assert len(lines) == len(set(lines)) == len(self.session.journal)

    def to_the_end(self) -> None:
        if self.session is None:
            self.resume()
        while self.in_flight:
            self.arrive([min(self.in_flight)])
        self.fold.close()
        self.session.finish(self.fold, "done")

    def digest(self) -> str:
        verdict = verify(self.run, self.parts)
        assert verdict.problems == [] and verdict.complete and verdict.evaluations == 14
        return verdict.digest

    def teardown(self) -> None:
        try:
            if hasattr(self, "run"):
                self.to_the_end()
                assert self.digest() == undisturbed(self.strategy)
        finally:
            self.clear()

    def clear(self) -> None:
        if self.session is not None:
            self.session.close()
        shutil.rmtree(self.folder)


TestSearching = Searching.TestCase
TestSearching.settings = settings(
    max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
