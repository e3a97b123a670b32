"""The game of a layer's units: how good a network is of which only some units of a layer take part.

A unit that takes no part is zero where the next layers with weights read it, behind activation, normalisation, pooling
and dropout. That is what removing it leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

import torch
from torch import Tensor

from evonas_cli.compression.units import Layer, Units
from evonas_cli.network.task import Kind
from evonas_cli.nn.build import Network

NUMBERS = 1 << 23
"""The most numbers of one value that are computed at once, unless a single coalition has more."""


class Coalitions:
    """The payoffs of coalitions of a layer's units, on the device of the examples.

    `x` (N, *inputs) are normalised examples and `y` their targets; `score` is one of SCORES. The network is in
    evaluation mode, with its weights, and is not changed. What depends on no unit of the layer is computed once.
    """

    def __init__(
        self, network: Network, units: Units, layer: Layer, x: Tensor, y: Tensor, score: Callable[..., Tensor]
    ) -> None:
        self._network, self._plan, self._y, self._score = network, network.plan, y, score
        self._layer, self._examples = layer, len(x)
        place = {unit: n for n, unit in enumerate(layer.units)}
        self._places = {
            reader: torch.tensor([place.get(unit, len(place)) for unit in units.of[self._plan.nodes[reader].inputs[0]]])
            for reader in units.readers(self._plan, layer)
        }
        self._changing = self._changed()
        self._fixed = self._before(x)
        largest = max(prod(self._plan.shapes[one]) for index in self._changing for one in self._near(index))
        self._at_once = max(1, NUMBERS // (largest * self._examples))

    @torch.inference_mode()
    def __call__(self, coalitions: Tensor) -> Tensor:
        """Payoffs (C,) float64 of coalitions (C, n) bool."""
        return torch.cat([self._payoffs(part) for part in torch.split(coalitions, self._at_once)])

    def _changed(self) -> list[int]:
        """The nodes whose values depend on who takes part."""
        found: list[int] = []
        for index, node in enumerate(self._plan.nodes):
            if index in self._places or set(found).intersection(node.inputs):
                found.append(index)
        return found

    def _near(self, index: int) -> tuple[int, ...]:
        return (index, *self._plan.nodes[index].inputs)

    @torch.inference_mode()
    def _before(self, x: Tensor) -> dict[int, Tensor]:
        """The values that do not change and are read by nodes that do."""
        values = {0: x}
        for index, layer in enumerate(self._network.layers.values(), start=1):
            if index not in self._changing:
                values[index] = layer(*[values[source] for source in self._plan.nodes[index].inputs])
        wanted = {source for index in self._changing for source in self._plan.nodes[index].inputs}
        return {index: value for index, value in values.items() if index in wanted}

    def _payoffs(self, coalitions: Tensor) -> Tensor:
        count, layers = len(coalitions), list(self._network.layers.values())
        members = torch.cat([coalitions, torch.ones(count, 1, dtype=torch.bool)], dim=1)
        values = {index: value.repeat(count, *[1] * (value.dim() - 1)) for index, value in self._fixed.items()}
        for index in self._changing:
            inputs = [values[source] for source in self._plan.nodes[index].inputs]
            if index in self._places:
                inputs[0] = self._masked(inputs[0], members[:, self._places[index]])
            values[index] = layers[index - 1](*inputs)
        outputs = values[self._plan.output].view(count, self._examples, -1).float()
        return self._score(outputs, self._y).double().cpu()

    def _masked(self, value: Tensor, mask: Tensor) -> Tensor:
        """A value (C N, channels, ...) with zeros at the channels that a mask (C, channels) leaves out."""
        wide = mask.to(value.device, value.dtype).view(len(mask), 1, -1, *[1] * (value.dim() - 2))
        return (value.view(len(mask), self._examples, *value.shape[1:]) * wide).view_as(value)


def _right_classes(outputs: Tensor, y: Tensor) -> Tensor:
    return (outputs.argmax(2) == y).double().mean(1)


def _right_labels(outputs: Tensor, y: Tensor) -> Tensor:
    return ((outputs > 0) == (y > 0.5)).double().mean((1, 2))


def _explained(outputs: Tensor, y: Tensor) -> Tensor:
    return 1 - (outputs - y).double().square().mean((1, 2))


SCORES: Mapping[Kind, Callable[[Tensor, Tensor], Tensor]] = {
    "classes": _right_classes,
    "labels": _right_labels,
    "numbers": _explained,
}
"""The payoff of outputs (C, N, O) for targets as in training, (C,), by kind of task: the share of right classes, or of
right labels; for numbers 1 - the mean squared error of the standardised targets."""
