"""A space whose genomes are graphs of neurons themselves, for tests of what evaluates neurons."""

from __future__ import annotations

from random import Random

from evonas_cli.core.types import Json
from evonas_cli.network.neurons import FUNCTIONS, Neurons


def random_neurons(
    rng: Random, n_inputs: int, n_outputs: int, n_hidden: int, n_links: int, scale: float = 1.0
) -> Neurons:
    """Hidden nodes of any function, each with a link at least, linear outputs, and more links up to `n_links`.

    An output may be left without a link.
    """
    first, last = n_inputs + 1, n_inputs + 1 + n_hidden
    pairs = {(target, rng.randrange(target)) for target in range(first, last)}
    free = [(target, source) for target in range(first, last + n_outputs) for source in range(min(target, last))]
    rng.shuffle(free)
    while len(pairs) < n_links and free:
        pairs.add(free.pop())
    links = tuple([(source, target) for target, source in sorted(pairs)])
    functions = (*[rng.choice(FUNCTIONS) for _ in range(n_hidden)], *["add"] * n_outputs)
    return Neurons(n_inputs, n_outputs, functions, links, tuple([rng.gauss(0.0, scale) for _ in links]))


class Graphs:
    """Graphs of up to five hidden nodes between `n_inputs` and `n_outputs`; a genome decodes to itself."""

    def __init__(self, n_inputs: int = 2, n_outputs: int = 1) -> None:
        self._ends = n_inputs, n_outputs

    def sample(self, rng: Random) -> Neurons:
        return random_neurons(rng, *self._ends, rng.randrange(6), rng.randrange(3, 12))

    def to_json(self, genome: Neurons) -> Json:
        links = [list(link) for link in genome.links]
        return [genome.n_inputs, genome.n_outputs, list(genome.functions), links, list(genome.weights)]

    def from_json(self, data: Json) -> Neurons:
        try:
            n_inputs, n_outputs, functions, links, weights = data  # type: ignore[misc, union-attr]
            ends = [(source, target) for source, target in links]  # type: ignore[union-attr, misc]
            return Neurons(n_inputs, n_outputs, tuple(functions), tuple(ends), tuple(weights))  # type: ignore[arg-type]
        except TypeError as error:
            raise ValueError(f"{str(data)[:80]} is no graph") from error

    def decode_neurons(self, genome: Neurons, n_inputs: int, n_outputs: int) -> Neurons:
        if (genome.n_inputs, genome.n_outputs) != (n_inputs, n_outputs):
            raise ValueError(f"the graph has {genome.n_inputs} inputs and {genome.n_outputs} outputs")
        return genome
