"""The gradients of all weights of a population, level by level from the last one to the inputs.

A link is met at the level of its source. The gradient of the link's term, times the source's value, is the gradient of
its weight; times the weight it is a part of the gradient of the source's value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evonas_cli.nn.neurons.forward import Forward, ForwardLevel
from evonas_cli.nn.neurons.functions import SLOPES
from evonas_cli.nn.neurons.order import Level, Numbers, Order
from evonas_cli.nn.neurons.tables import Tables, parts, row_sums


@dataclass(frozen=True)
class Room:
    """Tables that all levels use.

    `terms` are gradients of links' terms, and `products` these times the sources' values; `values` and `gradient` are
    those of the nodes of one level. `outer` has the gradients of the outputs behind a row of zeros, and `gradients`
    those of all sums and all factors, in the rows that `Order.gradients` names.
    """

    terms: Tensor
    products: Tensor
    values: Tensor
    gradient: Tensor
    outer: Tensor
    gradients: Tensor


class Backward:
    """Goes back through what a `Forward` has left in the tables and in its levels."""

    def __init__(self, order: Order, tables: Tables, forward: Forward) -> None:
        leaving = [level.leaving.links for level in order.levels]
        links = np.concatenate([*leaving, order.from_inputs])
        sizes = [*[len(own) for own in leaving], len(order.from_inputs)]
        self._room = _room(order, tables, max(sizes))
        self._values, self._input_sizes = tables.values, order.input_sizes
        self._index = tables.index(links)
        self._weights, self._found = (torch.zeros(len(links) + 1, device=tables.device) for _ in range(2))
        places = np.full(len(order.members), len(links))  # what leaves a constant 0 finds the 0 behind all others
        places[links] = np.arange(len(links))
        self._places = tables.index(places)
        weights, found = parts(self._weights.view(-1, 1), sizes), list(parts(self._found, sizes))
        outer = np.zeros(order.n_rows, dtype=np.int64)
        outer[order.outputs] = 1 + np.arange(len(order.outputs))
        self._levels = [
            _NodesBack(level, order, tables, self._room, made)
            for level, made in zip(order.levels, forward.levels, strict=True)
        ]
        self._links = [
            _LinksBack(level, order, tables, self._room, outer, own, there)
            for level, own, there in zip(order.levels, weights, found, strict=False)
        ]
        self._targets, self._from_inputs = tables.index(order.gradients[order.from_inputs]), found[-1]

    def run(self, outer: Tensor, weights: Tensor) -> Tensor:
        """The gradients of all weights, (links,), from those of all outputs, (members x outputs, width)."""
        self._room.outer[1:].copy_(outer)
        torch.index_select(weights, 0, self._index, out=self._weights[:-1])
        for links, level in zip(reversed(self._links), reversed(self._levels), strict=True):
            links.run()
            level.run()
        terms = self._room.terms[: len(self._targets)]
        torch.index_select(self._room.gradients, 0, self._targets, out=terms)
        for row, own in enumerate(parts(terms, self._input_sizes[:-1])):
            own.mul_(self._values[row])
        self._from_inputs.copy_(row_sums(terms))
        return self._found.index_select(0, self._places)


def _room(order: Order, tables: Tables, most_links: int) -> Room:
    most_nodes = max([level.stop - level.start for level in order.levels], default=0)
    n_factors = sum(len(level.products.links) for level in order.levels)
    rows = (most_links, most_links, most_nodes, most_nodes, len(order.outputs) + 1, order.n_rows + n_factors)
    room = Room(*[tables.table(n) for n in rows])
    room.outer[0].zero_()
    return room


class _LinksBack:
    """The links that leave a level: the gradients of its nodes' values go to the nodes' rows of `Room.gradients`, those
    of the links' weights to `found`."""

    def __init__(
        self,
        level: Level,
        order: Order,
        tables: Tables,
        room: Room,
        outer: Numbers,
        weights: Tensor,
        found: Tensor,
    ) -> None:
        leaving, n_nodes = level.leaving, level.stop - level.start
        self._room, self._weights, self._found = room, weights, found
        self._outer = tables.index(outer[level.start + leaving.nodes])
        self._targets = tables.index(order.gradients[leaving.links])
        self._level, self._own = tables.values[level.start : level.stop], room.gradients[level.start : level.stop]
        self._nodes, self._rows = tables.index(leaving.nodes), tables.index(leaving.rows)
        self._values, self._gradient = room.values[:n_nodes], room.gradient[:n_nodes]
        self._terms, self._products = room.terms[: len(leaving.links)], room.products[: len(leaving.links)]
        tables_of_links = (parts(table, leaving.sizes) for table in (self._terms, self._products))
        self._rounds = [
            (self._values[: len(terms)], self._gradient[: len(terms)], terms, products)
            for terms, products in zip(*tables_of_links, strict=True)
        ]

    def run(self) -> None:
        torch.index_select(self._room.outer, 0, self._outer, out=self._gradient)
        if self._rounds:
            torch.index_select(self._room.gradients, 0, self._targets, out=self._terms)
            torch.index_select(self._level, 0, self._nodes, out=self._values)
            for values, _, terms, products in self._rounds:
                torch.mul(values, terms, out=products)
            self._found.copy_(row_sums(self._products))
            self._terms.mul_(self._weights)
            for _, gradient, terms, _ in self._rounds:
                gradient.add_(terms)
        torch.index_select(self._gradient, 0, self._rows, out=self._own)


class _NodesBack:
    """The nodes of a level: the gradients of their values become those of their sums, or of their factors."""

    def __init__(self, level: Level, order: Order, tables: Tables, room: Room, made: ForwardLevel) -> None:
        self._functions = [
            (SLOPES[name], tables.sums[start:stop], tables.values[start:stop], room.gradients[start:stop])
            for name, start, stop in level.functions
            if start < level.middle
        ]
        links, self._nodes = level.products.links, tables.index(level.products.nodes)
        self._products = room.gradients[level.middle : level.stop]
        self._later = tables.table(level.stop - level.middle)
        factors = room.gradients[order.gradients[links[0]] :] if len(links) else room.gradients[:0]
        runs = (parts(table, level.products.sizes) for table in (factors, made.factors, made.earlier))
        self._rounds = [(self._later[: len(own)], own, made, before) for own, made, before in zip(*runs, strict=True)]

    def run(self) -> None:
        for slope, sums, values, gradient in self._functions:
            slope(sums, values, gradient)
        if self._rounds:
            torch.index_select(self._products, 0, self._nodes, out=self._later)
            for later, own, factors, earlier in reversed(self._rounds):
                torch.mul(earlier, later, out=own)
                later.mul_(factors)
