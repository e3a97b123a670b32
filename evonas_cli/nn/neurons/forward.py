"""The values of all nodes of a population, level by level."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from evonas_cli.nn.neurons.functions import VALUES
from evonas_cli.nn.neurons.order import Level, Order
from evonas_cli.nn.neurons.tables import Tables, parts


class Forward:
    """Fills the tables' values and sums."""

    def __init__(self, order: Order, tables: Tables) -> None:
        links = [np.concatenate([level.sums.links, level.products.links]) for level in order.levels]
        self._index = tables.index(np.concatenate([np.zeros(0, dtype=np.int64), *links]))
        self._weights = torch.empty(len(self._index), device=tables.device)
        room = tables.table(max([len(level.sums.links) for level in order.levels], default=0))
        weights = parts(self._weights.view(-1, 1), [len(own) for own in links])
        self.levels = [
            ForwardLevel(level, order, tables, own, room) for level, own in zip(order.levels, weights, strict=True)
        ]

    def run(self, weights: Tensor) -> None:
        """With the weights of all links, (links,)."""
        torch.index_select(weights, 0, self._index, out=self._weights)
        for level in self.levels:
            level.run()


class ForwardLevel:
    """One level. The terms of sums are forgotten, in `room` for all levels; for the way back the `factors` of products
    are kept, and beside each factor the product of the `earlier` ones."""

    def __init__(self, level: Level, order: Order, tables: Tables, weights: Tensor, room: Tensor) -> None:
        sums, products, self._values = level.sums, level.products, tables.values
        self._terms, self._term_weights = room[: len(sums.links)], weights[: len(sums.links)]
        self._term_sources = tables.index(order.sources[sums.links])
        rounds = list(parts(self._terms, sums.sizes))
        self._rounds = [(rounds[0][: len(terms)], terms) for terms in rounds[1:]]
        self._totals = rounds[0] if rounds else self._terms
        self._sum_rows, self._sums = tables.index(sums.rows), tables.sums[level.start : level.middle]
        self._functions = [
            (VALUES[name], tables.sums[start:stop], tables.values[start:stop])
            for name, start, stop in level.functions
            if start < level.middle
        ]
        self._factor_sources = tables.index(order.sources[products.links])
        self._factor_weights = weights[len(sums.links) :]
        self.factors, self.earlier = (tables.table(len(products.links)) for _ in range(2))
        pairs = zip(parts(self.factors, products.sizes), parts(self.earlier, products.sizes), strict=True)
        self._product = tables.table(len(products.rows))
        self._product_rounds = [(self._product[: len(factors)], factors, earlier) for factors, earlier in pairs]
        self._product_rows, self._products = tables.index(products.rows), tables.values[level.middle : level.stop]

    def run(self) -> None:
        """Takes the values of lower levels."""
        if self._functions:
            torch.index_select(self._values, 0, self._term_sources, out=self._terms).mul_(self._term_weights)
            for totals, terms in self._rounds:
                totals.add_(terms)
            torch.index_select(self._totals, 0, self._sum_rows, out=self._sums)
            for function, sums, values in self._functions:
                function(sums, values)
        if self._product_rounds:
            torch.index_select(self._values, 0, self._factor_sources, out=self.factors).mul_(self._factor_weights)
            self._product.fill_(1.0)
            for product, factors, earlier in self._product_rounds:
                earlier.copy_(product)
                product.mul_(factors)
            torch.index_select(self._product, 0, self._product_rows, out=self._products)
