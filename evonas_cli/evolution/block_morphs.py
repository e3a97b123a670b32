"""Children of chains of convolutions in blocks (`genomes/blocks.py`) by one network morphism each, with the morphs.

Growth keeps the function: Elsken, Metzen and Hutter (2017), and Wei et al. (Network Morphism, ICML 2016). What makes
networks smaller keeps it about: Elsken et al. (LEMONADE, ICLR 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TypeAlias

from evonas_cli.genomes.blocks import SKIPS, Block, Blocks, Layer, Nodes, planned, width
from evonas_cli.genomes.morphing import Morphed
from evonas_cli.network.morphs.edit import MorphError
from evonas_cli.network.morphs.morph import Morph, replayed
from evonas_cli.network.plan import Plan
from evonas_cli.network.task import Task

LEAST = 2
"""Filters that a layer keeps when it is pruned."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Most layers of a block, most filters of a layer, the largest kernel, and whether there are skips."""

    layers: int
    filters: int
    kernel: int
    skips: bool


Child: TypeAlias = tuple[Block, tuple[Morph, ...]]
Kind: TypeAlias = Callable[[Block, Sequence[Nodes], Limits], Iterator[Child]]


def child(
    genome: Blocks, kinds: Sequence[Kind], limits: Limits, tasks: Sequence[Task], rng: Random
) -> Morphed[Blocks] | None:
    """A child by a kind of change, drawn from those that the genome has, at a place, drawn from all; None for none.

    The child has been checked: for all `tasks` its morphs lead from its parent's plan to its own. Tasks with grey and
    with coloured images stand for all, since only the first layer is another one.
    """
    parents = [planned(genome, task) for task in tasks]
    nodes = parents[0][1]
    for kind in rng.sample(kinds, len(kinds)):
        found = [
            ((*genome[:place], block, *genome[place + 1 :]), morphs)
            for place in range(len(genome))
            for block, morphs in kind(genome[place], nodes[place], limits)
        ]
        for blocks, morphs in rng.sample(found, len(found)):
            if all(_leads(plan, morphs, blocks, task) for (plan, _), task in zip(parents, tasks, strict=True)):
                return Morphed(blocks, tuple([morph.to_json() for morph in morphs]))
    return None


def _leads(plan: Plan, morphs: Sequence[Morph], blocks: Blocks, task: Task) -> bool:
    """Whether the morphs make the child's plan of the parent's, which is smaller unless all of them are exact."""
    try:
        after = replayed(plan, morphs)
    except MorphError:
        return False
    right = after.parameters < plan.parameters or all(morph.exact for morph in morphs)
    return right and after.nodes == planned(blocks, task)[0].nodes


def deeper(block: Block, nodes: Sequence[Nodes], limits: Limits) -> Iterator[Child]:
    """A layer more after any other, with an identity kernel and a normalisation that changes nothing."""
    for place in range(len(block) if len(block) < limits.layers else 0):
        filters, at = width(block, place), nodes[place].value
        for kernel in range(1, limits.kernel + 1, 2) if filters <= limits.filters else ():
            later = [_moved(layer, place, 1) for layer in block[place + 1 :]]
            morphs = Morph("deepen", at, {"kernel": kernel}), Morph("batch_norm", at + 1)
            yield (*block[: place + 1], Layer(filters, kernel), *later), morphs


def wider(block: Block, nodes: Sequence[Nodes], limits: Limits) -> Iterator[Child]:
    """Twice the filters of a layer."""
    for place, layer in enumerate(block):
        if 2 * layer.filters <= limits.filters:
            for outgoing in ("split", "zero"):
                settings = {"to": 2 * layer.filters, "outgoing": outgoing}
                wide = replace(layer, filters=2 * layer.filters)
                yield _with(block, place, wide), (Morph("widen", nodes[place].mixing, settings),)


def larger_kernels(block: Block, nodes: Sequence[Nodes], limits: Limits) -> Iterator[Child]:
    """A kernel larger by two."""
    for place, layer in enumerate(block):
        if layer.kernel + 2 <= limits.kernel:
            yield _with(block, place, replace(layer, kernel=layer.kernel + 2)), (Morph("kernel", nodes[place].first),)


def skipping(block: Block, nodes: Sequence[Nodes], limits: Limits) -> Iterator[Child]:
    """A skip to a layer that has none."""
    for place, layer in enumerate(block if limits.skips else ()):
        for source in range(place) if layer.skip == "none" else ():
            for join in SKIPS:
                at = nodes[place].norm if join == "add" else nodes[place].relu
                morph = Morph("skip", at, {"source": nodes[source].value, "join": join})
                yield _with(block, place, replace(layer, skip=join, source=source)), (morph,)


def shallower(block: Block, nodes: Sequence[Nodes], limits: Limits) -> Iterator[Child]:
    """Without a layer, of those that no skip ends or begins at."""
    sources = {layer.source for layer in block if layer.skip != "none"}
    for place, layer in enumerate(block if len(block) > 1 else ()):
        if layer.skip == "none" and place not in sources:
            later = [_moved(layer, place, -1) for layer in block[place + 1 :]]
            morph = Morph("remove", nodes[place].first, {"through": nodes[place].relu})
            yield (*block[:place], *later), (morph,)


def narrower(block: Block, nodes: Sequence[Nodes], limits: Limits) -> Iterator[Child]:
    """Half the filters of a layer."""
    for place, layer in enumerate(block):
        if layer.filters >= 2 * LEAST:
            half = layer.filters // 2
            yield (
                _with(block, place, replace(layer, filters=half)),
                (Morph("prune", nodes[place].mixing, {"to": half}),),
            )


def separated(block: Block, nodes: Sequence[Nodes], limits: Limits) -> Iterator[Child]:
    """A depthwise and a pointwise convolution in the place of one."""
    for place, layer in enumerate(block):
        if not layer.separable and layer.kernel > 1:
            yield _with(block, place, replace(layer, separable=True)), (Morph("separable", nodes[place].first),)


GROWTH: tuple[Kind, ...] = (deeper, wider, larger_kernels, skipping)
SHRINKING: tuple[Kind, ...] = (shallower, narrower, separated)


def _with(block: Block, place: int, layer: Layer) -> Block:
    return (*block[:place], layer, *block[place + 1 :])


def _moved(layer: Layer, place: int, step: int) -> Layer:
    """The layer with its skip from where it came, when layers from `place` on, or after it, have moved."""
    moves = layer.skip != "none" and (layer.source >= place if step > 0 else layer.source > place)
    return replace(layer, source=layer.source + step) if moves else layer
