"""The picture of an architecture: a network's plan, a genome's sketch, a recurrent cell, or neurons, as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from evonas_cli.genomes.sketch import Sketch
from evonas_cli.network.cell import Cell
from evonas_cli.network.neurons import Neurons
from evonas_cli.network.plan import Plan
from evonas_cli.report.drawing.boxes import boxes_of
from evonas_cli.report.drawing.diagram import Box, Diagram, Kind
from evonas_cli.report.drawing.folding import fold
from evonas_cli.report.drawing.picture import beside, svg

MOST_LINKS = 300
"""Links up to which neurons are drawn with their weights; larger graphs as their space sketches them."""
LINKS = "Links: blue for positive weights, orange for negative ones, wider for larger ones."
"""What the links of neurons look like."""


def architecture_svg(plan: Plan, title: str, titled: bool = False) -> str:
    """The network from its input down to its output, as one SVG document without references; below its title where
    `titled`.

    A box has an operation with its settings and the shape of its output. Equal parts in a row are drawn once.
    """
    return svg(fold(boxes_of(plan)), title, titled)


def sketch_svg(sketch: Sketch) -> str:
    """A part of a genome, as its space sketches it."""
    return svg(_sketched(sketch), sketch.title)


def sketches_svg(sketches: Sequence[Sketch], title: str) -> str:
    """All parts of a genome, as its space sketches them, at least one, beside each other."""
    return beside([(sketch.title, _sketched(sketch)) for sketch in sketches], title)


def _sketched(sketch: Sketch) -> Diagram:
    reads = [sum(target == node for _, target in sketch.links) for node in range(len(sketch.nodes))]
    gives = {source for source, _ in sketch.links}
    boxes = [
        Box((text,), _kind_of(reads[node], node in gives, text in sketch.joins))
        for node, text in enumerate(sketch.nodes)
    ]
    return Diagram(tuple(boxes), tuple(sorted(sketch.links)))


def _kind_of(reads: int, gives: bool, joins: bool) -> Kind:
    if not reads or not gives:
        return "end"
    return "merge" if joins else "layer"


def cell_svg(cell: Cell, title: str, titled: bool = False) -> str:
    """A recurrent cell: from x_t, h_{t-1} and the memories' last values down to h_t and their next values; below its
    title where `titled`."""
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
    return svg(Diagram(tuple(boxes), tuple(sorted(set(arrows)))), title, titled)


def neurons_svg(neurons: Neurons, title: str, titled: bool = False, inputs: Sequence[str] = ()) -> str:
    """Neurons from the inputs and the bias down to the outputs, labelled by their functions; where `titled` between
    their title and a line about the links. `inputs` are what the inputs are called, if not by their numbers.

    A link has the colour of its weight's sign, and is the wider the larger the weight is.
    """
    return svg(neurons_diagram(neurons, inputs), title, titled, LINKS if titled else "")


def neurons_diagram(neurons: Neurons, inputs: Sequence[str] = ()) -> Diagram:
    """A box for each neuron; `inputs` are what the inputs are called, if not by their numbers."""
    names = inputs or [f"input {number}" for number in range(1, neurons.n_inputs + 1)]
    boxes = [Box((name,), "end") for name in (*names, "bias")]
    boxes += [Box((function,), "layer") for function in neurons.functions[: neurons.n_hidden]]
    for number, function in enumerate(neurons.functions[neurons.n_hidden :], 1):
        boxes.append(Box(("output" if neurons.n_outputs == 1 else f"output {number}", function), "end"))
    pairs = sorted(zip(neurons.links, neurons.weights, strict=True))
    return Diagram(tuple(boxes), tuple([link for link, _ in pairs]), (), tuple([weight for _, weight in pairs]))
