"""What a space may offer beside sampling: each protocol is one capability, and a class that has the methods has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Protocol, TypeVar, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.protocols import Space
from evonas_cli.core.types import Json
from evonas_cli.genomes.captioning import Captioning as Captioning
from evonas_cli.genomes.choices import Genes, Locus
from evonas_cli.genomes.configuring import Applying as Applying
from evonas_cli.genomes.configuring import Configuring as Configuring
from evonas_cli.genomes.configuring import Defaulting as Defaulting
from evonas_cli.genomes.configuring import Suited as Suited
from evonas_cli.genomes.configuring import Tuning as Tuning
from evonas_cli.genomes.denoising import Denoising as Denoising
from evonas_cli.genomes.differing import Differing as Differing
from evonas_cli.genomes.ensembling import Ensembling as Ensembling
from evonas_cli.genomes.growing import Growable as Growable
from evonas_cli.genomes.marked_graph import MarkedGraph
from evonas_cli.genomes.morphing import Morphing
from evonas_cli.genomes.routing import Routing as Routing
from evonas_cli.genomes.sketch import Sketch
from evonas_cli.genomes.walk import Kinds, Program
from evonas_cli.network.cell import Cell
from evonas_cli.network.neurons import Neurons
from evonas_cli.network.relaxed import Path, Relaxed, Superplan
from evonas_cli.network.task import Phenotype, Task

G = TypeVar("G")
C = TypeVar("C", contravariant=True)


K = TypeVar("K", covariant=True)


@runtime_checkable
class Buildable(Protocol[C], metaclass=Capability):
    """Capability: genomes decode to networks."""

    def decode(self, genome: C, task: Task) -> Phenotype:
        """The network for the task. Raises PlanError when the genome has none (a map smaller than its kernel)."""


@runtime_checkable
class Recurrent(Protocol[C], metaclass=Capability):
    """Capability: genomes decode to cells of recurrent networks."""

    def decode_cell(self, genome: C) -> Cell:
        """The cell; it knows neither its width nor that of its input."""


@runtime_checkable
class Neural(Protocol[C], metaclass=Capability):
    """Capability: genomes decode to graphs of single neurons, with their weights."""

    def decode_neurons(self, genome: C, n_inputs: int, n_outputs: int) -> Neurons:
        """The graph: `space.decode_neurons(genome, 2, 1)` for points of the plane in two classes.

        The outputs' values are numbers of any size: the job makes probabilities of them. Raises ValueError when the
        genome has other numbers of inputs or outputs.
        """


@runtime_checkable
class Scored(Protocol[C], metaclass=Capability):
    """Capability: the space carries its own fitness landscape, for tests and demonstrations."""

    def score(self, genome: C) -> float:
        """The true fitness in [0, 1], higher is better."""


@runtime_checkable
class Solved(Protocol[K], metaclass=Capability):
    """Capability of a Scored space: its best genome is known, so that a demonstration can tell the regret."""

    def optimum(self) -> tuple[K, float]:
        """A genome of the highest score, and that score."""


@runtime_checkable
class Behaving(Protocol[C], metaclass=Capability):
    """Capability of a Scored space: genomes do something whose outcome says more than their score."""

    @property
    def behaviours(self) -> Sequence[str]:
        """Names of the numbers of a behaviour: ("x", "y") for where an agent ends."""

    def behaviour(self, genome: C) -> Sequence[float]:
        """A number for each of the names, in units of which one makes a notable difference."""


@runtime_checkable
class Functional(Protocol[C], metaclass=Capability):
    """Capability: the space knows which of its genomes compute the same function, whatever the task."""

    def function_key(self, genome: C) -> str:
        """Equal for genomes whose networks, with weights of their own each, compute the same functions."""


@runtime_checkable
class Relaxable(Protocol[K], metaclass=Capability):
    """Capability: all networks of the space are paths through one network, so that they can share their weights."""

    @property
    def relaxed(self) -> Relaxed:
        """The edges of a cell, with the operations that each of them may have."""

    def assigned(self, path: Path) -> K:
        """The genome whose edges have the operations of a path: `space.assigned((0, 3, 1))`."""

    def superplan(self, task: Task) -> Superplan:
        """The network with all operations on each edge. Raises PlanError as `decode` of a Buildable space does."""


@runtime_checkable
class Sketched(Protocol[C], metaclass=Capability):
    """Capability: the space sketches what of a genome is searched, such as a cell that a network repeats."""

    def sketches(self, genome: C) -> Sequence[Sketch]:
        """One sketch for each part, `[normal, reduction]` for example; the same genome gives the same sketches."""


@runtime_checkable
class Patterned(Protocol[C], metaclass=Capability):
    """Capability: genomes are networks with names of their own, which a search is to be compared with."""

    def pattern_of(self, genome: C) -> str:
        """The name: `residual`; equal for genomes with equal networks."""


@runtime_checkable
class Mutable(Protocol[G], metaclass=Capability):
    """Capability: one small random change."""

    def mutate(self, genome: G, rng: Random) -> G:
        """A neighbour; the genome itself only where the space counts identity among its mutations."""


@runtime_checkable
class Crossable(Protocol[G], metaclass=Capability):
    """Capability: genomes that are no tuples of independent genes can be recombined."""

    def recombine(self, parents: Sequence[G], rng: Random) -> G:
        """A child of two parents or more, which stay as they are: `space.recombine([mother, father], rng)`."""


@runtime_checkable
class Aligned(Protocol[G], metaclass=Capability):
    """Capability of a Crossable space: genes of two genomes match, by historical marks, or have no counterpart."""

    def recombine_unequal(self, fitter: G, other: G, rng: Random) -> G:
        """A child with a gene of either parent where genes match, and all others of the fitter parent alone.

        `recombine` takes the parents as equally fit.
        """


@runtime_checkable
class Lamarckian(Protocol[G], metaclass=Capability):
    """Capability: what a training made of a network's weights goes back into its genome."""

    def with_weights(self, genome: G, payload: Json) -> G:
        """The genome with the trained weights that its result's payload has.

        Raises ValueError for a payload that has none, or has those of another network.
        """


@runtime_checkable
class Prunable(Protocol[G], metaclass=Capability):
    """Capability: genomes may hold parts that compute nothing, such as disabled links."""

    def prune(self, genome: G) -> G:
        """The genome without these parts; its network stays the same."""


@runtime_checkable
class Sized(Protocol[C], metaclass=Capability):
    """Capability: the space counts the parts of a genome's network."""

    def sizes(self, genome: C) -> Mapping[str, int]:
        """Counts by name: {"links": 7, "hidden": 2}."""


@runtime_checkable
class Measured(Protocol[C], metaclass=Capability):
    """Capability: how far two genomes are from each other."""

    def distance(self, first: C, second: C) -> float:
        """0 for equal genomes, symmetric, never negative."""


@runtime_checkable
class Repairable(Protocol[G], metaclass=Capability):
    """Capability: what variation makes of two genomes may be no genome, but can be turned into one nearby."""

    def repair(self, genome: G, rng: Random) -> G:
        """A genome of the space; one that already is comes back unchanged."""


@runtime_checkable
class Linear(Protocol, metaclass=Capability):
    """Capability: a genome is a tuple of genes, one for each of the fixed `choices`, independent of each other."""

    @property
    def choices(self) -> Sequence[Locus]:
        """One for each locus."""

    def sample(self, rng: Random) -> Genes:
        """As in Space."""


@runtime_checkable
class Walkable(Protocol[K], metaclass=Capability):
    """Capability: a genome is the outcome of a program of decisions, which a learned policy can take."""

    @property
    def kinds(self) -> Kinds:
        """The options of each kind of decision."""

    def walk(self) -> Program[K]:
        """The program, at its beginning."""


@runtime_checkable
class Deepening(Protocol[K], metaclass=Capability):
    """Capability of a Walkable space: its walk can be held to fewer layers than the space has."""

    @property
    def depth(self) -> int:
        """The largest number of layers."""

    def walk_to(self, depth: int) -> Program[K]:
        """The program of networks of at most `depth` layers."""


@runtime_checkable
class Modular(Protocol[K], metaclass=Capability):
    """Capability: networks are assembled from a blueprint, whose nodes point to species, and a module of each species.

    Blueprints and modules are marked graphs. A blueprint's nodes have one gene, the species; its own genes are those of
    `global_loci`. A module's nodes have the genes of `node_loci`.
    """

    @property
    def node_loci(self) -> Sequence[Locus]:
        """The genes of a module's node."""

    @property
    def global_loci(self) -> Sequence[Locus]:
        """The genes that a blueprint has once."""

    def draw_module(self, rng: Random) -> MarkedGraph:
        """A module from the prior."""

    def draw_blueprint(self, species: Sequence[int], rng: Random) -> MarkedGraph:
        """A blueprint from the prior, pointing to species among these."""

    def assemble(self, blueprint: MarkedGraph, modules: Mapping[int, MarkedGraph]) -> K:
        """The genome; `modules` has one for each species that the blueprint names."""


@runtime_checkable
class Sequenced(Protocol[K], metaclass=Capability):
    """Capability: a genome is a bounded sequence of components, and a setting of each component.

    A component has one setting wherever it stands in the sequence.
    """

    @property
    def components(self) -> Sequence[str]:
        """The names of the components, all different: `("add", "sin")`."""

    @property
    def max_length(self) -> int:
        """The largest number of components in a sequence, at least 1."""

    @property
    def settings(self) -> Sequence[Locus]:
        """The setting of each component, in the order of `components`."""

    def compose(self, sequence: Sequence[str], settings: Genes) -> K:
        """The genome: `space.compose(("sin", "add", "sin"), (0.5, 1.0))`."""


OF_SPACES: tuple[type, ...] = (
    *(Space, Buildable, Recurrent, Denoising, Captioning, Neural, Tuning, Defaulting, Configuring, Scored),
    *(Solved, Behaving, Functional, Relaxable, Sketched, Differing, Mutable, Crossable, Aligned, Lamarckian, Prunable),
    *(Sized, Morphing, Measured, Repairable, Linear, Walkable, Deepening, Modular, Sequenced),
    *(Growable, Ensembling, Suited, Applying, Patterned, Routing),
)
"""All that a space may have."""
