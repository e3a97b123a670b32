"""The interfaces of the program. Nothing inherits from them: a class that has the methods conforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Protocol, TypeVar, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.cell import Cell
from evonas_cli.core.choices import Genes, Locus
from evonas_cli.core.markings import MarkedGraph
from evonas_cli.core.types import (
    Evaluation,
    Json,
    Objective,
    Phenotype,
    Proposal,
    Task,
)
from evonas_cli.core.walk import Kinds, Program

G = TypeVar("G")
C = TypeVar("C", contravariant=True)
K = TypeVar("K", covariant=True)
S = TypeVar("S")


@runtime_checkable
class Space(Protocol[G], metaclass=Capability):
    """A set of genomes. Its `sample` is the prior that every strategy, the random baseline included, starts from."""

    def sample(self, rng: Random) -> G:
        """A genome drawn from the prior."""

    def to_json(self, genome: G) -> Json:
        """The genome as people read it; the only form in which a genome is stored."""

    def from_json(self, data: Json) -> G:
        """The inverse of `to_json`. Raises ValueError for what is no genome of this space."""


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
class Tuning(Protocol, metaclass=Capability):
    """Capability of a Buildable space: its genomes set trainer keys."""

    @property
    def tuned(self) -> Mapping[str, Sequence[Json]]:
        """The keys, each with its extreme values, so that wrong ones are refused before the search starts."""


@runtime_checkable
class Scored(Protocol[C], metaclass=Capability):
    """Capability: the space carries its own fitness landscape, for tests and demonstrations."""

    def score(self, genome: C) -> float:
        """The true fitness in [0, 1], higher is better."""


@runtime_checkable
class Functional(Protocol[C], metaclass=Capability):
    """Capability: the space knows which of its genomes compute the same function, whatever the task."""

    def function_key(self, genome: C) -> str:
        """Equal for genomes whose networks, with weights of their own each, compute the same functions."""


@runtime_checkable
class Mutable(Protocol[G], metaclass=Capability):
    """Capability: one small random change."""

    def mutate(self, genome: G, rng: Random) -> G:
        """A neighbour; the genome itself only where the space counts identity among its mutations."""


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
class Strategy(Protocol[G, S], metaclass=Capability):
    """Proposes genomes. Holds hyperparameters only: what evolves is a value of type S that is passed in and out.

    `needs` names the capabilities a space must have. `least_evaluations` is the smallest budget that makes sense: the
    first population, batch or bracket.
    """

    @property
    def needs(self) -> tuple[type, ...]:
        """The capability protocols that the space must conform to."""

    @property
    def least_evaluations(self) -> int:
        """Size of the first population, batch or bracket."""

    def init(self, rng: Random) -> S:
        """The state before the first ask."""

    def ask(self, state: S, rng: Random) -> tuple[list[Proposal[G]], S]:
        """The proposals of the next step; an empty list ends the search."""

    def tell(self, state: S, told: Sequence[Evaluation[G]], rng: Random) -> S:
        """Takes all evaluations of one ask, in its order. Steps are told in the order in which they were asked."""

    def population(self, state: S) -> tuple[int, ...]:
        """Candidate ids of the living members, in the strategy's own order; empty for a strategy without memory."""


@runtime_checkable
class Figures(Protocol[C], metaclass=Capability):
    """What a strategy may have in addition: figures about its state, logged after every told step."""

    def figures(self, state: C) -> Mapping[str, Json]:
        """Named figures, such as the population's diversity; the same state gives the same figures."""


@runtime_checkable
class Particular(Protocol, metaclass=Capability):
    """What a strategy may have in addition: it knows what it cannot learn from."""

    def check_objectives(self, objectives: Sequence[Objective]) -> None:
        """Raises UsageError for objectives that it cannot use."""


@runtime_checkable
class Continues(Protocol, metaclass=Capability):
    """What a strategy may have in addition: it says whether its candidates continue the training of earlier ones."""

    @property
    def continues(self) -> bool:
        """Whether trained weights have to be kept for later candidates."""


@runtime_checkable
class Computing(Protocol, metaclass=Capability):
    """What a strategy may have in addition: its bits depend on the machine, as those of a job do."""

    def environment(self) -> dict[str, Json]:
        """What its proposals depend on beside the configuration; keys begin with `strategy_`."""


@runtime_checkable
class Rising(Protocol, metaclass=Capability):
    """What a strategy that continues trainings may have in addition: each goes on from one fidelity to the next."""

    @property
    def fidelities(self) -> Sequence[float]:
        """In ascending order; the trainer must have epochs enough for each to train anything."""


@runtime_checkable
class Staged(Protocol, metaclass=Capability):
    """What a strategy that continues trainings may have in addition: it divides a full training into stages."""

    @property
    def stages(self) -> int:
        """How many; the trainer must have as many epochs for each to train anything. 1: whole trainings."""
