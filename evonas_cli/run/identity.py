"""Which keys of a configuration decide results, and whether a run was begun with the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas_cli.config.compose import Config
from evonas_cli.core.errors import RunError
from evonas_cli.core.types import Json
from evonas_cli.store.directory import RunDirectory

NEUTRAL = (
    "budget",
    "run",
    "snapshot",
    "cache",
    "device",
    "evaluator",
    "tracker",
    "dataset.root",
    "dataset.path",
    "dataset.download",
    "dataset.memory",
    "job.path",
    "job.latency_table",
    "trainer.checkpoint_seconds",
    "start_from.run",
    "start_best",
)
"""Keys that never change a result. Everything else, and `evaluator.threads`, is the run's identity."""


LATER: Mapping[str, Json] = {
    "dedupe": "none",
    "constraints": {},
    "jobs": {},
    "reference": None,
    "scalarize": None,
    "start_from": None,
    "dataset.mixup": 0.0,
    "dataset.randaugment": 0,
    "dataset.magnitude": 9,
    "dataset.kind": "classes",
    "dataset.layout": "image",
    "dataset.nested": False,
    "dataset.limit_per_class": None,
    "dataset.group": None,
    "dataset.unreadable": "error",
    "trainer.class_weights": "none",
    "trainer.convolution": "auto",
    "trainer.validate_every": 1,
    "trainer.keep": "last",
    "trainer.graph": None,
    "trainer.loss": "standard",
    "trainer.initialisation": "standard",
    "trainer.augmentation": "none",
    "trainer.rule": "none",
    "job.in_flight": 8,
    "job.test": False,
    "job.full": False,
    "job.folds": 1,
    "job.accuracy_unit": "percent",
    "job.metrics": None,
    "job.measure": [],
    "job.latency_batch": 1,
    "job.latency_repeats": 50,
    "job.latency_warmup": 10,
    "job.latency_key": "arch",
    "job.latency_column": None,
    "job.descriptor": None,
    "job.probes": 16,
    "space.nodes": 4,
    "strategy.batch": 1,
    "strategy.inherit": "none",
    "strategy.pressure": "fitness",
    "strategy.rho": 0.0,
    "strategy.novelty_neighbours": 15,
    "strategy.novelty_entry": "random",
    "strategy.novelty_threshold": 1.0,
    "strategy.novelty_share": 0.05,
    "strategy.novelty_capacity": 1000,
    "strategy.surprise_clusters": 10,
    "strategy.behaviour_cell": 1.0,
}
"""Keys that older runs do not have, with the value that they have run by."""


LONGEST_VALUE = 200
"""Characters of a value that a message repeats."""


def identity(config: Config) -> dict[str, Json]:
    """The keys on which results depend, flat.

    Keys of LATER are left out while they have its value, so that runs from before them are the same experiment.
    """
    flat: dict[str, Json] = {}

    def walk(node: Any, place: str) -> None:
        if isinstance(node, Mapping) and node:
            for key, value in node.items():
                walk(value, f"{place}.{key}" if place else str(key))
        elif place == "evaluator.threads" or not any(place == key or place.startswith(f"{key}.") for key in NEUTRAL):
            flat[place] = node

    walk(config, "")
    return without_later(flat)


def without_later(flat: Mapping[str, Json]) -> dict[str, Json]:
    """An identity without the keys of LATER that have its value, which some older runs have written down."""
    return {key: value for key, value in sorted(flat.items()) if key not in LATER or value != LATER[key]}


def _had(identity: Mapping[str, Json], key: str) -> Json:
    return identity.get(key, LATER.get(key))


def _shown(identity: Mapping[str, Json], key: str) -> str:
    """The value on a line: a long list of genomes is cut."""
    text = str(_had(identity, key))
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def check_identity(run: RunDirectory, config: Config) -> None:
    """Raises RunError with a key-by-key difference when the configuration is not that which the run began with."""
    ours, theirs = identity(config), run.metadata()["identity"]
    changed = [key for key in sorted({*ours, *theirs}) if _had(ours, key) != _had(theirs, key)]
    if changed:
        shown = "; ".join(f"{key}: run has {_shown(theirs, key)}, now {_shown(ours, key)}" for key in changed[:8])
        raise RunError(f"{run.root} is another experiment ({shown}); use a new --run-dir or the run's own values")
