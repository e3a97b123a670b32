"""A dictionary as a value: adding gives a new one that shares what was there, at a logarithmic price.

The logarithmic method of Bentley and Saxe (Decomposable searching problems, 1980): entries lie in layers, dictionaries
of falling size; what is added becomes the last layer, merged with those before it that are not larger.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class PersistentDict(Mapping[K, V]):
    """Immutable. For n entries a look-up takes O(log n), adding m of them one by one O(m log n) in all.

    Keys keep the order in which they were first added, as in a dict.
    """

    __slots__ = ("_layers",)

    def __init__(self, entries: Mapping[K, V] | None = None) -> None:
        self._layers: tuple[dict[K, V], ...] = (dict(entries),) if entries else ()

    def with_entries(self, new: Mapping[K, V]) -> PersistentDict[K, V]:
        """This dictionary with the entries of `new` added or in the place of those with equal keys."""
        if not new:
            return self
        layers, last = list(self._layers), dict(new)
        while layers and len(layers[-1]) <= len(last):
            last = layers.pop() | last
        grown = PersistentDict[K, V]()
        grown._layers = (*layers, last)
        return grown

    def __getitem__(self, key: K) -> V:
        for layer in reversed(self._layers):
            if key in layer:
                return layer[key]
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return any(key in layer for layer in self._layers)

    def __iter__(self) -> Iterator[K]:
        return iter(self._merged())

    def __len__(self) -> int:
        return len(self._merged())

    def items(self) -> ItemsView[K, V]:
        """As in a dict; in one pass over the layers instead of a look-up a key."""
        return self._merged().items()

    def __repr__(self) -> str:
        return f"PersistentDict({self._merged()!r})"

    def _merged(self) -> dict[K, V]:
        merged: dict[K, V] = {}
        for layer in self._layers:
            merged.update(layer)
        return merged
