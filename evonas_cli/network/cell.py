"""A recurrent cell as a small graph of expressions: what h_t and the memories c_t are, given x_t, h_{t-1} and c_{t-1}.

Values are numbered: 0 is x_t, 1 is h_{t-1}, 2, 3, ... are the memories' last values, and the nodes follow in the order
in which they were added. The graph knows no sizes; x_t may have any width, every other value has that of h.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

INPUT, HIDDEN, FIRST_MEMORY = 0, 1, 2

LEARNED = ("linear", "affine")
COMBINERS = ("add", "multiply")
FUNCTIONS = ("tanh", "sigmoid", "relu")
COMPLEMENT = "complement"
UNARY = (*FUNCTIONS, COMPLEMENT)


@dataclass(frozen=True, slots=True)
class CellNode:
    """An operation on earlier values.

    `linear` multiplies one value with a matrix of the node's own, `affine` adds a vector of its own as well; `add` and
    `multiply` combine two values or more, number by number; `tanh`, `sigmoid`, `relu` and `complement`, 1 minus the
    value, take one.
    """

    op: str
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A checked cell: value `output` is h_t, and value `memories[k]` what memory k holds next.

    Raises ValueError for unknown operations, wrong numbers of sources, sources that do not come earlier, and for
    anything but `linear` and `affine` that reads x_t, whose width is its own.
    """

    nodes: tuple[CellNode, ...]
    output: int
    memories: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for value, node in enumerate(self.nodes, self.first_node):
            _check(value, node)
        last = self.first_node + len(self.nodes)
        for what, value in (("h_t", self.output), *((f"memory {k}", value) for k, value in enumerate(self.memories))):
            if not INPUT < value < last:
                raise ValueError(f"{what} is value {value}, which is no value as wide as h; there are 1 to {last - 1}")

    @property
    def first_node(self) -> int:
        """The number of the value that the first node computes."""
        return FIRST_MEMORY + len(self.memories)

    def learned(self) -> list[tuple[int, CellNode]]:
        """The nodes with weights, each with its value's number."""
        return [(value, node) for value, node in enumerate(self.nodes, self.first_node) if node.op in LEARNED]

    def parameters(self, width: int, hidden: int) -> int:
        """Trainable numbers, for x_t of `width` and h of `hidden` numbers."""
        return self.multiply_adds(width, hidden) + hidden * sum(node.op == "affine" for _, node in self.learned())

    def multiply_adds(self, width: int, hidden: int) -> int:
        """Multiplications with weights in one step, for one sequence; those of values with each other do not count."""
        return hidden * sum(width if node.sources[0] == INPUT else hidden for _, node in self.learned())


def _check(value: int, node: CellNode) -> None:
    if node.op not in (*LEARNED, *COMBINERS, *UNARY):
        raise ValueError(f"value {value}: there is no operation {node.op!r}")
    if len(node.sources) < 2 if node.op in COMBINERS else len(node.sources) != 1:
        raise ValueError(f"value {value}: {node.op} cannot take {len(node.sources)} values")
    if not all(0 <= source < value for source in node.sources):
        raise ValueError(f"value {value} reads {list(node.sources)}, which do not all come earlier")
    if INPUT in node.sources and node.op not in LEARNED:
        raise ValueError(f"value {value}: {node.op} reads x_t, whose width is its own; only linear and affine may")


class CellGraph:
    """A cell in the making, with `n_memories` memories."""

    def __init__(self, n_memories: int = 0) -> None:
        self.input, self.hidden = INPUT, HIDDEN
        self.memories = range(FIRST_MEMORY, FIRST_MEMORY + n_memories)
        self._nodes: list[CellNode] = []

    def add(self, op: str, *sources: int) -> int:
        """Adds a node and returns its value's number; "identity" adds nothing and returns its source."""
        if op == "identity":
            [value] = sources
            return value
        self._nodes.append(CellNode(op, sources))
        return self.memories.stop + len(self._nodes) - 1

    def cell(self, output: int, memories: Sequence[int] = ()) -> Cell:
        """The cell. Raises ValueError as Cell, and when a memory is left without a next value."""
        if len(memories) != len(self.memories):
            raise ValueError(f"there are {len(self.memories)} memories, and next values for {len(memories)}")
        return Cell(tuple(self._nodes), output, tuple(memories))
