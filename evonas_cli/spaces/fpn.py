"""Feature pyramids of merging cells (Ghiasi, Lin and Le, NAS-FPN, CVPR 2019).

A cell reads two of the maps before it, brings both to the size of its level (by the nearest pixel, or by max pooling),
merges them, and ends in ReLU, a 3x3 convolution and batch normalisation. `sum` adds them; `attention` is
coarse + fine x sigmoid(global maximum of coarse), channel by channel. First come cells of any level, then one for each
level of the pyramid, in an order that is searched, too; a map that no cell has read by then is added to the output of
its level. The whole is repeated, each pyramid with weights of its own.

Deviations: three levels in place of five; the two maps of a cell may be the same one, which the sum passes on, so that
the plain top-down pyramid (Lin et al., FPN, CVPR 2017) is a genome; a small residual backbone in place of ResNet-50.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import NamedTuple

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.genomes.choices import Choice, Genes, parse
from evonas_cli.genomes.independent import Independent
from evonas_cli.genomes.sketch import Sketch
from evonas_cli.network.detection import STRIDES
from evonas_cli.network.detector import LEVELS, check_boxes, head, lateral, normalised, resampled, residual, stem
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Phenotype, Task

MERGES = ("sum", "attention")
TOP_DOWN = "top_down"
"""The word for the plain top-down pyramid, in place of a list of genes."""
PLAIN: Genes = (2, 2, "sum", 2, 1, 3, "sum", 1, "2 1 0", 3, 3, "sum", 4, 4, "sum", 0, 4, "sum")
"""Its genes: the coarsest map, then the middle one with it; the outputs are both, and the finest with the latter."""


class MergingCell(NamedTuple):
    """The maps that a cell reads, as their places among inputs and cells, how it merges them, and its level."""

    first: int
    second: int
    merge: str
    level: int


class Fpn(Independent):
    """Feature pyramids for detection, built of merging cells (NAS-FPN: Ghiasi et al., 2019).

    Genomes are lists: of each of the `intermediate` cells the two maps it reads (0 to 2 are those of the backbone, the
    finest first, 3 and on the cells), its merge and its level; the order of the output levels; and of each output cell
    its two maps and its merge. With 2 intermediate cells `top_down` stands for the plain pyramid. The backbone begins
    with `channels`, the pyramid has `width`; `repeats` pyramids follow each other. Raises UsageError for numbers below
    1.
    """

    def __init__(self, channels: int = 8, width: int = 24, intermediate: int = 2, repeats: int = 2) -> None:
        for name, value in (("channels", channels), ("width", width), ("repeats", repeats)):
            if type(value) is not int or value < 1:
                raise UsageError(f"space.{name} must be a whole number of at least 1; it is {value!r}")
        if type(intermediate) is not int or not 0 <= intermediate <= 10:
            raise UsageError(f"space.intermediate must be a whole number from 0 to 10; it is {intermediate!r}")
        self.channels, self.width, self.repeats, self.intermediate = channels, width, repeats, intermediate
        order = Choice("order of levels", tuple([" ".join(map(str, one)) for one in permutations(range(LEVELS))]))
        found: list[Choice] = []
        for cell in range(intermediate + LEVELS):
            found += [order] if cell == intermediate else []
            maps = tuple(range(LEVELS + cell))
            found += [Choice(f"cell {cell} {which}", maps) for which in ("first", "second")]
            found.append(Choice(f"cell {cell} merge", MERGES))
            found += [Choice(f"cell {cell} level", tuple(range(LEVELS)))] if cell < intermediate else []
        self.choices: Sequence[Choice] = found

    def from_json(self, data: Json) -> Genes:
        """The inverse of `to_json`, and `top_down`. Raises ValueError that names the gene that does not fit."""
        return parse(self.choices, PLAIN if data == TOP_DOWN else data)

    def decode(self, genome: Genes, task: Task) -> Phenotype:
        """The network. Raises PlanError for a task without boxes."""
        check_boxes("fpn", task)
        graph = Graph(task.inputs)
        features, x = [], stem(graph, self.channels)
        for _ in range(LEVELS):
            x = residual(graph, x)
            features.append(x)
        pyramid = lateral(graph, features, self.width)
        for _ in range(self.repeats):
            pyramid = _pyramid(graph, pyramid, self._cells(genome))
        return Phenotype(graph.plan(head(graph, pyramid, task)))

    def sketches(self, genome: Genes) -> Sequence[Sketch]:
        """The maps of the backbone, each cell with its merge and stride, and who reads whom."""
        nodes = [f"map of stride {stride}" for stride in STRIDES]
        links = []
        for place, cell in enumerate(self._cells(genome)):
            role = "output" if place >= self.intermediate else "cell"
            nodes.append(f"{role}: {cell.merge}, stride {STRIDES[cell.level]}")
            links += [(source, len(nodes) - 1) for source in dict.fromkeys((cell.first, cell.second))]
        return [Sketch("pyramid", tuple(nodes), tuple(links), ())]

    def _cells(self, genome: Genes) -> list[MergingCell]:
        genes = iter(genome)
        found = []
        for _ in range(self.intermediate):
            first, second, merge, level = (next(genes) for _ in range(4))
            found.append(MergingCell(int(first), int(second), str(merge), int(level)))
        for level in str(next(genes)).split():
            first, second, merge = (next(genes) for _ in range(3))
            found.append(MergingCell(int(first), int(second), str(merge), int(level)))
        return found


def _pyramid(graph: Graph, features: Sequence[int], cells: Sequence[MergingCell]) -> list[int]:
    """The maps of the output cells, the finest first."""
    maps, levels, width = list(features), list(range(LEVELS)), graph.shape(features[0])[0]
    unread = set(range(LEVELS))
    for place, cell in enumerate(cells):
        unread -= {cell.first, cell.second}
        x = _merged(graph, maps, levels, cell)
        if place >= len(cells) - LEVELS:
            left = [one for one in sorted(unread) if levels[one] == cell.level]
            unread -= set(left)
            x = graph.add("add", x, *[maps[one] for one in left]) if left else x
        unread.add(len(maps))
        maps.append(normalised(graph, graph.add("relu", x), width, kernel=3))
        levels.append(cell.level)
    outputs = sorted(range(len(maps) - LEVELS, len(maps)), key=lambda one: levels[one])
    return [maps[one] for one in outputs]


def _merged(graph: Graph, maps: Sequence[int], levels: Sequence[int], cell: MergingCell) -> int:
    """Both maps as one, in the size of the cell's level."""
    sources = (cell.first, cell.second)
    sized = [resampled(graph, maps[source], levels[source], cell.level) for source in sources]
    if cell.merge == "sum":
        return sized[0] if cell.first == cell.second else graph.add("add", *sized)
    coarse, fine = sized if levels[cell.first] >= levels[cell.second] else reversed(sized)
    share = graph.add("sigmoid", graph.add("global_max", coarse))
    return graph.add("add", coarse, graph.add("multiply", fine, share))
