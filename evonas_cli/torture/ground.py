"""What rows are carried out on: a folder that is gone in the end, and an undisturbed search of the configuration.

Rows take copies of that search, whole or as it was at half its way, and processes that are gone in the end, too. Most
processes are forked where everything is imported, and evaluate candidates themselves (`evaluator=serial`): a process of
its own imports torch for seconds, and so does each of its workers. Those are started `cold`, where a row is about them.
"""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from evonas_cli.config.compose import compose
from evonas_cli.core.errors import EvonasError, UsageError
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.verify import verify
from evonas_cli.store.directory import RunDirectory
from evonas_cli.torture.child import Fault
from evonas_cli.torture.processes import Done, Processes, heed_interrupts
from evonas_cli.torture.row import Differs, same
from evonas_cli.torture.warm import Started

QUICK = (
    *("space=nasbench201", "space.channels=2", "space.nodes=3", "dataset=digits", "dataset.limit=200", "device=cpu"),
    *("strategy=regularized_evolution", "strategy.population_size=4", "trainer.epochs=2", "evaluator.workers=2"),
)
"""What is searched where no configuration is given: trainings of milliseconds, in two workers."""
NEUTRAL = ("snapshot.every=4", "snapshot.growth=1", "run.name=null")
"""Settings that change no result, with which a short search writes snapshots, unless others are given."""
ALONE = ("tracker=none", "cache=off")
"""Settings of every search: nothing outside of the ground is written, and nothing is known of other searches."""
LEAST = 12
"""Candidates of a search whose budget is not given."""
PATIENCE = 600.0
"""Seconds after which a process that should have ended is taken for one that hangs, or 20 times the whole search."""


@dataclass
class Ground:
    """A configuration under torture. `close` ends what was started and removes the folder.

    `words` are the overrides of its searches; `whole` is the search in one go, of this `digest`. It took so many
    `seconds` in a process of its own with the evaluator of the configuration, and `forked` ones in a forked process.
    `advice` is what such a search says in any case.
    """

    folder: Path
    words: tuple[str, ...]
    folders: tuple[Path, ...]
    allowed: tuple[str, ...]
    parts: Parts
    kills: int
    rng: Random = field(default_factory=lambda: Random("torture"))
    digest: str = ""
    seconds: float = 0.0
    forked: float = 0.0
    advice: tuple[str, ...] = ()
    _numbers: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.processes = Processes(self.folder, PATIENCE)

    @property
    def whole(self) -> RunDirectory:
        """The search that nobody disturbed."""
        return RunDirectory(self.folder / "whole")

    @property
    def count(self) -> int:
        """How many candidates it has."""
        return self.whole.recorded()

    def begin(self) -> None:
        """Makes the undisturbed search. Raises UsageError where it does not come to a sound end by itself."""
        heed_interrupts()
        began = time.monotonic()
        done = self.carry_out(self.whole, cold=True)
        self.seconds = time.monotonic() - began
        self.processes.patience = max(PATIENCE, 20 * self.seconds)
        if done.code not in (0, 1):
            raise UsageError(f"the undisturbed search ended with code {done.code}: {(done.said or [done.err])[-1]}")
        self.advice = tuple(done.said)
        verdict = verify(self.whole, self.parts)
        if not verdict.ok or not verdict.complete or verdict.evaluations < 4:
            reason = "; ".join(verdict.problems) or f"it has only {verdict.evaluations} candidates"
            raise UsageError(f"the undisturbed search cannot be compared with: {reason}")
        self.digest = verdict.digest
        self.processes.ended(self.processes.fork(["--version"])).check()  # the server has imported all by then
        again, began = self.free(), time.monotonic()
        self.carry_out(again).check()
        self.forked = time.monotonic() - began
        self.compare(again)

    def free(self) -> RunDirectory:
        """A folder of the ground where nothing is yet."""
        return RunDirectory(self.folder / f"run-{next(self._numbers)}")

    def copy(self, kept: int | None = None) -> RunDirectory:
        """A copy of the whole search, or of what was there when the first `kept` lines had been written."""
        run = self.free()
        shutil.copytree(self.whole.root, run.root, symlinks=True)
        if kept is not None:
            lines = run.journal.read_bytes().splitlines(keepends=True)
            run.journal.write_bytes(b"".join(lines[:kept]))
            known = {str(json.loads(line)["id"]) for line in lines[:kept]}
            for path in (run.root / "candidates").glob("*"):
                if path.name not in known:
                    shutil.rmtree(path)
            (run.root / "status.json").unlink()
        return run

    def half(self) -> RunDirectory:
        """A copy as it was at half its way."""
        return self.copy(self.count // 2)

    def search(self, run: RunDirectory, *more: str) -> list[str]:
        """The words of a command that begins the search there or goes on with it; `more` takes the place of its
        settings: a group's option that of all settings of the group."""
        keys = {word.partition("=")[0] for word in more}
        kept = [word for word in self.words if not {key := word.partition("=")[0], key.partition(".")[0]} & keys]
        places = [word for folder in self.folders for word in ("--config-dir", str(folder))]
        trust = [word for name in self.allowed for word in ("--allow-module", name)]
        where = ["--run-dir", str(run.root), "--resume", "auto", "--quiet"]
        return ["search", *kept, *more, *places, *trust, *where]

    @property
    def here(self) -> tuple[str, ...]:
        """The settings with which a search evaluates its candidates itself, which changes no result."""
        return "evaluator=serial", f"evaluator.threads={self.parts.config['evaluator'].get('threads', 1)}"

    def begun(
        self,
        run: RunDirectory,
        *more: str,
        faults: Sequence[Fault] = (),
        environment: Mapping[str, str] | None = None,
        cold: bool = False,
    ) -> Started:
        """The search there, under way. It is forked, but for one that is `cold` or in another environment.

        A cold search has the evaluator of the configuration.
        """
        words = self.search(run, *(() if cold else self.here), *more)
        if cold or environment:
            return self.processes.launch(words, environment, faults)
        return self.processes.fork(words, faults)

    def carry_out(
        self,
        run: RunDirectory,
        *more: str,
        faults: Sequence[Fault] = (),
        environment: Mapping[str, str] | None = None,
        cold: bool = False,
    ) -> Done:
        """The search there, to its end; the rest as in `begun`."""
        return self.processes.ended(self.begun(run, *more, faults=faults, environment=environment, cold=cold))

    def broken(self, fault: Fault, *others: Fault) -> tuple[RunDirectory, Done]:
        """A search that such a fault has ended; it comes earlier where the search has fewer such calls."""
        while True:
            run = self.free()
            done = self.carry_out(run, faults=[fault, *others])
            if done.code not in (0, 1) or fault.number == 1:
                return run, done
            fault = replace(fault, number=max(1, fault.number // 2))

    def somewhere(self) -> int:
        """A number of lines that the search has on its way."""
        return self.rng.randint(1, max(1, self.count - 1))

    def resume(self, run: RunDirectory, *more: str, **how: Any) -> str:
        """Goes on with the search in a process, and compares its end with that of the whole one: `same digest`.

        Raises Differs.
        """
        self.carry_out(run, *more, **how).check()
        return self.compare(run)

    def compare(self, run: RunDirectory) -> str:
        """Whether the run is sound, complete and of the same digest: `same digest`. Raises Differs."""
        try:
            verdict = verify(run, self.parts)
        except EvonasError as error:
            raise Differs(str(error)) from error
        same(verdict.problems, [], "problems")
        same(verdict.evaluations, self.count, "candidates")
        same(verdict.complete, True, "complete")
        same(verdict.digest, self.digest, "digest")
        return "same digest"

    def close(self) -> None:
        """Ends all processes and removes the folder."""
        self.processes.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def ground(words: Sequence[str], kills: int, folders: Sequence[Path] = (), allowed: Sequence[str] = ()) -> Ground:
    """The ground of a configuration, in a new temporary folder; QUICK without words. Raises UsageError."""
    own = {word.partition("=")[0] for word in ALONE}
    given = [*(word for word in words or QUICK if word.partition("=")[0].partition(".")[0] not in own), *ALONE]
    keys = {word.partition("=")[0] for word in given}
    given += [word for word in NEUTRAL if word.partition("=")[0] not in keys]
    if not any(key.startswith("budget") for key in keys):
        least = assemble(compose([*given, "budget.evaluations=1000000000"], folders).config, allowed, folders)
        given.append(f"budget.evaluations={max(LEAST, least.strategy.least_evaluations)}")
    parts = assemble(compose(given, folders).config, allowed, folders)
    config = parts.config
    if config["budget"]["seconds"] is not None or config["budget"]["evaluations"] is None:
        raise UsageError("a search that its seconds end differs each time; set budget.evaluations, not budget.seconds")
    if config["deterministic"] is False:
        raise UsageError("deterministic=false promises no equal results; leave it out")
    root = Path(tempfile.mkdtemp(prefix="evonas-torture-"))
    return Ground(root, tuple(given), tuple(path.absolute() for path in folders), tuple(allowed), parts, kills)
