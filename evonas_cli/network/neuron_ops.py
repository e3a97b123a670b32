"""The operation `neurons`: a whole graph of single neurons (network/neurons.py) as one layer on a vector.

`functions` are the names of the nodes' functions with spaces between them, `links` are pairs `source-target` as in
`Neurons`: functions="tanh add", links="0-3 2-3 1-4 3-4". The last `outputs` nodes are the features that come out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evonas_cli.network.neurons import SQUARE_LIMIT, STEEPNESS, Link, Neurons
from evonas_cli.network.op import Op, Setting, Settings, Shape, Text
from evonas_cli.network.source import Source

CLASS = "evonas_cli.nn.layers.neuron_graph:NeuronGraph"


def settings_of(neurons: Neurons) -> dict[str, int | str]:
    """The settings of the operation that computes the graph; the weights are no part of them."""
    links = " ".join(f"{source}-{target}" for source, target in neurons.links)
    return {"outputs": neurons.n_outputs, "functions": " ".join(neurons.functions), "links": links}


def neurons_of(inputs: int, settings: Settings) -> Neurons:
    """The graph of so many inputs that settings describe, with weights of 0. Raises ValueError for anything else."""
    functions, links = tuple(settings["functions"].split()), tuple(map(_link, settings["links"].split()))
    return Neurons(inputs, settings["outputs"], functions, links, (0.0,) * len(links))


def _link(word: str) -> Link:
    source, _, target = word.partition("-")
    if not (source.isdecimal() and target.isdecimal()):
        raise ValueError(f"links must be pairs such as 0-3 with spaces between them; {word!r} is none")
    return int(source), int(target)


def _shape(shapes: Sequence[Shape], settings: Settings) -> Shape:
    if len(shapes[0]) != 1:
        raise ValueError("it needs a vector of shape (features,); put flatten before it")
    return (neurons_of(shapes[0][0], settings).n_outputs,)


def _links(shapes: Sequence[Shape], settings: Settings) -> int:
    return len(settings["links"].split())


def _source(shapes: Sequence[Shape], settings: Settings) -> Source:
    graph = neurons_of(shapes[0][0], settings)
    layer = f"NeuronGraph({graph.n_inputs}, {graph.n_outputs}, {graph.functions!r}, {graph.links!r})"
    lines = (
        f"STEEPNESS = {STEEPNESS}  # of steepened_sigmoid",
        f"SQUARE_LIMIT = {SQUARE_LIMIT}  # of square",
    )
    return Source(layer=layer, classes=(CLASS,), lines=lines)


NEURON_OPS: Mapping[str, Op] = {
    "neurons": Op(
        shape=_shape,
        build="evonas_cli.nn.layers.neuron_graph:neuron_graph",
        stack=None,
        settings={"outputs": Setting(), "functions": Text(), "links": Text()},
        parameters=_links,
        multiply_adds=_links,
        keeps_zero=False,
        source=_source,
    )
}
"""The operation by its name; it has no stacked form, since jobs of neurons have programs of their own."""
