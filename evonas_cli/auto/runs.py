"""The configuration of each step's run: the plain network, the search, the two tunings, the final trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evonas_cli.auto import shares
from evonas_cli.config.compose import Composed, Config, compose
from evonas_cli.core.types import Json
from evonas_cli.genomes.ranges import Real
from evonas_cli.network.baselines import RATE, dropout_rate
from evonas_cli.network.plan import Plan
from evonas_cli.report.reading import Reading
from evonas_cli.run.confirming import confirming
from evonas_cli.run.stored import stored_config

SPACE = "space=fixed_network"
"""What all steps but the search have as their space: one network, whose training is tuned."""


@dataclass(frozen=True)
class Frozen:
    """A network as tuning takes it: its plan (None: the plain one), and the trainer settings of its genome."""

    plan: Plan | None
    settings: Mapping[str, Json]


def naive_config(common: Sequence[str], metric: str) -> Config:
    """The run that trains the plain network once, with the trainer's settings as they are."""
    return naive(common, metric).config


def tuning(common: Sequence[str], metric: str, network: Frozen, seconds: float, trainings: float) -> Composed:
    """The run that looks for better settings of a network's training for so many seconds, beginning with its own;
    `trainings` are expected to fit into that time."""
    most = shares.MOST_TUNINGS
    words = [f"budget.evaluations={most}", f"budget.seconds={seconds:.3f}"]
    words.append(f"strategy.initial={shares.samples_for(min(trainings, most))}")
    composed, own = _fixed(common, metric, "bayesian", network, words)
    composed.config["start_from"] = {"run": "its own settings", "genomes": [own]}
    return composed


def searching(common: Sequence[str], search: Sequence[str], seconds: float, most: float | None = None) -> Composed:
    """The run that searches for so many seconds; networks of more than `most` multiply-adds are refused untrained,
    unless the user's own constraints say what is."""
    composed = compose([*common, *search, "budget.evaluations=null", f"budget.seconds={seconds:.3f}"])
    if most is not None:
        composed.config["constraints"] = {"multiply_adds": f"<= {most:.0f}", **composed.config["constraints"]}
    return composed


def final(reading: Reading, id: int, seeds: int, seconds: float) -> Composed:
    """The run that trains a candidate on training and validation part with so many seeds, and measures the test part,
    as `evonas retrain --full` does."""
    genome = reading.journal.read(id)["genome"]
    words = [f"budget.seconds={seconds:.3f}"]
    config = confirming(stored_config(reading.run), [genome], seeds, words, (), full=True)
    return Composed(config, {**reading.run.metadata()["choices"], "strategy": "listed"})


def naive(common: Sequence[str], metric: str) -> Composed:
    """As `naive_config`, with the choices of its groups."""
    composed, own = _fixed(common, metric, "listed", Frozen(None, {}), [])
    composed.config["strategy"]["genomes"], composed.config["strategy"]["repeats"] = [own], 1
    composed.config["budget"]["evaluations"] = 1
    return composed


def frozen(reading: Reading, id: int) -> Frozen:
    """The network of a candidate of the search, with what its genome sets of the trainer."""
    from evonas_cli.network.task import Task

    entry = reading.journal.read(id)
    space: Any = reading.parts.space
    task = Task.from_json(reading.run.metadata()["environment"]["task"])
    phenotype = space.decode(space.from_json(entry["genome"]), task)
    return Frozen(phenotype.plan, dict(phenotype.hyper))


def _fixed(
    common: Sequence[str], metric: str, strategy: str, network: Frozen, words: Sequence[str]
) -> tuple[Composed, dict[str, Json]]:
    """A run over settings of the network's training, and the genome that stands for those it has."""
    composed = compose([*common, SPACE, f"strategy={strategy}", f"objectives=[{metric}]", *words])
    config = composed.config
    config["trainer"] = {**config["trainer"], **network.settings}
    rate = RATE if network.plan is None else dropout_rate(network.plan)
    config["space"]["genes"], own = _genes(config["space"]["genes"], config["trainer"], rate)
    config["space"]["network"] = None if network.plan is None else network.plan.to_json()
    return composed, own


def _genes(
    genes: Mapping[str, Any], trainer: Mapping[str, Any], rate: float | None
) -> tuple[dict[str, Any], dict[str, Json]]:
    """The genes, widened to hold the settings as they are, and these as a genome."""
    own = {key: rate if key == "dropout" else trainer[key] for key in genes}
    wide: dict[str, Any] = {}
    for key, gene in genes.items():
        value: Any = own[key]
        if value is None:
            continue
        if "options" in gene:
            wide[key] = {"options": sorted({*gene["options"], value})}
            continue
        value = max(value, gene["low"]) if gene.get("log") and value <= 0 else value
        wide[key] = {**gene, "low": min(gene["low"], value), "high": max(gene["high"], value)}
        own[key] = Real(key, wide[key]["low"], wide[key]["high"], bool(gene.get("log"))).check(float(value))
    return wide, {key: own[key] for key in wide}
