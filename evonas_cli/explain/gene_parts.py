"""The parts of a network as its genome names them: each gene set to the option that makes the smallest network.

A gene of a cell stands for an operation in all of the network's cells, so that what is left out is what was found.
"""

from __future__ import annotations

from typing import Any

from evonas_cli.explain.parts import Part, Parts
from evonas_cli.genomes.capabilities import Buildable, Linear
from evonas_cli.network.canonical import canonical_hash
from evonas_cli.network.plan import Plan, PlanError
from evonas_cli.network.task import Task

OPTIONS = 32
"""Options of a gene up to which each is tried."""


def gene_parts(space: Any, genome: Any, task: Task) -> Parts | None:
    """A part for each gene that has an option with a smaller network; None for genomes that are no lists of options.

    Genes without which the network would be the same one are one part. The smallest network is that with the fewest
    parameters, then multiply-adds, then nodes. Options that change settings of the training are none of the
    network's.
    """
    if not isinstance(space, Linear) or not isinstance(space, Buildable):
        return None
    whole: Any = space.decode(genome, task)
    found, kept, own = dict[str, Part](), list[str](), canonical_hash(whole.plan)
    for place, locus in enumerate(space.choices):
        smaller = []
        for option in locus.grid if locus.grid is not None and len(locus.grid) <= OPTIONS else ():
            try:
                other: Any = space.decode((*genome[:place], option, *genome[place + 1 :]), task)
            except PlanError:
                continue
            if other.hyper == whole.hyper and _size(other.plan) < _size(whole.plan):
                smaller.append((_size(other.plan), option, other.plan))
        name, least = f"{locus.name} {genome[place]}", min(smaller, key=lambda one: one[0], default=None)
        if least is None:
            kept.append(name)
        else:
            key, said = canonical_hash(least[2]), f"{name} ({least[1]} in its place)"
            before = [] if key not in found else [found[key].name]
            found[key] = Part(", or ".join([*before, said]), least[2])
    dead = found.pop(own, None)
    note = [f"{'; '.join(kept)}: no option makes a smaller network"] if kept else []
    note += [f"{dead.name}: the network would be the same"] if dead is not None else []
    return Parts(tuple(found.values()), tuple(note)) if found else None


def _size(plan: Plan) -> tuple[int, int, int]:
    return plan.parameters, plan.multiply_adds, len(plan.nodes)
