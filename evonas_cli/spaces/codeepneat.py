"""The networks of CoDeepNEAT: a blueprint of module species, a module for each (Miikkulainen et al., 2017).

A blueprint is a graph whose nodes point to species. Every node that points to a species is replaced by the same module:
equal layers, but weights of its own. A module is a graph of layers, of one of the lists of genomes/module_layers.py: on
images a node is

    convolution (filters, kernel, scale of initial weights), batch normalisation, ReLU, [2x2 max-pool], dropout

and the head is global average pooling with a linear layer. Where several links meet, larger maps are halved by 2x2
max-pooling down to the smallest one, then all are concatenated or, after linear projections (1x1 convolutions) to the
widest where channels differ, summed.

Deviations: the paper evolves augmentation as well, which belongs to the data set here; the kind of merge is a gene of
the blueprint; batch normalisation follows every convolution, and the weight scale multiplies the standard deviation of
He et al. (2015); a network of the prior has up to `initial_nodes` nodes in each graph, where 1 gives the paper's
minimal ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.evolution import neat
from evonas_cli.evolution.neat import GraphLoci
from evonas_cli.genomes.assembly import Assembly, assembly_differences
from evonas_cli.genomes.choices import Choice, Gene, Genes, Locus, named
from evonas_cli.genomes.marked_graph import (
    INPUT,
    OUTPUT,
    MarkedGraph,
    NodeGene,
    active,
    graph_from_json,
    graph_to_json,
    items,
    members,
    pointer,
    pointers,
)
from evonas_cli.genomes.module_layers import OPERATIONS, POOLINGS, Images, LayerList, Sequences, Vectors, fitting
from evonas_cli.genomes.options import words
from evonas_cli.genomes.ranges import Integer, Real
from evonas_cli.genomes.sketch import Sketch, sketch_of
from evonas_cli.network.inputs import refusal
from evonas_cli.network.merging import merged
from evonas_cli.network.plan import Graph
from evonas_cli.network.task import Phenotype, Task

MERGES = ("concat", "sum")
ACTIVATIONS = ("relu", "gelu", "tanh")
LISTS = {"image": "images", "series": "sequences", "tokens": "sequences", "vector": "vectors"}
"""The layer list by what an example is."""
TRAINED = ("learning_rate", "momentum", "nesterov", "weight_decay")
"""Global genes that are settings of the trainer."""
STEP_SCALE = 0.2
Layer = Callable[[int, NodeGene], int]


class Assemblies:
    """CoDeepNEAT's networks: blueprints over species of modules, with training settings (Miikkulainen et al., 2017).

    Ranges are [low, high], equal ends fix the value; lists are the options. `filters`, `kernels`, `dropout`,
    `weight_scale` and `max_pool` are genes of nodes; `merge`, `learning_rate` (log), `momentum`, `nesterov` and
    `weight_decay` (log; null: no gene) are global ones, the last four override the trainer's, and so is `activation`
    (null: no gene, but ReLU). `projection` allows linear projections before a sum. `layers` names the list of layers
    that modules are of: images, sequences, vectors, or auto, which a run takes by its data and which is images
    elsewhere. `operations` are genes of nodes of sequences, `pooling` and `embedding` global ones. `species` and
    `initial_nodes` are the prior's. Raises UsageError for values out of range.
    """

    def __init__(
        self,
        filters: Sequence[int] = (32, 256),
        kernels: Sequence[int] = (1, 3),
        dropout: Sequence[float] = (0.0, 0.7),
        weight_scale: Sequence[float] = (0.0, 2.0),
        max_pool: Sequence[bool] = (False, True),
        merge: Sequence[str] = MERGES,
        projection: bool = True,
        learning_rate: Sequence[float] = (1e-4, 0.1),
        momentum: Sequence[float] = (0.68, 0.99),
        nesterov: Sequence[bool] = (False, True),
        weight_decay: Sequence[float] | None = None,
        species: int = 3,
        initial_nodes: int = 1,
        layers: str = "auto",
        operations: Sequence[str] = OPERATIONS,
        pooling: Sequence[str] = POOLINGS,
        embedding: Sequence[int] = (16, 64),
        activation: Sequence[str] | None = None,
    ) -> None:
        for name, value in (("species", species), ("initial_nodes", initial_nodes)):
            _require(type(value) is int and value >= 1, name, "a whole number of at least 1", value)
        _require(all(kernel % 2 and kernel > 0 for kernel in kernels), "kernels", "odd numbers above 0", kernels)
        _require(set(merge) <= set(MERGES), "merge", f"a list of {', '.join(MERGES)}", merge)
        if "sum" in merge and not projection:
            raise UsageError(
                "space.merge has sum, which needs space.projection=true where channels differ; set space.merge=[concat]"
            )
        _require(layers in ("auto", *LISTS.values()), "layers", "auto, images, sequences or vectors", layers)
        width = _whole("filters", filters)
        column = _locus("kernels", lambda: Choice("kernel", tuple(kernels)))
        rate = _locus("dropout", lambda: Real("dropout", *_range("dropout", dropout, 0, 0.999)))
        scale = _locus("weight_scale", lambda: Real("weight_scale", *_range("weight_scale", weight_scale, 0, 1e6)))
        pool = _locus("max_pool", lambda: Choice("max_pool", tuple(max_pool)))
        operation = Choice("layer", words("operations", operations, OPERATIONS))
        end = Choice("pooling", words("pooling", pooling, POOLINGS))
        self._lists: dict[str, LayerList] = {
            "images": Images((width, column, rate, scale, pool)),
            "sequences": Sequences((operation, width, column, rate, scale), (end, _whole("embedding", embedding))),
            "vectors": Vectors((width, rate)),
        }
        self._auto, self._name = layers == "auto", "images" if layers == "auto" else layers
        self._layers = self._lists[self._name]
        self.node_loci: tuple[Locus, ...] = self._layers.node_loci
        rates = [("learning_rate", learning_rate), ("weight_decay", weight_decay)]
        self.global_loci: tuple[Locus, ...] = (
            _locus("merge", lambda: Choice("merge", tuple(merge))),
            _locus("momentum", lambda: Real("momentum", *_range("momentum", momentum, 0, 0.999999))),
            _locus("nesterov", lambda: Choice("nesterov", tuple(nesterov))),
            *[_logarithmic(name, ends) for name, ends in rates if ends is not None],
            *([] if activation is None else [Choice("activation", words("activation", activation, ACTIVATIONS))]),
            *self._layers.global_loci,
        )
        if True in nesterov:
            _require(momentum[0] > 0, "momentum", "above 0 where space.nesterov may be true", momentum)
        self.species, self.initial_nodes = species, initial_nodes

    def suited(self, examples: str) -> Mapping[str, Json]:
        """The list of layers for image, series, tokens or vector, where `layers` is auto."""
        return {"layers": LISTS[examples]} if self._auto and examples in LISTS else {}

    def draw_module(self, rng: Random) -> MarkedGraph:
        """1 to `initial_nodes` nodes, evenly; as many links more as nodes more, at most."""
        return self._draw(GraphLoci(self.node_loci), rng)

    def draw_blueprint(self, species: Sequence[int], rng: Random) -> MarkedGraph:
        """As a module, its nodes pointing to uniformly drawn species, its global genes from their priors."""
        return self._draw(self._blueprint_loci(species), rng)

    def assemble(self, blueprint: MarkedGraph, modules: Mapping[int, MarkedGraph]) -> Assembly:
        """The genome; modules of species that the blueprint does not name are left out."""
        pointed = sorted({pointer(node) for node in blueprint.nodes})
        return Assembly(blueprint, tuple([(species, modules[species]) for species in pointed]))

    def sample(self, rng: Random) -> Assembly:
        """Random assembly: a blueprint over `species` species and a random module for each."""
        modules = {species: self.draw_module(rng) for species in range(self.species)}
        return self.assemble(self.draw_blueprint(range(self.species), rng), modules)

    def mutate(self, genome: Assembly, rng: Random) -> Assembly:
        """One change (`evolution.neat.change`) of the blueprint or of one of the modules, drawn uniformly.

        A species that the blueprint names for the first time gets a new module.
        """
        modules = dict(genome.modules)
        place = rng.randrange(len(modules) + 1)
        if place < len(modules):
            species = genome.modules[place][0]
            modules[species] = neat.change(modules[species], GraphLoci(self.node_loci), STEP_SCALE, rng)
            return self.assemble(genome.blueprint, modules)
        species_known = sorted({*range(self.species), *modules})
        blueprint = neat.change(genome.blueprint, self._blueprint_loci(species_known), STEP_SCALE, rng)
        for node in blueprint.nodes:
            if pointer(node) not in modules:
                modules[pointer(node)] = self.draw_module(rng)
        return self.assemble(blueprint, modules)

    def recombine(self, parents: Sequence[Assembly], rng: Random) -> Assembly:
        """Blueprints and the modules of one species cross by their marks (`evolution.neat.crossover`), as equally fit.

        A species that one parent alone has comes from there.
        """
        blueprint, modules = parents[0].blueprint, dict(parents[0].modules)
        for parent in parents[1:]:
            blueprint = neat.crossover(blueprint, parent.blueprint, True, rng)
            for species, module in parent.modules:
                ours = modules.get(species)
                modules[species] = module if ours is None else neat.crossover(ours, module, True, rng)
        return self.assemble(blueprint, modules)

    def to_json(self, genome: Assembly) -> Json:
        """The global genes by name, the blueprint, and its modules."""
        genes = named(self.global_loci, genome.blueprint.genes)
        modules = [{"species": species, **graph_to_json(module, self.node_loci)} for species, module in genome.modules]
        return {"genes": genes, "blueprint": graph_to_json(genome.blueprint, pointers([0])), "modules": modules}

    def from_json(self, data: Json) -> Assembly:
        """The inverse of `to_json`. Raises ValueError for anything else, with the reason."""
        fields = members(data, ("genes", "blueprint", "modules"), "a network")
        names = [locus.name for locus in self.global_loci]
        given = members(fields["genes"], names, "genes")
        genes: Genes = tuple([locus.check(given[locus.name]) for locus in self.global_loci])
        modules: dict[int, MarkedGraph] = {}
        for item in items(fields["modules"], "modules"):
            module = dict(members(item, ("species", "nodes", "links", "disabled"), "a module"))
            species = module.pop("species")
            if type(species) is not int or species < 0 or species in modules:
                raise ValueError(f"species of modules are different whole numbers of at least 0, not {species!r}")
            modules[species] = _graph(f"module {species}", module, self.node_loci)
        if not modules:
            raise ValueError("modules must name at least one")
        blueprint = _graph("blueprint", fields["blueprint"], pointers(sorted(modules)), genes)
        genome = self.assemble(blueprint, modules)
        if len(genome.modules) < len(modules):
            raise ValueError("the blueprint does not point to every species in modules")
        return genome

    def sketches(self, genome: Assembly) -> Sequence[Sketch]:
        """The blueprint, then the module of each species that it names; links that are disabled are left out."""
        return [
            sketch_of("blueprint", genome.blueprint, lambda node: f"species {pointer(node)}"),
            *[
                sketch_of(f"module of species {species}", module, lambda node: self._layers.words(node.genes))
                for species, module in genome.modules
            ],
        ]

    def differences(self, before: Assembly, after: Assembly) -> Sequence[str]:
        """Of the global genes, the blueprint and the modules."""
        return list(assembly_differences(before, after, self.node_loci, self.global_loci))

    def decode(self, genome: Assembly, task: Task) -> Phenotype:
        """The network, and its training settings. Raises PlanError for inputs that `layers` does not read."""
        own = self._layers
        if not own.fits(task):
            cures = [f"space.layers={name}" for name in fitting(self._lists, task)]
            raise refusal("codeepneat", f"{own.reads} with space.layers={self._name}", task, cures)
        genes = named(self.global_loci, genome.blueprint.genes)
        modules, graph = dict(genome.modules), Graph(task.inputs)

        def layer(x: int, node: NodeGene) -> int:
            return own.layer(graph, x, node, task, genes)

        def module(x: int, node: NodeGene) -> int:
            return wire(graph, modules[pointer(node)], x, genes["merge"], layer)

        x = wire(graph, genome.blueprint, own.stem(graph, task, genes), genes["merge"], module)
        x = own.head(graph, x, task, genes)
        plan = graph.plan(graph.add("linear", x, features=task.outputs))
        return Phenotype(plan, {name: gene for name, gene in genes.items() if name in TRAINED})

    def _blueprint_loci(self, species: Sequence[int]) -> GraphLoci:
        return GraphLoci(pointers(species), self.global_loci)

    def _draw(self, loci: GraphLoci, rng: Random) -> MarkedGraph:
        n_nodes = rng.randint(1, self.initial_nodes)
        return neat.grow(n_nodes, rng.randint(0, n_nodes - 1), loci, rng)


def wire(graph: Graph, marked: MarkedGraph, x: int, merge: Gene, layer: Layer) -> int:
    """Adds a marked graph on top of `x`, with `layer` for each of its nodes that is computed; returns its output."""
    nodes = {node.mark: node for node in marked.nodes}
    outputs = {INPUT: x}
    for mark, sources in active(marked).items():
        x = merged(graph, [outputs[source] for source in sources], merge == "concat")
        outputs[mark] = x if mark == OUTPUT else layer(x, nodes[mark])
    return outputs[OUTPUT]


def _graph(what: str, data: Json, loci: Sequence[Locus], genes: Genes = ()) -> MarkedGraph:
    try:
        return graph_from_json(data, loci, genes)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def _locus(key: str, make: Callable[[], Locus]) -> Locus:
    try:
        return make()
    except ValueError as error:
        raise UsageError(f"space.{key} does not fit: {error}") from None


def _logarithmic(key: str, ends: Sequence[float]) -> Locus:
    return _locus(key, lambda: Real(key, *_range(key, ends, 0, 1e6), log=True))


def _whole(key: str, ends: Sequence[int]) -> Locus:
    low, high = _range(key, ends, 1, 2**31)
    return _locus(key, lambda: Integer(key, int(low), int(high)))


def _range(key: str, ends: Sequence[float], low: float, high: float) -> tuple[float, float]:
    fits = len(ends) == 2 and all(low <= end <= high for end in ends)
    _require(fits, key, f"[low, high] within [{low:g}, {high:g}]", ends)
    return ends[0], ends[1]


def _require(holds: bool, key: str, rule: str, value: object) -> None:
    if not holds:
        shown = list(value) if isinstance(value, tuple) else value
        raise UsageError(f"space.{key} must be {rule}; it is {shown!r}")
