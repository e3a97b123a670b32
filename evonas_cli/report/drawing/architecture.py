"""The picture of an architecture: a network's plan, a genome's sketch or a recurrent cell, as SVG for itself."""

from __future__ import annotations

from evonas_cli.genomes.sketch import Sketch
from evonas_cli.network.cell import Cell
from evonas_cli.network.plan import Plan
from evonas_cli.report.drawing.boxes import boxes_of
from evonas_cli.report.drawing.diagram import Box, Diagram, Kind
from evonas_cli.report.drawing.folding import fold
from evonas_cli.report.drawing.picture import svg


def architecture_svg(plan: Plan, title: str) -> str:
    """The network from its input down to its output, as one SVG document without references.

    A box has an operation with its settings and the shape of its output. Equal parts in a row are drawn once.
    """
    return svg(fold(boxes_of(plan)), title)


def sketch_svg(sketch: Sketch) -> str:
    """A part of a genome, as its space sketches it."""
    reads = [sum(target == node for _, target in sketch.links) for node in range(len(sketch.nodes))]
    gives = {source for source, _ in sketch.links}
    boxes = [
        Box((text,), _kind_of(reads[node], node in gives, text in sketch.joins))
        for node, text in enumerate(sketch.nodes)
    ]
    return svg(Diagram(tuple(boxes), tuple(sorted(sketch.links))), sketch.title)


def _kind_of(reads: int, gives: bool, joins: bool) -> Kind:
    if not reads or not gives:
        return "end"
    return "merge" if joins else "layer"


def cell_svg(cell: Cell, title: str) -> str:
    """A recurrent cell: from x_t, h_{t-1} and the memories' last values down to h_t and their next values."""
    memories = len(cell.memories)
    start = ["x_t", "h_t-1", *(f"c{k}_t-1" if memories > 1 else "c_t-1" for k in range(memories))]
    boxes = [Box((text,), "end") for text in start]
    arrows = []
    for value, node in enumerate(cell.nodes, cell.first_node):
        kind: Kind = "layer" if node.op in ("linear", "affine") else "merge" if len(node.sources) > 1 else "other"
        boxes.append(Box((node.op,), kind))
        arrows += [(source, value) for source in dict.fromkeys(node.sources)]
    for text, value in [
        ("h_t", cell.output),
        *((f"c{k}_t" if memories > 1 else "c_t", v) for k, v in enumerate(cell.memories)),
    ]:
        arrows.append((value, len(boxes)))
        boxes.append(Box((text,), "end"))
    return svg(Diagram(tuple(boxes), tuple(sorted(set(arrows)))), title)
