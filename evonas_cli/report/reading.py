"""A run as others read it: its entries, its front and its networks, from the journal alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evonas_cli.genomes.capabilities import Buildable, Captioning, Denoising, Neural, Recurrent, Sketched
from evonas_cli.genomes.sketch import Sketch
from evonas_cli.network.captions import CaptionTask
from evonas_cli.network.cell import Cell
from evonas_cli.network.neurons import Neurons, ends
from evonas_cli.network.plan import Plan
from evonas_cli.network.task import Task
from evonas_cli.report.network_text import drawing, equations, neurons_drawing
from evonas_cli.report.subject import subject
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.identity import check_identity
from evonas_cli.run.session import trusted
from evonas_cli.run.stored import readable, stored_config
from evonas_cli.store.derived import front_document
from evonas_cli.store.directory import RunDirectory, find
from evonas_cli.store.journal import Journal
from evonas_cli.store.records import candidate_in, result_of
from evonas_cli.store.throughput import ThroughputLog, summary


@dataclass(frozen=True)
class Reading:
    """An open run, read only."""

    run: RunDirectory
    parts: Parts
    journal: Journal

    def front(self) -> dict[str, Any]:
        """The Pareto front of what the journal holds, up to budget.cost, as a document."""
        front = self.parts.front()
        for entry in self.journal:
            front.take(candidate_in(entry), result_of(entry))
        return front_document(self.parts.objectives, [id for id, _ in front.members], self.journal.read)

    def throughput(self) -> dict[str, float | None]:
        """Measured figures of all sessions: of rate, seconds and idle workers."""
        measured = ThroughputLog(self.run.throughput, write=False)
        return summary(self.journal.spent, self.run.elapsed(), measured.idle_share)

    def subject(self, metric: str) -> str:
        """What the metric is of where its name does not say so (`report.subject`)."""
        return subject(metric, self.parts.metrics.get(metric), self.run.metadata()["environment"])

    def plan(self, entry: Mapping[str, Any]) -> Plan | None:
        """The candidate's network; None for a space without networks, a run without a task, and another job's
        candidate without a genome. Raises whatever the space raises for a genome that has no network."""
        task = self.run.metadata()["environment"].get("task")
        space = self.parts.space
        if task is None or entry["genome"] is None:
            return None
        plan: Plan | None = None
        if isinstance(space, Denoising):
            plan = space.decode_denoiser(self.parts.space.from_json(entry["genome"]), Task.from_json(task).inputs).plan
        elif isinstance(space, Captioning):
            plan = space.decode_captioner(space.from_json(entry["genome"]), CaptionTask.of(Task.from_json(task)))
        elif isinstance(space, Buildable):
            plan = space.decode(self.parts.space.from_json(entry["genome"]), Task.from_json(task)).plan
        return plan

    def cell(self, entry: Mapping[str, Any]) -> Cell | None:
        """The candidate's recurrent cell; None for a space without cells. Raises whatever the space raises."""
        if entry["genome"] is None or not isinstance(self.parts.space, Recurrent):
            return None
        return self.parts.space.decode_cell(self.parts.space.from_json(entry["genome"]))

    def sketches(self, entry: Mapping[str, Any]) -> Sequence[Sketch]:
        """The candidate's parts as its space sketches them; none for a space without sketches. Raises whatever the
        space raises."""
        if entry["genome"] is None or not isinstance(self.parts.space, Sketched):
            return ()
        return tuple(self.parts.space.sketches(self.parts.space.from_json(entry["genome"])))

    @property
    def evaluates_neurons(self) -> bool:
        """Whether graphs of neurons are what the run's job evaluates."""
        return Neural in self.parts.job.needs

    @property
    def answers_examples(self) -> bool:
        """Whether what the run's job evaluates are networks that answer examples of data one by one."""
        return not {Captioning, Denoising, Recurrent} & set(self.parts.job.needs)

    def neurons(self, entry: Mapping[str, Any]) -> Neurons | None:
        """The candidate's graph of neurons, with the weights that its training gave where it gave some.

        None for a space without neurons, a run without a task, and another job's candidate. Raises whatever the space
        raises.
        """
        task, space = self.run.metadata()["environment"].get("task"), self.parts.space
        if entry["genome"] is None or entry.get("job") or task is None or not isinstance(space, Neural):
            return None
        neurons: Neurons = space.decode_neurons(space.from_json(entry["genome"]), *ends(Task.from_json(task)))
        payload = entry.get("payload")
        weights = payload.get("weights") if isinstance(payload, Mapping) else None
        return neurons if weights is None else replace(neurons, weights=tuple(weights))

    def network(self, entry: Mapping[str, Any], width: int = 80) -> list[str]:
        """The decoded network or its neurons drawn as text, or its cell as equations; the reason where the genome has
        none."""
        try:
            plan, cell, neurons = self.plan(entry), self.cell(entry), self.neurons(entry)
        except Exception as error:  # whatever the space raises is what is wrong with this genome
            return [f"no network: {type(error).__name__}: {error}"]
        if plan is not None:
            return drawing(plan, width)
        if neurons is not None:
            return neurons_drawing(neurons, width)
        return [] if cell is None else equations(cell)


def subjects(readings: Sequence[Reading], metric: str) -> str:
    """What the metric is of in any of the runs (`Reading.subject`), with commas between."""
    return ", ".join(dict.fromkeys(word for reading in readings if (word := reading.subject(metric))))


def read_parts(reference: str, outputs: Path, allowed: Sequence[str]) -> tuple[RunDirectory, Parts]:
    """The run meant by `reference`, and the parts of its configuration.

    Raises RunError, and UsageError for modules not `allowed`.
    """
    run = find(reference, outputs)
    config = stored_config(run)
    check_identity(run, config)
    return run, assemble(readable(config), trusted(run, allowed), trial=False)


def read_run(reference: str, outputs: Path, allowed: Sequence[str]) -> Reading:
    """Opens the run meant by `reference` for reading. Raises RunError, and UsageError for modules not `allowed`."""
    run, parts = read_parts(reference, outputs, allowed)
    return Reading(run, parts, Journal(run.journal, write=False))
