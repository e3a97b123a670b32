"""The finished trainings of all networks of a space as a table that job=table reads."""

from __future__ import annotations

import copy
import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from evonas_cli.bench.enumeration import Enumeration
from evonas_cli.config.compose import Config
from evonas_cli.core.types import Json
from evonas_cli.jobs.table import FAILED
from evonas_cli.run.confirming import confirming
from evonas_cli.store.files import write_bytes
from evonas_cli.store.journal import Journal

ACCURACIES = ("valid_accuracy", "test_accuracy")
MEANS: Mapping[str, str] = {"seconds": "train_seconds", "cost": "cost"}
"""Columns that are means over the seeds, with the metric of each."""
MILLIONS: Mapping[str, str] = {"parameters_m": "parameters", "multiply_adds_m": "multiply_adds"}
"""Columns in millions, with the metric of each."""
READS: Mapping[str, str] = {
    "key": "arch",
    "reward": "valid_accuracy",
    "report": "test_accuracy",
    "accuracy_unit": "fraction",
    "cost": "seconds",
    "cost_scale": "1",
    "parameters": "parameters_m",
    "multiply_adds": "multiply_adds_m",
}
"""The settings with which job=table reads such a table."""


def building(config: Config, found: Enumeration, seeds: int, allowed: Sequence[str]) -> Config:
    """The configuration of the run that trains each distinct network `seeds` times and measures the test part.

    No weights are kept: the table needs none.
    """
    made = copy.deepcopy(confirming(config, found.networks, seeds, [], allowed))
    made["trainer"]["save_state"] = False
    made["budget"]["seconds"] = config["budget"]["seconds"]
    return made


def missing(found: Enumeration, seeds: int, journal: Journal) -> int:
    """How many trainings of the run are not in its journal."""
    return sum(id not in journal for id in range(len(found.networks) * seeds))


def rows(found: Enumeration, seeds: int, journal: Journal) -> list[dict[str, Json]]:
    """A row for each genome of the space; genomes of one network have equal rows but for the genome.

    Accuracies are fractions: the mean over the seeds that succeeded and, with the number of the seed behind the name,
    each of them. `function` numbers the distinct networks. A network whose trainings all failed, or a genome without a
    network, has the word `failed` for its accuracies, and the failure's kind.
    """
    columns = header(seeds)
    networks = [
        {"function": place, **_measured([journal.read(place * seeds + seed) for seed in range(seeds)])}
        for place in range(len(found.networks))
    ]
    none: dict[str, Json] = {"seeds": 0, **dict.fromkeys(ACCURACIES, FAILED), "failure": "unbuildable"}
    table = []
    for genome, place in zip(found.genomes, found.places, strict=True):
        values = none if place is None else networks[place]
        name = genome if isinstance(genome, str) else json.dumps(genome)
        table.append({column: values.get(column, "") for column in columns} | {"arch": name})
    return table


def header(seeds: int) -> list[str]:
    """The names of the columns."""
    each = [f"{name}_{seed}" for name in ACCURACIES for seed in range(seeds)]
    return ["arch", "function", "seeds", *ACCURACIES, *each, *MEANS, *MILLIONS, "failure"]


def _measured(entries: Sequence[Mapping[str, Any]]) -> dict[str, Json]:
    """The columns of a network, from the records of its trainings in the order of the seeds."""
    good = {seed: entry["metrics"] for seed, entry in enumerate(entries) if entry["status"] == "ok"}
    if not good:
        return {"seeds": 0, **dict.fromkeys(ACCURACIES, FAILED), "failure": entries[0]["error"]["kind"]}
    values: dict[str, Json] = {"seeds": len(good)}
    for name in ACCURACIES:
        values |= {f"{name}_{seed}": metrics[name] for seed, metrics in good.items()}
        values[name] = fmean(metrics[name] for metrics in good.values())
    first = next(iter(good.values()))
    values |= {column: fmean(metrics[name] for metrics in good.values()) for column, name in MEANS.items()}
    return values | {column: first[name] / 1e6 for column, name in MILLIONS.items()}


def write(path: Path, table: Sequence[Mapping[str, Json]]) -> None:
    """Writes the rows as CSV, compressed where the name ends in .gz; equal rows give equal bytes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    data = text.getvalue().encode()
    write_bytes(path, gzip.compress(data, mtime=0) if path.suffix == ".gz" else data, durable=True)
