"""evonas from Python: start a search and look at runs, in scripts and notebooks.

    import evonas_cli as evonas

    run = evonas.search("strategy=random", "budget.evaluations=8", quiet=True)
    run.frame()

`docs/python.md` shows all of it. Errors are those of `core/errors.py`: their text is one line that says what to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas_cli.config.compose import compose
from evonas_cli.core.display import readable, visible
from evonas_cli.core.errors import RunError
from evonas_cli.core.types import Candidate, Result
from evonas_cli.report.choosing import chosen
from evonas_cli.report.frames import candidates_frame, curves_frame, lineage
from evonas_cli.report.reading import Reading, read_run
from evonas_cli.run.artifacts import load_network
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.conduct import conduct
from evonas_cli.run.session import create, new_run
from evonas_cli.store.directory import abandon
from evonas_cli.store.journal import Journal
from evonas_cli.store.recorder import Watch

if TYPE_CHECKING:
    from pandas import DataFrame

    from evonas_cli.nn.build import Network

PathLike = str | os.PathLike[str]


def search(
    *overrides: str,
    outputs: PathLike | None = None,
    run_dir: PathLike | None = None,
    config_dir: PathLike | Sequence[PathLike] = (),
    allow_module: str | Sequence[str] = (),
    quiet: bool = False,
) -> Run:
    """Searches as `evonas search` does with the same overrides, and returns the run when the search is over.

    `outputs` is the folder in which the run's own folder is made, `run_dir` that folder itself; `config_dir` and
    `allow_module` name one or several folders of YAML files and modules. Without `quiet` a line is printed for each
    result. The search may be made in any thread; Ctrl-C, or another exception, leaves a run that `evonas resume` goes
    on with. A search in which no candidate succeeded returns a run whose front is empty.
    Raises UsageError, RunError, EnvironmentFailure and LockedError.
    """
    folders = [Path(folder) for folder in _several(config_dir)]
    allowed = [str(module) for module in _several(allow_module)]
    words = [*overrides, *([] if outputs is None else [f"run.outputs={os.fspath(outputs)}"])]
    composed = compose(words, folders)
    parts = assemble(composed.config, allowed, folders)
    made = new_run(composed, None if run_dir is None else Path(run_dir), allowed)
    watch: Watch = (lambda candidate, result: None) if quiet else _Lines(parts)
    try:
        made.check_free()
        session = create(made, parts, composed.choices, watch, ("evonas.search", *words))
        try:
            conduct(session)
        finally:
            session.close()
    finally:
        if run_dir is None:
            abandon(made.root)
    return open_run(made.root, allow_module=allowed)


def open_run(run: PathLike, outputs: PathLike = "outputs", allow_module: str | Sequence[str] = ()) -> Run:
    """A run by its path, the beginning of its name, or `latest`, the newest run in `outputs`.

    Raises RunError for what is no run, UsageError for a run that needs a module that is not allowed.
    """
    reading = read_run(os.fspath(run), Path(outputs), [str(module) for module in _several(allow_module)])
    reading.journal.close()
    return Run(reading)


class Run:
    """A run on disk, read only. Each method reads the journal as it is then, so a run in progress may be followed."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def __repr__(self) -> str:
        return f"<Run {visible(str(self.path))}: {self.state}, {self._reading.run.recorded()} evaluations>"

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self._reading.run.root

    @property
    def state(self) -> str:
        """running, done, failed, interrupted or damaged."""
        return self._reading.run.state()

    def frame(self) -> DataFrame:
        """All candidates, one row each, by id (`report.frames.candidates_frame` says which columns)."""
        with self._now() as now:
            return candidates_frame(now.journal, now.parts.objectives)

    def front(self) -> DataFrame:
        """The Pareto front, best first objective first, with the columns of `frame`."""
        with self._now() as now:
            entries = [now.journal.read(member["id"]) for member in now.front()["front"]]
            return candidates_frame(entries, now.parts.objectives)

    def best(self) -> dict[str, Any]:
        """The candidate of the front with the best first objective, as `candidate` returns it. Raises RunError where no
        candidate has succeeded."""
        with self._now() as now:
            [id] = chosen(now, ["best"])
        return self.candidate(id)

    def candidate(self, id: int) -> dict[str, Any]:
        """What the journal has of a candidate: genome, metrics, labels, curves and so on. Raises RunError."""
        with self._now() as now:
            return self._entry(now, id)

    def lineage(self, id: int) -> list[tuple[int, str]]:
        """Ids and operators from the first ancestor to the candidate, along the better parent. Raises RunError."""
        with self._now() as now:
            return lineage(lambda one: self._entry(now, one), id, now.parts.objectives[0])

    def curves(self, id: int) -> DataFrame:
        """The candidate's learning curves, one row for each epoch that was measured. Raises RunError."""
        return curves_frame(self.candidate(id))

    def network(self, id: int) -> Network:
        """The candidate's trained network, a torch module on the CPU in evaluation mode.

        It takes normalised inputs, (x - mean) / std for each channel or feature: `run.artifacts.read_artifact` has both
        in its `signature`. Raises RunError for a candidate whose weights were not kept (`trainer.save_state=true`).
        """
        return load_network(self._reading.run, id)

    @contextmanager
    def _now(self) -> Iterator[Reading]:
        journal = Journal(self._reading.run.journal, write=False)
        try:
            yield replace(self._reading, journal=journal)
        finally:
            journal.close()

    def _entry(self, now: Reading, id: int) -> dict[str, Any]:
        if id not in now.journal:
            raise RunError(f"{self.path} has no candidate {id}; it has {len(now.journal)}, from id 0 on")
        return now.journal.read(id)


class _Lines:
    """Prints a line for each result."""

    def __init__(self, parts: Parts) -> None:
        self._names = [objective.name for objective in parts.objectives]
        self._done, self._limit = 0, parts.config["budget"]["evaluations"]

    def __call__(self, candidate: Candidate[Any], result: Result) -> None:
        self._done += 1
        names = list(result.metrics) if candidate.proposal.job else self._names
        found = "  ".join(f"{name} {readable(result.metrics[name])}" for name in names if result.error is None)
        told = found if result.error is None else f"failed: {result.error.text}"
        print(visible(f"{self._done}{f'/{self._limit}' if self._limit else ''}  candidate {candidate.id}  {told}"))


def _several(given: PathLike | Sequence[PathLike]) -> Sequence[PathLike]:
    return [given] if isinstance(given, str | os.PathLike) else given
