"""What a run is: what was searched, its state, how it was made and on what."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from evonas_cli.config.build import target
from evonas_cli.core.types import Json
from evonas_cli.report.failures import micro_batched
from evonas_cli.report.page.rows import Rows
from evonas_cli.report.reading import Reading
from evonas_cli.report.retrained import retrained, shown
from evonas_cli.report.warm import warm_started
from evonas_cli.run.openings import count, source_of
from evonas_cli.store.records import spared

_COLLABORATORS = ("space", "dataset", "trainer")
SHOWN = ("space", "strategy", "dataset", "trainer", "job", "evaluator")


def searched(reading: Reading) -> dict[str, Json]:
    """The options chosen of each group, those left out that the run's job does not take, such as a table's trainer."""
    config = reading.parts.config
    taken = inspect.signature(target(config["job"], "job", reading.parts.allowed)).parameters
    choices: Mapping[str, Json] = reading.run.metadata()["choices"]
    unused = {name for name in _COLLABORATORS if name not in taken and name != "space"}
    return {name: choices[name] for name in SHOWN if name in choices and name not in unused}


def summary(reading: Reading, rows: Rows) -> dict[str, Json]:
    """State, budget and counts of the run's candidates."""
    status = reading.run.status()
    return {
        "state": reading.run.state(),
        "reason": str(status.get("reason", "")),
        "searched": searched(reading),
        "objectives": [objective.name for objective in reading.parts.objectives],
        "constraints": [str(constraint) for constraint in reading.parts.constraints],
        "budget": {name: value for name, value in reading.parts.config["budget"].items() if value is not None},
        "evaluations": len(rows.all),
        "succeeded": sum(not row.failed for row in rows.all),
        "failed": sum(row.failed for row in rows.all),
        "cached": sum(spared(row.entry) for row in rows.all),
        "warm_started": warm_started(row.entry for row in rows.all),
        "micro_batched": micro_batched(row.entry for row in rows.all),
        "steps": len({row.entry["step"] for row in rows.all}),
        "front": len(rows.front),
    }


def spent(reading: Reading) -> dict[str, Json]:
    """Seconds: of the run, of all evaluations, and of the training among them; and the figures of throughput."""
    used = reading.journal.spent
    return {
        "elapsed_seconds": reading.run.elapsed(),
        "evaluation_seconds": round(used.seconds, 6),
        "training_seconds": round(used.training, 6),
        **reading.throughput(),
    }


def provenance(reading: Reading) -> dict[str, Json]:
    """What is needed to make the run again: versions, command, seed, device and data."""
    metadata = reading.run.metadata()
    return {
        "evonas": metadata["evonas"],
        "created": metadata["created"],
        "command": list(metadata.get("command", [])),
        "seed": reading.parts.config["seed"],
        "deterministic": reading.parts.config["deterministic"],
        "environment": metadata["environment"],
        "versions": metadata["versions"],
        "test_part_read": count(reading.run),
    }


def readings_of_test(reading: Reading) -> dict[str, Any] | None:
    """What a run of retrained candidates measured, mean and interval by metric; None for every other run."""
    found = retrained(reading.run, reading.parts, reading.journal)
    source = source_of(reading.run)
    if found is None or source is None:
        return None
    return {
        "source": source[0].name,
        "metrics": list(shown(reading.parts)),
        "candidates": [
            {
                "id": one.id,
                "seeds": one.seeds,
                "succeeded": one.succeeded,
                "metrics": {name: asdict(measured) for name, measured in one.metrics.items()},
            }
            for one in found
        ],
    }
