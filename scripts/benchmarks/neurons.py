"""Populations of neurons: trained as one program and one by one with autograd, and computed beside neat-python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import exp, sin, tanh
from random import Random
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from evonas_cli.data.planar import Spirals
from evonas_cli.network.neurons import FUNCTIONS, SQUARE_LIMIT, STEEPNESS, Neurons
from evonas_cli.network.task import Task
from evonas_cli.nn.neurons.order import order
from evonas_cli.nn.neurons.program import Program
from evonas_cli.training.neurons.columns import Part
from evonas_cli.training.neurons.descent import descend
from evonas_cli.training.neurons.heads import Binary
from evonas_cli.training.neurons.settings import Descent

EXAMPLES = 200
HIDDEN = 10
LEARNING_RATE = 0.01
TASK = Task((2,), 2)
CPU = torch.device("cpu")


def population(count: int, n_links: int, seed: int = 0) -> list[Neurons]:
    """Random graphs of two inputs, HIDDEN nodes of any function, and one output."""
    rng = Random(seed)
    return [_graph(rng, n_links) for _ in range(count)]


def _graph(rng: Random, n_links: int) -> Neurons:
    first, last = 3, 3 + HIDDEN
    pairs = {(target, rng.randrange(target)) for target in range(first, last + 1)}
    free = sorted({(target, source) for target in range(first, last + 1) for source in range(target)} - pairs)
    pairs |= set(rng.sample(free, max(0, n_links - len(pairs))))
    links = tuple([(source, target) for target, source in sorted(pairs)])
    functions = (*[rng.choice(FUNCTIONS) for _ in range(HIDDEN)], "add")
    return Neurons(2, 1, functions, links, tuple([rng.gauss(0.0, 0.25) for _ in links]))


def data() -> tuple[np.ndarray, np.ndarray, Part]:
    """Points, classes, and both as a part."""
    splits = Spirals(noise=0.5, seed=0, n_train=EXAMPLES, n_valid=2, n_test=2).prepare(0)
    return splits.x_train, splits.y_train, Part(splits.x_train, splits.y_train, splits.task, CPU)


def trained_together(graphs: Sequence[Neurons], updates: int, batch: int | None) -> float:
    """Updates a second of all graphs together, as one program."""
    torch.set_num_threads(1)
    _, _, part = data()
    weights = torch.tensor([weight for graph in graphs for weight in graph.weights], dtype=torch.float32)
    settings = Descent(
        steps=updates,
        optimizer="rmsprop",
        learning_rate=LEARNING_RATE,
        batch=batch,
        weight_decay=0.0,
        clip=None,
        weight_limit=None,
        check_every=None,
    )
    started = perf_counter()
    descend(graphs, [updates] * len(graphs), weights, settings, Binary(), part, 0)
    return len(graphs) * updates / (perf_counter() - started)


def trained_one_by_one(graphs: Sequence[Neurons], updates: int, batch: int | None) -> float:
    """Updates a second of one graph after the other, with autograd and torch's own RMSProp."""
    torch.set_num_threads(1)
    points, classes, _ = data()
    x, y = torch.tensor(points.T.copy()), torch.tensor(classes, dtype=torch.float32)
    started = perf_counter()
    for graph in graphs:
        module = Plain(graph)
        optimizer = torch.optim.RMSprop([module.weights], lr=LEARNING_RATE)
        for _ in range(updates):
            chosen = slice(None) if batch is None else torch.randint(len(y), (batch,))
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(module(x[:, chosen])[0], y[chosen]).backward()
            optimizer.step()
    return len(graphs) * updates / (perf_counter() - started)


class Plain:
    """A graph as a few lines of torch: each node multiplies its weights with the values that it reads."""

    FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "gaussian": lambda z: torch.exp(-0.5 * z * z),
        "sine": torch.sin,
        "abs": torch.abs,
        "square": lambda z: z.clamp(-SQUARE_LIMIT, SQUARE_LIMIT).square(),
        "add": lambda z: z,
        "steepened_sigmoid": lambda z: torch.sigmoid(STEEPNESS * z),
    }

    def __init__(self, graph: Neurons) -> None:
        self.weights = torch.tensor(graph.weights, requires_grad=True)
        self.n_outputs, self.nodes, start = graph.n_outputs, [], 0
        for node, function in enumerate(graph.functions, start=graph.first_node):
            sources = [source for source, target in graph.links if target == node]
            self.nodes.append((function, sources, slice(start, start + len(sources))))
            start += len(sources)

    def __call__(self, x: Tensor) -> Tensor:
        """The outputs (outputs, B) of inputs (inputs, B)."""
        values = [*x.unbind(), torch.ones(x.shape[1])]
        for function, sources, own in self.nodes:
            read = torch.stack([values[source] for source in sources])
            if function == "multiply":
                values.append((self.weights[own, None] * read).prod(0))
            else:
                values.append(self.FUNCTIONS[function](self.weights[own] @ read))
        return torch.stack(values[-self.n_outputs :])


def computed_together(graphs: Sequence[Neurons], examples: int) -> tuple[float, np.ndarray]:
    """Graphs a second, from graphs to outputs, and the outputs (graphs, examples)."""
    torch.set_num_threads(1)
    inputs = _plane(examples)
    started = perf_counter()
    weights = torch.tensor([weight for graph in graphs for weight in graph.weights], dtype=torch.float32)
    part = Part(inputs, np.zeros(examples), TASK, CPU)
    program = Program(order(graphs), part.width, CPU, gradients=False)
    outputs = torch.cat([program.forward(piece.inputs, weights)[:, : piece.count] for piece in part.pieces], 1)
    return len(graphs) / (perf_counter() - started), outputs.numpy()


def computed_by_neat_python(graphs: Sequence[Neurons], examples: int) -> tuple[float, np.ndarray]:
    """The same with neat-python's `FeedForwardNetwork`, from its genomes to outputs."""
    from neat.nn import FeedForwardNetwork

    config, genomes = _config(graphs[0]), [_genome(graph) for graph in graphs]
    inputs = [tuple(map(float, point)) for point in _plane(examples)]
    started = perf_counter()
    outputs = []
    for genome in genomes:
        network = FeedForwardNetwork.create(genome, config)
        outputs.append([network.activate(point)[0] for point in inputs])
    return len(graphs) / (perf_counter() - started), np.array(outputs)


def _plane(examples: int) -> np.ndarray:
    rng = Random(1)
    return np.array([[rng.uniform(-1, 1) for _ in range(2)] for _ in range(examples)], dtype=np.float32)


def _config(graph: Neurons) -> Any:
    """What `FeedForwardNetwork.create` asks of a configuration, with evonas' functions."""
    from neat.activations import ActivationFunctionSet
    from neat.aggregations import AggregationFunctionSet

    activations = ActivationFunctionSet()
    for name, function in _numbers().items():
        activations.add(f"evonas_{name}", function)
    inputs = [-1 - number for number in range(graph.n_inputs)]
    own = SimpleNamespace(
        input_keys=inputs,
        output_keys=list(range(graph.n_outputs)),
        activation_defs=activations,
        aggregation_function_defs=AggregationFunctionSet(),
    )
    return SimpleNamespace(genome_config=own)


def _numbers() -> dict[str, Callable[[float], float]]:
    """Functions of single numbers."""
    return {
        "sigmoid": lambda z: 1.0 / (1.0 + exp(-z)),
        "tanh": lambda z: tanh(z),
        "relu": lambda z: max(z, 0.0),
        "gaussian": lambda z: exp(-0.5 * z * z),
        "sine": lambda z: sin(z),
        "abs": lambda z: abs(z),
        "square": lambda z: min(max(z, -SQUARE_LIMIT), SQUARE_LIMIT) ** 2,
        "multiply": lambda z: z,
        "add": lambda z: z,
        "steepened_sigmoid": lambda z: 1.0 / (1.0 + exp(min(700.0, -STEEPNESS * z))),
    }


def _genome(graph: Neurons) -> Any:
    """The same graph as a genome of neat-python: the bias's links are biases of nodes, or factors of products."""
    first, last = graph.first_node, graph.first_node + graph.n_hidden
    keys = {value: -1 - value for value in range(graph.n_inputs)}
    keys |= {value: graph.n_outputs + value - first for value in range(first, last)}
    keys |= {last + output: output for output in range(graph.n_outputs)}
    nodes, connections = {}, {}
    for value, function in enumerate(graph.functions, start=first):
        product = function == "multiply"
        nodes[keys[value]] = SimpleNamespace(
            activation=f"evonas_{function}", aggregation="product" if product else "sum", bias=0.0, response=1.0
        )
    for (source, target), weight in zip(graph.links, graph.weights, strict=True):
        node = nodes[keys[target]]
        if source == graph.n_inputs and node.aggregation == "product":
            node.response = weight
        elif source == graph.n_inputs:
            node.bias = weight
        else:
            ends = keys[source], keys[target]
            connections[ends] = SimpleNamespace(key=ends, weight=weight, enabled=True)
    return SimpleNamespace(nodes=nodes, connections=connections)
