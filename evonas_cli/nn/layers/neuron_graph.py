"""A graph of single neurons as one layer, for exported networks; populations of graphs are computed by nn/neurons."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from evonas_cli.network.neuron_ops import neurons_of
from evonas_cli.network.neurons import SQUARE_LIMIT, STEEPNESS
from evonas_cli.network.op import Settings, Shape


class NeuronGraph(nn.Module):
    """(batch, inputs) to (batch, outputs): single neurons, each with a function, and a weight on each link.

    Values are numbered: the inputs, the bias 1, then the nodes, of which the last are the outputs. `links` are pairs of
    a source and a target, sorted by target.
    """

    def __init__(
        self, inputs: int, outputs: int, functions: tuple[str, ...], links: tuple[tuple[int, int], ...]
    ) -> None:
        super().__init__()
        self.outputs = outputs
        self.weights = nn.Parameter(torch.zeros(len(links)))
        self.nodes: list[tuple[str, int, list[int]]] = []
        first = 0
        for node, function in enumerate(functions, inputs + 1):
            sources = [source for source, target in links if target == node]
            self.nodes.append((function, first, sources))
            first += len(sources)

    def forward(self, x: Tensor) -> Tensor:
        values = [*x.unbind(1), torch.ones_like(x[:, 0])]
        for function, first, sources in self.nodes:
            if not sources:
                values.append(torch.zeros_like(x[:, 0]))
                continue
            terms = torch.stack([values[source] for source in sources], 1)
            values.append(self.value(function, terms * self.weights[first : first + len(sources)]))
        return torch.stack(values[-self.outputs :], 1)

    def value(self, function: str, terms: Tensor) -> Tensor:
        """What a node makes of its weighted inputs, (batch, inputs): a number for each example, (batch,)."""
        z = terms.prod(1) if function == "multiply" else terms.sum(1)
        if function == "sigmoid":
            return torch.sigmoid(z)
        if function == "steepened_sigmoid":
            return torch.sigmoid(STEEPNESS * z)
        if function == "tanh":
            return torch.tanh(z)
        if function == "relu":
            return torch.relu(z)
        if function == "gaussian":
            return torch.exp(-z * z / 2)
        if function == "sine":
            return torch.sin(z)
        if function == "abs":
            return torch.abs(z)
        if function == "square":
            return z.clamp(-SQUARE_LIMIT, SQUARE_LIMIT).square()
        return z  # add, multiply


def neuron_graph(shapes: Sequence[Shape], settings: Settings, generator: torch.Generator) -> NeuronGraph:
    """(batch, features) to (batch, `outputs`), with weights from N(0, 1)."""
    graph = neurons_of(shapes[0][0], settings)
    layer = NeuronGraph(graph.n_inputs, graph.n_outputs, graph.functions, graph.links)
    nn.init.normal_(layer.weights, generator=generator)
    return layer
