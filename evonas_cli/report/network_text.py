"""Networks as text for a terminal: a plan as layers with its branches beside each other, a cell as equations.

Layers come in the order of the plan, each on a lane of its own value:

    ●      input                              8x4x4
    ├─╮
    │ ●    conv(channels=8, kernel=3)         8x4x4
    ├─╯
    ●      add                                8x4x4

A layer stands in the lane that goes on below it. A line that ends in a layer's lane is an input of that layer; a lane
that a line only crosses has nothing to do with it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evonas_cli.core.display import visible
from evonas_cli.network.cell import FIRST_MEMORY, HIDDEN, INPUT, Cell
from evonas_cli.network.neurons import Neurons
from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Node, Plan

ARROW = " → "
ROOM = 30
"""Columns for the words of neurons, at least, beside their rails."""
_NODE, _BAR, _LINE = "●", "│", "─"
_JOINTS = {
    (True, True, True, True): "┼",
    (True, True, True, False): "┤",
    (True, True, False, True): "├",
    (True, True, False, False): "│",
    (True, False, True, True): "┴",
    (True, False, True, False): "╯",
    (True, False, False, True): "╰",
    (False, True, True, True): "┬",
    (False, True, True, False): "╮",
    (False, True, False, True): "╭",
}
"""The character of a joint by where its lines go: up, down, left, right."""
_PLAIN = str.maketrans({"●": "*", "│": "|", "─": "-", "→": ">", **dict.fromkeys("┼┤├┴╯╰┬╮╭", "+")})


@dataclass(frozen=True)
class Block:
    """Layers that follow each other without a branch: what they are, the blocks that the first one reads, each once,
    and the output's shape."""

    words: tuple[str, ...]
    sources: tuple[int, ...]
    shape: tuple[int, ...]


def drawing(plan: Plan, width: int = 80) -> list[str]:
    """The plan as lines of at most `width` columns (at least 40); a line per block, and one per branching."""
    found = blocks(plan, max(width, 40) - 24)
    return _drawn(found, ["x".join(map(str, block.shape)) for block in found], width)


def neurons_drawing(neurons: Neurons, width: int = 80) -> list[str]:
    """Neurons as lines of at most `width` columns (at least 40): each with its function of weights times values.

    Values without a name are v1, v2 and so on: `v1 = tanh(0.52 input1 - 1.3 bias)`. Where rails would leave less than
    ROOM columns for these, there are none.
    """
    names = [*[f"input{number}" for number in range(1, neurons.n_inputs + 1)], "bias"]
    names += [f"v{number}" for number in range(1, neurons.n_hidden + 1)]
    several = neurons.n_outputs > 1
    names += [f"output{number}" if several else "output" for number in range(1, neurons.n_outputs + 1)]
    reads: list[list[tuple[int, float]]] = [[] for _ in names]
    for (source, target), weight in zip(neurons.links, neurons.weights, strict=True):
        reads[target].append((source, weight))
    found = [Block((name,), (), ()) for name in names[: neurons.first_node]]
    for value, function in enumerate(neurons.functions, neurons.first_node):
        terms = [(names[source], weight) for source, weight in reads[value]]
        text = f"{names[value]} = {function}({_terms(terms, function == 'multiply')})"
        found.append(Block((text,), tuple([source for source, _ in reads[value]]), ()))
    if max(len(rail) for _, rail in _rails(found)) > max(width, 40) - ROOM:
        return [
            line for block in found for line in textwrap.wrap(block.words[0], max(width, 40), subsequent_indent="  ")
        ]
    return _drawn(found, [""] * len(found), max(width, 40))


def _terms(terms: Sequence[tuple[str, float]], is_product: bool) -> str:
    if is_product:
        return ", ".join(f"{weight:.3g} {name}" for name, weight in terms)
    text = ""
    for name, weight in terms:
        sign = (" - " if weight < 0 else " + ") if text else "-" if weight < 0 else ""
        text += f"{sign}{abs(weight):.3g} {name}"
    return text


def _drawn(found: Sequence[Block], notes: Sequence[str], width: int) -> list[str]:
    """Blocks with their rails; each has its note at the end of its first line."""
    rails = list(_rails(found))
    column = max(len(rail) for _, rail in rails) + 2
    lines: list[str] = []
    for place, rail in rails:
        if place is None:
            lines.append(rail)
            continue
        note = notes[place]
        below = "".join(_BAR if mark in (_NODE, _BAR) else " " for mark in rail)
        text = textwrap.wrap(ARROW.join(found[place].words), max(20, width - column - len(note) - 2))
        for number, part in enumerate(text):
            head = (rail if number == 0 else below).ljust(column) + part
            lines.append(f"{head.ljust(width - len(note))}{note}" if note and number == 0 else head)
    return lines


def plain(lines: Sequence[str]) -> list[str]:
    """The lines in ASCII, for terminals that have nothing else."""
    return [line.translate(_PLAIN) for line in lines]


def blocks(plan: Plan, longest: int) -> list[Block]:
    """The plan's layers, those joined that follow each other without a branch in at most `longest` characters."""
    readers: list[list[int]] = [[] for _ in plan.nodes]
    for index, node in enumerate(plan.nodes):
        for source in set(node.inputs):
            readers[source].append(index)
    home: dict[int, int] = {}
    chains: list[list[int]] = []
    length: list[int] = []
    for index, node in enumerate(plan.nodes):
        text = len(layer(node))
        [before] = node.inputs if len(node.inputs) == 1 else [None]
        joins = before is not None and readers[before] == [index] and before != 0
        if before is not None and joins and length[home[before]] + len(ARROW) + text <= longest:
            home[index] = home[before]
            chains[home[index]].append(index)
            length[home[index]] += len(ARROW) + text
        else:
            home[index] = len(chains)
            chains.append([index])
            length.append(text)
    return [
        Block(
            tuple(layer(plan.nodes[index]) for index in chain),
            tuple(dict.fromkeys(home[source] for source in plan.nodes[chain[0]].inputs)),
            tuple(plan.shapes[chain[-1]]),
        )
        for chain in chains
    ]


def layer(node: Node) -> str:
    """A layer in words: the operation and those settings that are not its defaults."""
    if node.op not in OPS:
        return visible(node.op)
    op, given = OPS[node.op], dict(node.params)
    for name, full in op.short.items():
        values = {given[key] for key in full if key in given}
        if len(values) == 1 and all(given[key] != op.settings[key].default for key in full):
            given = {name if key == full[0] else key: value for key, value in given.items() if key not in full[1:]}
    shown = [
        f"{key}={value}" for key, value in given.items() if key not in op.settings or value != op.settings[key].default
    ]
    twice = "2 x its input: " if len(node.inputs) > len(set(node.inputs)) else ""
    return visible(f"{twice}{node.op}({', '.join(shown)})" if shown else f"{twice}{node.op}")


def equations(cell: Cell) -> list[str]:
    """A recurrent cell: an equation per value, then what the next state and memories are."""
    names = {INPUT: "x_t", HIDDEN: "h_(t-1)"}
    names |= {FIRST_MEMORY + k: f"c{k}_(t-1)" for k in range(len(cell.memories))}
    lines = []
    for value, node in enumerate(cell.nodes, cell.first_node):
        names[value] = f"v{value}"
        lines.append(f"v{value} = {node.op}({', '.join(names[source] for source in node.sources)})")
    lines.append(f"h_t = {names[cell.output]}")
    return [*lines, *(f"c{k}_t = {names[value]}" for k, value in enumerate(cell.memories))]


def _rails(found: Sequence[Block]) -> Iterator[tuple[int | None, str]]:
    """The lanes of each line: with the number of a block, and None for lines that join lanes."""
    left = [0] * len(found)
    for block in found:
        for source in block.sources:
            left[source] += 1
    lanes: list[int | None] = []
    for number, block in enumerate(found):
        sources = [lanes.index(source) for source in block.sources]
        for source in block.sources:
            left[source] -= 1
        ending = [lane for lane in sources if not left[lanes[lane] or 0]]
        free = [lane for lane, value in enumerate(lanes) if value is None]
        place = min(ending) if ending else free[0] if free else len(lanes)
        if place == len(lanes):
            lanes.append(None)
        if sources and sources != [place]:
            yield None, _joints(lanes, sources, ending, place)
        for lane in ending:
            lanes[lane] = None
        lanes[place] = number
        marks = [_NODE if lane == place else " " if value is None else _BAR for lane, value in enumerate(lanes)]
        yield number, " ".join(marks).rstrip()
        if not left[number]:
            lanes[place] = None
        while lanes and lanes[-1] is None:
            lanes.pop()


def _joints(lanes: Sequence[int | None], sources: Sequence[int], ending: Sequence[int], place: int) -> str:
    """The line that leads from the lanes of `sources` to the lane at `place`; those `ending` do not go on."""
    low, high = min([*sources, place]), max([*sources, place])
    text = ""
    for lane, value in enumerate(lanes):
        inside = low < lane < high
        if lane in sources or lane == place:
            goes_on = lane == place or lane not in ending
            mark = _JOINTS[value is not None, goes_on, lane > low, lane < high]
        else:
            mark = _BAR if value is not None else _LINE if inside else " "
        text += mark + (_LINE if low <= lane < high else " ")
    return text.rstrip()
