"""Path encoding: a bit for each sequence of operations from input to output (White, Neiswanger and Savani, AAAI 2021).

Which networks are alike then depends neither on the order of nodes nor on operations that the output does not need.
Truncation (section 5 of the paper) keeps paths of at most `LONGEST` operations. Beside the paper: a longer path gives
all its windows of `LONGEST` operations, without which deep networks would have no bits.

Cells are encoded where a space sketches them (`Sketched`), each with bits of its own; else the canonical plan of the
whole network, whose operations are its layers: those that multiply and add, and pooling. A skip is no operation here,
so that the cells of NAS-Bench-201 have 1 + 3 + 3^2 + 3^3 bits in all; the authors count skips and `none`, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.genomes.capabilities import Sketched
from evonas_cli.genomes.sketch import Sketch
from evonas_cli.network.canonical import normal_form
from evonas_cli.network.ops import OPS
from evonas_cli.network.plan import Plan
from evonas_cli.surrogates.plans import TRIED, network, nominal_task, remembered

LONGEST = 3
"""Operations of a path that is one bit."""
POOLS = ("max_pool", "avg_pool", "max_pool1d", "avg_pool1d", "global_avg_pool", "lstm", "gru")
"""Operations that count as layers beside those whose multiply-adds are counted."""

Path: TypeAlias = tuple[str, ...]
Bits: TypeAlias = frozenset[Path]


def path_bits(space: Any) -> Callable[[Any], Bits]:
    """The function that gives a genome's bits. A genome without a network has none.

    Raises UsageError for a space whose samples all have the same bits, such as one that sets the trainer alone.
    """
    task = None if isinstance(space, Sketched) else nominal_task(space)

    def bits(genome: Any) -> Bits:
        if task is None:
            return frozenset().union(*map(of_sketch, space.sketches(genome)))
        found = network(space, genome, task)
        return frozenset() if found is None else of_plan(found.plan)

    rng = stream(0, "path_bits")
    if len({bits(space.sample(rng)) for _ in range(TRIED)}) == 1:
        raise UsageError(f"the networks of {type(space).__name__} all have the same paths, which thus tell nothing; "
                         "choose another kernel or encoding")  # fmt: skip
    return remembered(bits)


def of_sketch(sketch: Sketch) -> Bits:
    """The bits of a part, each path with the part's title before it. Where there are several inputs, paths begin with
    the input's name."""
    sources: list[list[int]] = [[] for _ in sketch.nodes]
    for source, target in sketch.links:
        sources[target].append(source)
    read = {source for source, _ in sketch.links}
    outer = [index for index, word in enumerate(sketch.nodes) if word not in sketch.joins]
    starts = [index for index in outer if not sources[index]]
    ends = [index for index in outer if sources[index] and index not in read]
    silent = {*ends, *(starts if len(starts) == 1 else ())}
    words = [None if index in silent or word in sketch.joins else word for index, word in enumerate(sketch.nodes)]
    return frozenset((sketch.title, *path) for path in _paths(words, sources, starts, ends))


def of_plan(plan: Plan) -> Bits:
    """The bits of a whole network."""
    form = normal_form(plan)
    words = [
        label.decode() if kind in POOLS or (kind in OPS and OPS[kind].multiply_adds is not None) else None
        for label, kind in zip(form.labels, form.kinds, strict=True)
    ]
    sources = [[source for source, _ in edges] for edges in form.edges]
    starts = [index for index, kind in enumerate(form.kinds) if kind == "input"]
    return frozenset(_paths(words, sources, starts, [len(words) - 1]))


def _paths(
    words: Sequence[str | None], sources: Sequence[Sequence[int]], starts: Sequence[int], ends: Sequence[int]
) -> set[Path]:
    """Whole paths of at most `LONGEST` operations and the windows of longer ones.

    `words` names each node's operation, None for a node that only joins. `tails` holds for each node the last
    operations of all ways from a start, whole where they are still short.
    """
    needed = set(ends)
    for index in range(len(words) - 1, -1, -1):
        if index in needed:
            needed.update(sources[index])
    found: set[Path] = set()
    tails: list[set[tuple[bool, Path]]] = [set() for _ in words]
    for index, word in enumerate(words):
        if index not in needed:
            continue
        arriving = {(True, ())} if index in starts else set().union(*[tails[source] for source in sources[index]])
        for whole, path in arriving:
            if word is not None:
                path = (*path, word)
                whole, path = whole and len(path) <= LONGEST, path[-LONGEST:]
                if len(path) == LONGEST:
                    found.add(path)
            tails[index].add((whole, path))
        if index in ends:
            found |= {path for whole, path in tails[index] if whole}
    return found
