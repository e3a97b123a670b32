"""Graphs of single neurons with evolved weights: the genomes of NEAT (Stanley and Miikkulainen, 2002).

    start: every input and the bias are linked to every output, and there is no hidden node; then by mutation
    weights are perturbed or redrawn, a link is added, a node splits a link, a link is switched on or off

A genome is a marked graph (genomes/marked_graph.py): a node gene has a function, a link gene a weight. All graphs are
feed-forward. With a palette of several functions the genomes are those of backprop NEAT (Ha, 2016).

Beside the paper: a function may be redrawn; a link is switched off only where every output still has a path; and where
a mutation would change nothing, every weight is perturbed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from evonas_cli.core.types import Json
from evonas_cli.evolution.graph_genomes import GraphGenomes, computed
from evonas_cli.genomes.marked_graph import MarkedGraph, items
from evonas_cli.network.neurons import Neurons


class NeuronGraphs(GraphGenomes):
    """Graphs of neurons for examples of `inputs` numbers, with `outputs` outputs; settings as for `GraphGenomes`."""

    def with_weights(self, genome: MarkedGraph, payload: Json) -> MarkedGraph:
        """`payload` is {"weights": [...]}, in the order of `decode_neurons`; links that compute nothing keep theirs."""
        given = items(payload.get("weights") if isinstance(payload, Mapping) else payload, "weights")
        ends = computed(genome)
        if len(given) != len(ends):
            raise ValueError(f"weights must be {len(ends)} numbers, not {len(given)}")
        [locus] = self._loci.links
        trained = dict(zip(ends, [locus.check(weight) for weight in given], strict=True))
        links = [replace(link, genes=(trained[link.ends],)) if link.ends in trained else link for link in genome.links]
        return replace(genome, links=tuple(links))

    def decode_neurons(self, genome: MarkedGraph, n_inputs: int, n_outputs: int) -> Neurons:
        """What is computed of the graph. Raises ValueError for a task of other numbers of inputs or outputs."""
        for key, ours, theirs in (("inputs", self._inputs, n_inputs), ("outputs", self._outputs, n_outputs)):
            if ours != theirs:
                raise ValueError(f"space.{key}={ours}, but the task has {theirs} {key}; set space.{key}={theirs}")
        return self._network(genome)
