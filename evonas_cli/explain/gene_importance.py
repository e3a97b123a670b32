"""Which genes matter in a run: permutation importance (`surrogates/permutation.py`) over its candidates.

Functional ANOVA (Hutter, Hoos and Leyton-Brown, ICML 2014) asks the same of a random forest. Here a ridge regression
predicts the first objective, so that a gene whose effect depends on others may look less important than it is; the
correlation of its predictions with what was measured says how far to believe it. Bad outliers are put at their fence
(`surrogates/seen.py`), since a few failed trainings would decide everything. Where genes are no list, sizes and kinds
of layers of the networks stand for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from evonas_cli.core.rng import stream
from evonas_cli.evolution.ranking import spearman
from evonas_cli.genomes.capabilities import Buildable, Linear
from evonas_cli.genomes.choices import Genes
from evonas_cli.genomes.ranges import Real
from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Plan
from evonas_cli.report.drawing.boxes import label
from evonas_cli.report.reading import Reading
from evonas_cli.surrogates.encodings import GeneEncoding
from evonas_cli.surrogates.gaussian_process import Array
from evonas_cli.surrogates.permutation import DIVISIONS, FOLDS, importance
from evonas_cli.surrogates.seen import fenced

LEAST = 20
"""Candidates that are enough to learn from: four a fold."""
MOST = 1000
"""Candidates that are learned from: the last ones."""
OPTIONS = 8
"""Values of a gene up to which the mean of each is told."""


def gene_importance(reading: Reading) -> dict[str, Any]:
    """Of the run's first objective: `metric`, `candidates` (how many were learned from), `kind` (genes, or layers of
    the networks), `spearman` of predicted and measured losses over rows left out, and `genes`, the most important
    first, each with `name`, `share`, `spread` and, for few values, the mean of the metric for each.

    `said` stands for all of it where there is nothing to learn from.
    """
    objective = reading.parts.objectives[0].name
    entries = _usable(reading, objective)[-MOST:]
    values = np.array([float(entry["metrics"][objective]) for entry in entries])
    if len(entries) < LEAST:
        return {"said": f"the run has {len(entries)} candidates of full training with {objective}; {LEAST} are needed"}
    found = _columns(reading, entries)
    if found is None:
        return {"said": "genomes of this space are neither lists of genes nor networks, so there is nothing to permute"}
    kind, features, groups = found
    if not np.ptp(values) or not groups:
        return {"said": f"{'all candidates have one ' + objective if groups else 'no gene varies'}: nothing to learn"}
    losses = values if reading.parts.objectives[0].direction == "min" else -values
    learned = importance(
        features, fenced(losses[:, None])[:, 0], groups, stream(reading.parts.config["seed"], "explain")
    )
    ranked = sorted(groups, key=lambda name: (-learned.shares[name], name))
    means = _means(reading, entries, values) if kind == "genes" else {}
    return {
        "metric": objective,
        "candidates": len(entries),
        "kind": kind,
        "folds": FOLDS,
        "divisions": DIVISIONS,
        "spearman": spearman(learned.predicted.tolist(), losses.tolist()),
        "genes": [
            {"name": name, "share": learned.shares[name], "spread": learned.spread[name], "means": means.get(name, [])}
            for name in ranked
        ],
    }


def _usable(reading: Reading, metric: str) -> list[dict[str, Any]]:
    """Candidates of the run's own job, trained in full from scratch and not copied, by ascending id."""
    return [
        entry
        for entry in reading.journal
        if entry["status"] == "ok"
        and metric in entry["metrics"]
        and entry["genome"] is not None
        and "cached" not in entry
        and not entry.get("job")
        and entry.get("fidelity", 1.0) == 1.0
        and entry.get("continues") is None
    ]


def _columns(reading: Reading, entries: Sequence[Mapping[str, Any]]) -> tuple[str, Array, dict[str, list[int]]] | None:
    """The kind of what varies, the features, and the columns of each gene that varies."""
    space: Any = reading.parts.space
    if isinstance(space, Linear):
        genomes = _genomes(reading, entries)
        features, _ = GeneEncoding(space).features(genomes, [])
        return "genes", *_varying(features, _widths(space, genomes))
    if not isinstance(space, Buildable):
        return None
    plans = [plan for plan in map(reading.plan, entries) if plan is not None]
    if len(plans) < len(entries):
        return None
    names, rows = _counted(plans)
    return "layers", *_varying(rows, [(name, 1) for name in names])


def _genomes(reading: Reading, entries: Sequence[Mapping[str, Any]]) -> list[Genes]:
    return [reading.parts.space.from_json(entry["genome"]) for entry in entries]


def _widths(space: Linear, genomes: Sequence[Genes]) -> list[tuple[str, int]]:
    """The genes with their numbers of columns, as `GeneEncoding` makes them."""
    found = []
    for place, locus in enumerate(space.choices):
        options = locus.grid or dict.fromkeys(genome[place] for genome in genomes)
        found.append((locus.name, 1 if isinstance(locus, Real) else len(options)))
    return found


def _varying(features: Array, widths: Sequence[tuple[str, int]]) -> tuple[Array, dict[str, list[int]]]:
    groups, start = {}, 0
    for name, width in widths:
        columns = list(range(start, start + width))
        if np.ptp(features[:, columns], axis=0).any():
            groups[name] = columns
        start += width
    return features, groups


def _counted(plans: Sequence[Plan]) -> tuple[list[str], Array]:
    """Logarithms of parameters and multiply-adds, the depth, and how many layers of each kind, standardised."""
    kinds = [Counter(_kind(plan, index) for index in range(1, len(plan.nodes))) for plan in plans]
    layers = sorted({kind for found in kinds for kind in found})
    rows = [
        [np.log10(max(1, plan.parameters)), np.log10(max(1, plan.multiply_adds)), plan.depth, *[n[k] for k in layers]]
        for plan, n in zip(plans, kinds, strict=True)
    ]
    matrix = np.array(rows, dtype=float)
    spread = matrix.std(axis=0)
    return ["log parameters", "log multiply-adds", "depth", *layers], (matrix - matrix.mean(axis=0)) / np.where(
        spread > 0, spread, 1.0
    )


def _kind(plan: Plan, index: int) -> str:
    """The operation and its kernel: layers of other sizes are of the same kind."""
    node = plan.nodes[index]
    return label(node).split(",")[0] if OPS[node.op].multiply_adds is not None else node.op.replace("_", " ")


def _means(reading: Reading, entries: Sequence[Mapping[str, Any]], values: Array) -> dict[str, list[dict[str, Any]]]:
    """For each gene of few values the mean of the metric for each value, and how many candidates have it."""
    genomes = _genomes(reading, entries)
    found = {}
    space: Any = reading.parts.space
    for place, locus in enumerate(space.choices):
        of: dict[Any, list[float]] = {}
        for genome, value in zip(genomes, values.tolist(), strict=True):
            of.setdefault(genome[place], []).append(value)
        if len(of) <= OPTIONS:
            ordered = [option for option in (locus.grid or sorted(of)) if option in of]
            found[locus.name] = [{"value": o, "count": len(of[o]), "mean": fmean(of[o])} for o in ordered]
    return found
