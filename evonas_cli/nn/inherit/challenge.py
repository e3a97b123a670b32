"""Weights of the next champions and challengers: those of the winners, for both of them, and of the shared modules.

A new challenger computes nearly what its champion computes: an edge from its new node has the weight ALPHA among those
of its target, whose others keep their proportions (Liang, Meyerson and Miikkulainen, GECCO 2018).
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor

from evonas_cli.network.morphs.challenge import made_of
from evonas_cli.network.morphs.edit import Change, MorphError
from evonas_cli.network.morphs.morph import Morph
from evonas_cli.network.plan import Plan
from evonas_cli.network.routes import Route, parsed
from evonas_cli.nn.inherit.weights import Weights, of_node, prefix

ALPHA = 0.1


def challenge(
    before: Plan, change: Change, weights: Weights, morph: Morph, generator: torch.Generator, examples: Tensor
) -> Weights:
    """All weights but those of the routes are the parent's. Raises MorphError where a champion is no winner."""
    at, own = morph.at, of_node(before, weights, morph.at)
    old, new = [parsed(str(dict(plan.nodes[at].params)["routes"])) for plan in (before, change.plan)]
    edges = torch.split(own["edges"], [len(route.edges) for route in old])
    found = {key: value for key, value in own.items() if key.startswith("shared.")}
    made = made_of(str(morph.settings["made"]))
    inherited: dict[int, Tensor] = {}
    for task, (won, node) in enumerate(made):
        source = task + won * len(made)
        if source >= len(old) or new[task] != old[source]:
            raise MorphError(f"task {task + 1}: its champion is no route that has won")
        inherited[task] = edges[source]
        _copy_decoder(own, source, found, task)
        if morph.settings["rivals"]:
            rival = task + len(made)
            inherited[rival] = _mutated(new[task], edges[source], new[rival], node)
            _copy_decoder(own, source, found, rival)
    found["edges"] = torch.cat([inherited[place] for place in sorted(inherited)])
    name = prefix(change.plan, at)
    rest = {key: value for key, value in weights.items() if not key.startswith(name)}
    return rest | {name + key: value.clone() for key, value in found.items()}


def _copy_decoder(own: Weights, source: int, found: Weights, place: int) -> None:
    for key in ("weight", "bias"):
        found[f"decoders.{place}.{key}"] = own[f"decoders.{source}.{key}"]


def _mutated(champion: Route, weights: Tensor, rival: Route, new: int) -> Tensor:
    """The weights of a challenger's edges, whose node `new` is not in the champion (0: all are)."""
    known = {edge: weights[place] for place, edge in enumerate(champion.edges)}

    def before(value: int) -> int:
        return value - (0 < new < value)

    found = []
    for source, node in rival.edges:
        if new and node == new:
            found.append(weights.new_zeros(()))
        elif new and source == new:
            others = [known[before(other), before(node)] for other in rival.sources[node - 1] if other != new]
            found.append(log(ALPHA / (1 - ALPHA)) + torch.stack(others).logsumexp(0))
        elif (before(source), before(node)) in known:
            found.append(known[before(source), before(node)])
        else:
            raise MorphError(f"the challenger {rival} is not the champion {champion} with the new node {new}")
    return torch.stack(found)
