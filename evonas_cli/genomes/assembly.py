"""The genomes of CoDeepNEAT: a blueprint over species of modules, and a module of each species that it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evonas_cli.genomes.choices import Locus
from evonas_cli.genomes.graph_differences import changes, differences
from evonas_cli.genomes.marked_graph import INPUT, OUTPUT, MarkedGraph, pointers

ENDS = {INPUT: "input", OUTPUT: "output"}


@dataclass(frozen=True, slots=True)
class Assembly:
    """A blueprint, with the global genes, and by ascending species the module of each species that it names."""

    blueprint: MarkedGraph
    modules: tuple[tuple[int, MarkedGraph], ...]


def assembly_differences(
    before: Assembly, after: Assembly, nodes: Sequence[Locus], overall: Sequence[Locus]
) -> Iterator[str]:
    """A text for each difference: of the global genes, of the blueprint, then of the modules, species by species.

    `nodes` names the genes of a module's nodes, `overall` the global ones: "momentum 0.9 \u2192 0.95", "blueprint: new
    node 3f2a: 1", "module of species 1: node 77c0: filters 32 \u2192 64".
    """
    old, new = before.blueprint, after.blueprint
    yield from changes(overall, old.genes, new.genes)
    old_modules, new_modules = dict(before.modules), dict(after.modules)
    known = sorted({*old_modules, *new_modules})
    yield from (f"blueprint: {text}" for text in differences(old, new, pointers(known), (), ENDS))
    for species in known:
        name = f"module of species {species}"
        if species not in old_modules:
            yield f"new {name}"
        elif species not in new_modules:
            yield f"without {name}"
        else:
            found = differences(old_modules[species], new_modules[species], nodes, (), ENDS)
            yield from (f"{name}: {text}" for text in found)
