"""What is said of two graphs of neurons that differ."""

from __future__ import annotations

from random import Random

from evonas_cli.evolution import neat
from evonas_cli.genomes.marked_graph import LinkGene, MarkedGraph, marked_graph
from evonas_cli.report.page.lineage import changes
from evonas_cli.spaces.neurons import NeuronGraphs

SPACE = NeuronGraphs(inputs=2, functions=("sine",))
GENOME = SPACE.sample(Random(0))


def reweighted(weight: float, enabled: bool = True) -> MarkedGraph:
    """The genome with another weight of the link from the first input."""
    first, *others = GENOME.links
    changed = LinkGene(*first.ends, enabled, (weight,))
    return marked_graph(GENOME.nodes, [changed, *others], (), GENOME.terminals)


def test_a_changed_weight_and_a_switched_link_are_named_by_their_ends() -> None:
    assert SPACE.differences(reweighted(-0.19), reweighted(-1.9)) == ["input 1 to output: weight -0.19 \u2192 -1.9"]
    assert SPACE.differences(reweighted(1.0), reweighted(1.0, enabled=False)) == ["input 1 to output: off"]


def test_a_new_neuron_and_its_links_are_named_by_the_neuron() -> None:
    grown = neat.add_node(GENOME, SPACE._loci, Random(0))
    texts = SPACE.differences(GENOME, grown)
    [name] = [text.removeprefix("new ").removesuffix(": sine") for text in texts if text.endswith(": sine")]
    assert len(texts) == 4 and sum(text.startswith("new link ") and name in text for text in texts) == 2
    assert all(": weight " in text for text in texts if text.startswith("new link "))
    assert sum(text.endswith(": off") for text in texts) == 1
    assert f"without {name}" in SPACE.differences(grown, GENOME)


def test_reports_say_what_the_space_says_and_compare_json_where_a_genome_is_of_an_older_form() -> None:
    before, after = (SPACE.to_json(reweighted(weight)) for weight in (0.5, 0.25))
    assert changes(before, after, SPACE) == ["input 1 to output: weight 0.5 \u2192 0.25"]
    assert changes({"old": 1}, {"old": 2}, SPACE) == ["old: 1 \u2192 2"]
