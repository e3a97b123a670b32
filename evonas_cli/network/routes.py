"""Routes of tasks through shared modules: directed acyclic graphs, as text and as data.

    "0<0 2<0+1 out<1+2"

is a route of two nodes. Value 0 is what the encoder gives; node 1 is module 0 on value 0, node 2 is module 2 on a
weighted sum of the values 0 and 1, and the decoder reads a weighted sum of the values 1 and 2. The weights are learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

OUT = "out"
"""What stands for the decoder, which reads the last of the sums."""
APART = " / "
"""Between two routes."""


@dataclass(frozen=True, slots=True)
class Route:
    """`modules` has the module of each node, `sources` the values that each node reads, and last those of the decoder.

    Raises ValueError for a value that does not come earlier, is read twice or not at all, and for a module below 0.
    """

    modules: tuple[int, ...]
    sources: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if not self.modules or len(self.sources) != len(self.modules) + 1 or min(self.modules) < 0:
            raise ValueError("a route has a node or more, each with a module, and a decoder")
        for node, sources in enumerate(self.sources, start=1):
            if not sources or tuple(sorted(set(sources))) != sources or not 0 <= sources[0] <= sources[-1] < node:
                raise ValueError(f"node {node} reads {list(sources)}, which are not earlier values in ascending order")
        unread = set(range(len(self.modules) + 1)) - {source for sources in self.sources for source in sources}
        if unread:
            raise ValueError(f"no node reads value {min(unread)}")

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """All edges (source, node) in the order of their weights; the decoder is the last node."""
        return tuple([(source, node) for node, sources in enumerate(self.sources, start=1) for source in sources])

    def __str__(self) -> str:
        """The route as text."""
        words = [*map(str, self.modules), OUT]
        return " ".join(f"{word}<{'+'.join(map(str, read))}" for word, read in zip(words, self.sources, strict=True))

    @classmethod
    def parse(cls, text: str) -> Route:
        """The inverse of `str`. Raises ValueError for what is no route."""
        *nodes, last = [word.partition("<") for word in text.split()] or [("", "", "")]
        words = [node for node, _, _ in nodes]
        reads = [read.split("+") for _, _, read in (*nodes, last)]
        if last[0] != OUT or not all(word.isdecimal() for word in (*words, *(one for read in reads for one in read))):
            raise ValueError(f"{text[:60]!r} is no route such as '0<0 2<0+1 out<1+2'")
        return cls(tuple(map(int, words)), tuple([tuple(map(int, read)) for read in reads]))

    def ancestors(self, node: int) -> list[int]:
        """The values from which a way leads to a node, in ascending order."""
        found: set[int] = set()
        waiting = list(self.sources[node - 1])
        while waiting:
            value = waiting.pop()
            if value not in found:
                found.add(value)
                waiting += self.sources[value - 1] if value else ()
        return sorted(found)

    def inserted(self, start: int, end: int, module: int) -> Route:
        """The route with a further node right before node `end`, which reads `start` and is read by `end`."""
        moved = [tuple([source + (source >= end) for source in sources]) for sources in self.sources]
        moved[end - 1] = (*moved[end - 1], end)
        return Route((*self.modules[: end - 1], module, *self.modules[end - 1 :]),
                     (*moved[: end - 1], (start,), *moved[end - 1 :]))  # fmt: skip

    def changed(self, node: int, module: int) -> Route:
        """The route with another module at a node."""
        return Route((*self.modules[: node - 1], module, *self.modules[node:]), self.sources)


def challenger(champion: Route, modules: int, most: int, rng: Random) -> tuple[Route, int]:
    """A mutant (Liang et al., 2018): an ancestor u and a node v are drawn, and a random module is put between them.

    A champion of `most` nodes changes the module of one of them. Returns the mutant and its new node (0: it has none).
    """
    if len(champion.modules) >= most:
        node = rng.randrange(len(champion.modules)) + 1
        others = [module for module in range(modules) if module != champion.modules[node - 1]]
        return (champion.changed(node, rng.choice(others)) if others else champion), 0
    pairs = [(u, v) for v in range(1, len(champion.sources) + 1) for u in champion.ancestors(v)]
    start, end = rng.choice(pairs)
    return champion.inserted(start, end, rng.randrange(modules)), end


def written(routes: tuple[Route, ...]) -> str:
    """Routes as the setting of an operation."""
    return APART.join(map(str, routes))


def parsed(text: str) -> tuple[Route, ...]:
    """The inverse of `written`. Raises ValueError for what are no routes."""
    return tuple([Route.parse(one) for one in text.split(APART.strip())])
