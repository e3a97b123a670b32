"""The pictures of a run's networks for the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from evonas_cli.genomes.sketch import Sketch
from evonas_cli.network.cell import Cell, CellNode
from evonas_cli.network.neurons import Neurons
from evonas_cli.network.plan import Plan
from evonas_cli.network.plane import Plane
from evonas_cli.report.drawing.architecture import (
    LINKS,
    MOST_LINKS,
    architecture_svg,
    cell_svg,
    neurons_svg,
    sketch_svg,
)
from evonas_cli.report.drawing.regions import draw_regions

MOST = 8
"""Networks drawn on a page; each run has two at least."""
LARGE = 150
"""Nodes of a plan from which on only the best network and the knee are drawn as a whole, beside their sketches."""
BROAD = 560
"""Width of a picture in pixels from which on its network takes a whole row."""
SMALL = 12_000
"""Characters of pictures up to which a network is shown without being asked for."""


def pictures(run: Mapping[str, Any], n_runs: int) -> list[dict[str, Any]]:
    """One entry for each network drawn: that of the document with `metrics`, `parts`, `whole`, `open` and `big`.

    `parts` are decision regions, the sketches of the space and the recurrent cell, each with `title` and `svg`; a graph
    of neurons, with its links' weights, stands in the place of its sketch. `whole` is the picture of the plan (None:
    there is none). `open` says that the network is shown at once, `big` that it takes a whole row.
    """
    columns = run["candidates"]
    place = {id: index for index, id in enumerate(columns["id"])}
    found = []
    for network in run["networks"][: max(2, MOST // n_runs)]:
        index = place[network["id"]]
        metrics = {name: columns["metrics"][name][index] for name in run["objectives"]}
        parts = _parts(network)
        whole = _whole(network, bool(parts))
        size = sum(len(part["svg"]) for part in parts) if parts else len(whole or "")
        drawn = [part["svg"] for part in parts] or [whole or ""]
        big = size > SMALL or max(map(_breadth, drawn)) > BROAD
        own = {"parts": parts, "whole": whole, "open": size <= SMALL or "best" in network["roles"], "big": big}
        found.append({**network, "metrics": metrics, **own})
    return found


def _breadth(svg: str) -> int:
    """The width of a picture in pixels; 0 for no picture."""
    found = re.search(r' width="(\d+)"', svg)
    return int(found[1]) if found else 0


def _parts(network: Mapping[str, Any]) -> list[dict[str, str]]:
    parts, n_drawn = [], -1
    if network["plane"] is not None:
        title = f"candidate {network['id']}"
        parts.append({"title": "decision regions", "svg": draw_regions(Plane.from_json(network["plane"]), title)})
    if network["neurons"] is not None and len(network["neurons"]["links"]) <= MOST_LINKS:
        named = () if network["plane"] is None else network["plane"]["names"]
        inputs = [f"input {number}: {name}" for number, name in enumerate(named, 1)]
        drawing = neurons_svg(_neurons(network["neurons"]), f"neurons of candidate {network['id']}", inputs=inputs)
        parts.append({"title": f"neurons; {LINKS[:1].lower()}{LINKS[1:-1]}", "svg": drawing})
        n_drawn = network["neurons"]["n_inputs"] + 1 + len(network["neurons"]["functions"])
    for data in network["sketches"]:
        if (
            len(data["nodes"]) == n_drawn
        ):  # a sketch of the same graph; that of a CPPN behind the neurons is another one
            continue
        links = tuple([(int(a), int(b)) for a, b in data["links"]])
        sketch = Sketch(data["title"], tuple(data["nodes"]), links, tuple(data["joins"]))
        parts.append({"title": sketch.title, "svg": sketch_svg(sketch)})
    if network["cell"] is not None:
        nodes = tuple([CellNode(op, tuple(sources)) for op, sources in network["cell"]["nodes"]])
        cell = Cell(nodes, network["cell"]["output"], tuple(network["cell"]["memories"]))
        parts.append({"title": "recurrent cell", "svg": cell_svg(cell, f"cell of candidate {network['id']}")})
    return parts


def _neurons(data: Mapping[str, Any]) -> Neurons:
    """The inverse of `dataclasses.asdict`, also of what JSON makes of it."""
    return Neurons(
        n_inputs=data["n_inputs"],
        n_outputs=data["n_outputs"],
        functions=tuple(data["functions"]),
        links=tuple([(int(source), int(target)) for source, target in data["links"]]),
        weights=tuple(data["weights"]),
    )


def _whole(network: Mapping[str, Any], has_parts: bool) -> str | None:
    if network["plan"] is None:
        return None
    large = len(network["plan"]["nodes"]) > LARGE
    if large and has_parts and network["roles"] == ["front"]:
        return None
    return architecture_svg(Plan.from_json(network["plan"]), f"network of candidate {network['id']}")
