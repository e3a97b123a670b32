"""What a search has explored: the forms that were proposed, and how often each region of the space was visited.

The archive of Rawal and Miikkulainen (2018), their hall of shame, keeps offspring away from where the search has been.
The details are ours: a region is a ball of a radius around its first genome. A genome belongs to the first region whose
centre is nearer than the radius, and otherwise founds one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Generic

from evonas_cli.core.persistent import PersistentDict
from evonas_cli.core.types import G
from evonas_cli.genomes.capabilities import Functional


@dataclass(frozen=True, slots=True)
class Region(Generic[G]):
    """A ball around `centre`, and how many proposals have been in it."""

    centre: G
    visits: int = 1


@dataclass(frozen=True, slots=True)
class Explored(Generic[G]):
    """How often each form was proposed; regions in the order in which they were founded; draws that were given up.

    `redrawn` counts these draws, `known` the proposals that were made although they are explored.
    """

    forms: PersistentDict[str, int] = field(default_factory=PersistentDict)
    regions: tuple[Region[G], ...] = ()
    redrawn: int = 0
    known: int = 0


def form_of(space: Any, genome: Any) -> str:
    """The genome's canonical form where the space knows one (`Functional`), else the genome as text."""
    if isinstance(space, Functional):
        return space.function_key(genome)
    return json.dumps(space.to_json(genome), sort_keys=True)


def region_of(explored: Explored[G], genome: G, radius: float, distance: Callable[[G, G], float]) -> int | None:
    """The number of the genome's region; None for one outside of all."""
    numbers = range(len(explored.regions))
    return next((number for number in numbers if distance(genome, explored.regions[number].centre) < radius), None)


def visited(explored: Explored[G], genome: G, form: str, region: int | None) -> Explored[G]:
    """With one more proposal of this form in this region; None is a new region."""
    forms = explored.forms.with_entries({form: explored.forms.get(form, 0) + 1})
    regions = explored.regions
    if region is None:
        regions = (*regions, Region(genome))
    else:
        more = replace(regions[region], visits=regions[region].visits + 1)
        regions = (*regions[:region], more, *regions[region + 1 :])
    return replace(explored, forms=forms, regions=regions)
