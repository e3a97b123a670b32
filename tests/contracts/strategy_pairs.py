"""Every configured strategy with every configured space that it can serve."""

from __future__ import annotations

from typing import Any

from evonas_cli.config.build import build, spaces
from evonas_cli.config.folders import options
from evonas_cli.core.rng import stream
from evonas_cli.run.serving import trusted
from evonas_cli.testing import strategies as contract

NODES = trusted("strategy", (), ())


QUICK = {"candidates": 8, "epochs": 3, "replays": 5, "walks": 4, "neighbours": 1, "coldest": 0.95}
"""Smaller pools and shorter trainings and replays of what a strategy itself learns keep the same laws."""
SLOW = {"otmann": ("mlp",)}
"""Spaces for kernels that take a tenth of a millisecond and more for a pair."""
LARGE = {"nasnet": ("darts", "one_shot")}
"""Spaces whose supernets are large, and which of the strategies that search them are tried there."""


def configured(name: str, space: Any) -> Any:
    node = NODES[name]
    if name == "listed":
        genomes = [space.to_json(space.sample(stream(0, "listed", n))) for n in range(60)]
        node = {**node, "genomes": genomes, "repeats": 3}
    quick = {key: value for key, value in QUICK.items() if key in node}
    if "kernel" in node:  # distances take up to a tenth of a millisecond for a pair
        quick |= {"initial": 90, "candidates": 4}
    if "derive" in node:  # enough candidates for laws on runs of 120, and all stages within 30 steps
        quick = {"epochs": 6, "derive": 10, "audit": 100}
    return build({**node, **quick}, "strategy", space=space)


def pairs() -> dict[tuple[str, str], tuple[Any, Any]]:
    """Strategy and space by their names, where one serves the other."""
    found, built = {}, spaces()
    for name in options("strategy"):
        for label, space in built.items():
            if label not in SLOW.get(NODES[name].get("kernel"), (label,)):
                continue
            if "derive" in NODES[name] and name not in LARGE.get(label, (name,)):
                continue
            strategy = configured(name, space)
            if contract.serves(strategy, space):
                found[name, label] = strategy, space
    return found


PAIRS = pairs()
KINDS = {(name, contract.kind_of(space)): (name, label) for (name, label), (_, space) in PAIRS.items()}
