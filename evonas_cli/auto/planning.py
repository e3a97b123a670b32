"""What an auto is going to do, found out before its first training: the data is read, a plain network is timed."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from evonas_cli.auto import runs
from evonas_cli.auto.beginnings import beginnings
from evonas_cli.auto.kinds import dataset_words, fitting
from evonas_cli.auto.request import Request, in_words, without
from evonas_cli.auto.shares import (
    FINALS,
    SEARCH,
    SHARES,
    SLOWER,
    START,
    STEPS,
    TUNE_NAIVE,
    available,
    budget_for,
    epochs_for,
    least_seconds,
    population_for,
    seconds_for,
    trainings_for,
    valid_fraction_for,
)
from evonas_cli.auto.state import Plan
from evonas_cli.config.build import build
from evonas_cli.config.compose import compose
from evonas_cli.config.overrides import set_json
from evonas_cli.core.errors import UsageError
from evonas_cli.core.files import expanded
from evonas_cli.core.silence import silenced
from evonas_cli.core.types import Json
from evonas_cli.evaluation.division import available_cores
from evonas_cli.run.assembly import Parts, assemble
from evonas_cli.run.contracts import check_networks
from evonas_cli.run.fit import check_data

LOADING, CHECKING = 1.5, 2.5
"""How many times longer than loading torch once the start of several worker processes takes, and export and report,
which load torch in a process of their own."""
SIZES = ("limit", "samples", "n_train")
"""Settings of data sets that say how many examples there are to train on, the one to name first."""
PROBING = 0.5
"""Seconds for which the plain network is trained to learn how long a training takes."""


@dataclass(frozen=True)
class Prospect:
    """A plan, and what people are told of it: the data in words, the choices of the search's groups, the epochs of a
    training. `outputs` is the folder in which runs are kept, `start` the foreseen seconds in which workers start."""

    request: Request
    plan: Plan
    data: str
    choices: dict[str, str]
    epochs: int
    outputs: Path
    start: float

    def lines(self) -> list[str]:
        """What is going to happen, and how long each step may take."""
        plan, budget, chosen = self.plan, self.request.budget, self.choices
        left = available(budget, plan.export) - plan.training - self.start
        search = seconds_for(SEARCH, left, self.start)
        tune, final = (search / SHARES[SEARCH] * SHARES[step] for step in (TUNE_NAIVE, FINALS[0]))
        count = trainings_for(search, plan.training, plan.slots)
        return [
            f"{self.request.data}: {self.data}",
            f"space={chosen['space']} strategy={chosen['strategy']} trainer={chosen['trainer']} trainer.epochs="
            f"{self.epochs}, by {plan.metric}; a training of the plain network takes about {in_words(plan.training)}",
            f"plain network {in_words(plan.training)}, search {in_words(search)} (about {count:.0f} trainings, "
            f"each {SLOWER:g} times as long as the plain network's), tuning of the plain and of the found network "
            f"{in_words(tune)} each, retraining of all four {in_words(final * len(FINALS))}",
        ]


def planned(request: Request, began: float) -> Prospect:
    """The plan for a request; `began` is when the command did (`time.monotonic`).

    Reads the data. Raises UsageError for data and settings that are not plainly right and for a budget in which the
    steps cannot each end a training, EnvironmentFailure as the data set does.
    """
    source = dataset_words(request)
    common = [*source, *without(["trainer=adamw"], request.overrides), *request.common]
    start, export = _starts()
    if request.budget < 2 * len(STEPS) * start and not request.touches("evaluator"):
        common.append("evaluator=serial")  # worker processes would take most of the time to start
    parts, splits = _read(common)
    if not request.names("dataset.valid_fraction") and _divided(common, parts):
        examples = len(splits.y_train) + len(splits.y_valid)
        common.append(f"dataset.valid_fraction={valid_fraction_for(examples)}")
        parts, splits = _read(common)
    search = _search_words(request, splits.task)
    composed = compose([*common, *search])
    searching = assemble(composed.config)
    metric = _metric(searching)
    check_networks(searching.space, {"task": splits.task.to_json()}, searching.config["seed"])
    slots = _slots(parts)
    start = 0.0 if slots == 1 else start
    epoch, batches = _timed(parts, splits)
    growth = 1 + len(splits.y_valid) / len(splits.y_train)
    used = time.monotonic() - began
    left = max(0.0, available(request.budget, export) - used)
    epochs = int(parts.config["trainer"]["epochs"])
    given = request.names("trainer.epochs")
    if not given:
        epochs = epochs_for(left, epoch, batches, slots, growth, start)
        common.append(f"trainer.epochs={epochs}")
    least = budget_for(used + least_seconds(epochs * epoch, growth, slots, start), export)
    _check_budget(request.budget, least, epochs * epoch, given, parts.config["dataset"])
    population = population_for(trainings_for(left * SHARES[SEARCH], epochs * epoch, slots))
    search += [] if request.touches("strategy") else [f"strategy.population_size={population}"]
    plan = Plan(tuple(common), tuple(search), metric, slots, epochs * epoch, growth, export)
    outputs = expanded(composed.config["run"]["outputs"], "run.outputs")
    return Prospect(request, plan, _in_words(splits), composed.choices, epochs, outputs, start)


def _read(common: Sequence[str]) -> tuple[Parts, Any]:
    """The parts of the plain network's run, and the training and validation part of its data."""
    parts = assemble(runs.naive_config(common, "valid_loss"))
    check_data(parts.job, ())
    with silenced(logging.INFO):  # the step naive tells of the data
        return parts, build(parts.config["dataset"], "dataset").prepare(parts.config["seed"])


def _divided(common: Sequence[str], parts: Parts) -> bool:
    """Whether the share for validation is left to evonas, and the data has no validation part of its own."""
    asked = compose([*common, runs.SPACE]).config["dataset"].get("valid_fraction")
    return asked == "auto" and parts.config["dataset"]["valid_fraction"] is not None


def _in_words(splits: Any) -> str:
    """Inputs, targets and sizes of the data."""
    counts = f"{len(splits.y_train):,} to train, {len(splits.y_valid):,} to validate"
    kind = f"{splits.task.outputs} {splits.task.kind}" if splits.task.outputs > 1 else "1 number"
    return f"{splits.task.examples}, {kind}; {counts}"


def _search_words(request: Request, task: Any) -> list[str]:
    """The overrides of the search, those of the user in the place of the command's.

    A search of which the user sets the space or the strategy begins with networks drawn at random.
    """
    chosen = [] if request.names("space") else fitting(task)
    words = without([*chosen, "strategy=nsga2"], request.overrides)
    if not request.touches("space") and not request.touches("strategy"):
        begun: Json = {"run": "like the plain network", "genomes": beginnings(task)}
        words.append(set_json("start_from", begun))
    own = [text for text in request.overrides if text not in request.common]
    return [*words, *own]


def _metric(parts: Parts) -> str:
    """The first objective of the search, which tuning follows, too. Raises UsageError for one without a test figure."""
    name = parts.objectives[0].name
    if not name.startswith("valid_"):
        raise UsageError(
            f"objectives: {name} comes first, and evonas auto compares networks by a metric of the data; "
            "begin with one such as valid_error"
        )
    return name


def _starts() -> tuple[float, float]:
    """Seconds in which worker processes start, and those of export and report: at least START each, more where torch
    takes long to load just now."""
    began = time.monotonic()
    import_module("evonas_cli.data.resident")
    loading = time.monotonic() - began
    return max(START, LOADING * loading), max(START, CHECKING * loading)


def _slots(parts: Parts) -> int:
    """How many trainings run at once."""
    evaluator = parts.config["evaluator"]
    return int(evaluator["workers"] or available_cores()) if "workers" in evaluator else 1


def _timed(parts: Parts, splits: Any) -> tuple[float, int]:
    """Seconds of an epoch of the plain network with its validation, measured, and the batches of an epoch."""
    from evonas_cli.data.resident import Resident
    from evonas_cli.network.baselines import baseline
    from evonas_cli.training.device.setup import resolve
    from evonas_cli.training.trainer import Trainer
    from evonas_cli.training.tuning.probe import probe

    config = parts.config
    device = resolve(config["device"], config["deterministic"], config["evaluator"].get("threads", 1))
    trainer: Trainer = build(config["trainer"], "trainer")
    one_way = replace(trainer, layout="channels_last", precision="fp32", stack=1, graph=False)
    data = Resident(splits, device, build(config["dataset"], "dataset").memory)
    [trial] = probe([baseline(splits.task)], one_way, data, (1,), False, PROBING)
    examples, batch = len(splits.y_train), min(trainer.batch_size, len(splits.y_train))
    return (examples + len(splits.y_valid) / 3) / trial.samples_per_second, examples // batch


def _check_budget(budget: float, least: float, training: float, given: bool, dataset: Mapping[str, Any]) -> None:
    """Raises UsageError for a budget in which the steps cannot each end a training."""
    if budget < least:
        fewer = ", fewer trainer.epochs" if given else ""
        key = next((f" by dataset.{key}" for key in SIZES if key in dataset), "")
        raise UsageError(
            f"--budget of {in_words(budget)} is too small: a training of the plain network takes about "
            f"{in_words(training)} here, and the steps about {in_words(least)} in all; pass --budget "
            f"{int(least * 1.2) + 1}s{fewer}, or fewer examples{key}"
        )
