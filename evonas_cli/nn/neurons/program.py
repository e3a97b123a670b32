"""A population of graphs of neurons as one program on a device: outputs of all members, gradients of all weights.

Every row of a table belongs to one member, and what is done with rows is done number by number or along one row. A
member's bits are therefore the same alone and in any company, and a number that is not finite stays in its member.
"""

from __future__ import annotations

import torch
from torch import Tensor

from evonas_cli.nn.neurons.backward import Backward
from evonas_cli.nn.neurons.forward import Forward
from evonas_cli.nn.neurons.order import Order
from evonas_cli.nn.neurons.tables import Tables


class Program:
    """Computes `width` examples at a time (`tables.filled`); `gradients` says whether it goes backwards, too."""

    def __init__(self, order: Order, width: int, device: torch.device, gradients: bool) -> None:
        self._tables = Tables(order, width, device)
        self._n_inputs, self._outputs = order.n_inputs, self._tables.index(order.outputs)
        self._forward = Forward(order, self._tables)
        self._backward = Backward(order, self._tables, self._forward) if gradients else None

    def forward(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """The outputs, (members x outputs, width), of inputs (inputs, width) under the weights of all links, (links,).

        Links are numbered member after member. What `backward` needs stays until the next call.
        """
        self._tables.values[: self._n_inputs].copy_(inputs)
        self._forward.run(weights)
        return self._tables.values.index_select(0, self._outputs)

    def backward(self, outer: Tensor, weights: Tensor) -> Tensor:
        """The gradients of all weights, (links,), from those of the outputs of the last `forward`, under its weights.

        The gradients must be 0 at examples that only fill up the width. Raises RuntimeError for a program that goes
        forwards alone.
        """
        if self._backward is None:
            raise RuntimeError("this program was made without gradients")
        return self._backward.run(outer, weights)
